//! The data set: photos, labels and stored pixels, in pages that fit one binding of a graphics device.

use super::mirror::{self, Verdict};
use super::photo::{Photo, PhotoId, Split};
use super::resize::LARGEST_SIZE;
use super::split::{self, Ratios};
use crate::error::{Error, Result, Words};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The most bytes in one page; half of what every WebGPU device can bind.
pub const PAGE_BYTES: usize = 64 << 20;

/// Photos of one square size. Pixels are RGBA bytes, row by row, photo after photo, a whole number of photos a page.
#[derive(Debug, Clone)]
pub struct Library {
    stored_size: usize,
    memory_limit: u64,
    photos: Vec<Photo>,
    pages: Vec<Vec<u8>>,
    by_id: HashMap<PhotoId, Vec<usize>>,
    mirror: Option<Verdict>,
    /// The labels that photos came with, of those whose label was changed by hand.
    came_with: BTreeMap<usize, Option<String>>,
    /// Files that were left out as copies, by the photo that they are copies of.
    copies: HashMap<usize, usize>,
}

/// What became of a photo that was added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// It is in the library at this index.
    New(usize),
    /// The same content is there already, under the same label; nothing was added.
    Duplicate(usize),
}

/// How many photos a class has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ClassCount {
    /// The class.
    pub label: String,
    /// All its photos.
    pub total: usize,
    /// Photos to learn from.
    pub train: usize,
    /// Photos watched while learning.
    pub validation: usize,
    /// Photos held back for the test.
    pub test: usize,
}

impl Library {
    /// An empty library of photos of `stored_size` pixels a side that may take `memory_limit` bytes.
    ///
    /// # Errors
    /// [`Error::Setting`] if the size is not in `1..=LARGEST_SIZE`.
    pub fn new(stored_size: usize, memory_limit: u64) -> Result<Self> {
        if stored_size == 0 || stored_size > LARGEST_SIZE {
            return Err(Error::setting(
                Words::of("name.stored_size"),
                Words::of("expected.pixels").with("low", 1u32).with("high", LARGEST_SIZE),
                stored_size,
            ));
        }
        Ok(Self {
            stored_size,
            memory_limit,
            photos: Vec::new(),
            pages: Vec::new(),
            by_id: HashMap::new(),
            mirror: None,
            came_with: BTreeMap::new(),
            copies: HashMap::new(),
        })
    }

    /// Pixels a side of a stored photo.
    pub fn stored_size(&self) -> usize {
        self.stored_size
    }

    /// Bytes of one stored photo.
    pub fn photo_bytes(&self) -> usize {
        self.stored_size * self.stored_size * 4
    }

    /// Photos in a full page.
    pub fn photos_per_page(&self) -> usize {
        PAGE_BYTES / self.photo_bytes()
    }

    /// Bytes of pixels that `photos` photos take in all.
    pub fn bytes_needed(&self, photos: usize) -> u64 {
        photos as u64 * self.photo_bytes() as u64
    }

    /// Whether `more` photos fit beside those that are there; ask before loading them.
    ///
    /// # Errors
    /// [`Error::PhotoMemory`] if they do not.
    pub fn check_room(&self, more: usize) -> Result<()> {
        let needed = self.bytes_needed(self.photos.len().saturating_add(more));
        if needed > self.memory_limit {
            return Err(Error::PhotoMemory {
                needed,
                available: self.memory_limit,
                photos_that_fit: (self.memory_limit / self.photo_bytes() as u64) as usize,
            });
        }
        Ok(())
    }

    /// Adds a photo with its pixels, `[stored_size, stored_size, 4]` bytes as [`super::resize::resize`] makes them.
    ///
    /// The same content under the same label (or where either has none) is added once; under two labels it is kept
    /// twice, for the doctor to report.
    ///
    /// # Errors
    /// [`Error::Shape`] if the pixels are of another size, [`Error::PhotoMemory`] if there is no room.
    pub fn add(&mut self, photo: Photo, pixels: &[u8]) -> Result<Added> {
        if pixels.len() != self.photo_bytes() {
            return Err(Error::Shape {
                place: Words::of("place.photo").with("name", photo.name),
                expected: Words::of("expected.stored_bytes")
                    .with("size", self.stored_size)
                    .with("n", self.photo_bytes()),
                found: Words::of("words.bytes").with("n", pixels.len()),
            });
        }
        // Whether it is a copy is a question of the labels that photos come with.
        self.restore_labels();
        if let Some(index) = self.find(photo.id, photo.label.as_deref()) {
            if self.photos[index].label.is_none() {
                self.photos[index].label = photo.label;
                self.mirror = None;
            }
            *self.copies.entry(index).or_default() += 1;
            return Ok(Added::Duplicate(index));
        }
        self.check_room(1)?;
        let full = self.photos_per_page() * self.photo_bytes();
        if self.pages.last().is_none_or(|page| page.len() == full) {
            self.pages.push(Vec::new());
        }
        if let Some(page) = self.pages.last_mut() {
            if page.len() == page.capacity() {
                // Doubles, but never past a full page.
                page.reserve_exact(page.len().max(16 * pixels.len()).min(full - page.len()));
            }
            page.extend_from_slice(pixels);
        }
        self.mirror = None;
        let index = self.photos.len();
        self.by_id.entry(photo.id).or_default().push(index);
        self.photos.push(photo);
        Ok(Added::New(index))
    }

    /// The photo with this content and label, or with this content where either has no label.
    fn find(&self, id: PhotoId, label: Option<&str>) -> Option<usize> {
        let copies = self.by_id.get(&id)?.iter().copied();
        copies.into_iter().find(|&index| {
            let own = self.photos[index].label.as_deref();
            own.is_none() || label.is_none() || own == label
        })
    }

    /// All photos, by index.
    pub fn photos(&self) -> &[Photo] {
        &self.photos
    }

    /// Stored pixels of a photo, `[stored_size, stored_size, 4]` bytes; none past the end.
    pub fn photo_pixels(&self, index: usize) -> Option<&[u8]> {
        let bytes = self.photo_bytes();
        let (page, slot) = self.place(index);
        self.pages.get(page)?.get(slot * bytes..(slot + 1) * bytes)
    }

    /// The page that holds a photo, and its slot there: its pixels start at byte `slot · photo_bytes`.
    pub fn place(&self, index: usize) -> (usize, usize) {
        (index / self.photos_per_page(), index % self.photos_per_page())
    }

    /// The pages of pixels; all but the last hold [`Self::photos_per_page`] photos.
    pub fn pages(&self) -> &[Vec<u8>] {
        &self.pages
    }

    /// The distinct labels, sorted: the classes.
    pub fn classes(&self) -> Vec<String> {
        let labels: BTreeSet<&String> =
            self.photos.iter().filter_map(|photo| photo.label.as_ref()).collect();
        labels.into_iter().cloned().collect()
    }

    /// For each photo its label's number in `classes`; none where the photo has no label.
    ///
    /// # Errors
    /// [`Error::Unknown`] for a label that is not among `classes`: an unknown class is no guess.
    pub fn targets(&self, classes: &[String]) -> Result<Vec<Option<usize>>> {
        let numbers: HashMap<&str, usize> =
            classes.iter().enumerate().map(|(number, class)| (class.as_str(), number)).collect();
        self.photos
            .iter()
            .map(|photo| {
                let Some(label) = photo.label.as_deref() else { return Ok(None) };
                numbers.get(label).copied().map(Some).ok_or_else(|| {
                    let known = classes.iter().map(String::as_str);
                    Error::unknown(Words::of("what.class"), label, known)
                })
            })
            .collect()
    }

    /// Labelled photos of a split, ordered by id, so that the order in which they were added is of no matter.
    pub fn indices(&self, split: Split) -> Vec<usize> {
        self.labelled(|photo| photo.split == Some(split))
    }

    /// Photos of a class, by index.
    pub fn of_class(&self, class: &str) -> impl Iterator<Item = usize> {
        let photos = self.photos.iter().enumerate();
        let own = photos.filter(move |(_, photo)| photo.label.as_deref() == Some(class));
        own.map(|(index, _)| index)
    }

    /// All labelled photos, ordered by id.
    pub fn all_indices(&self) -> Vec<usize> {
        self.labelled(|_| true)
    }

    fn labelled(&self, wanted: impl Fn(&Photo) -> bool) -> Vec<usize> {
        let mut indices: Vec<usize> = (0..self.photos.len())
            .filter(|&index| self.photos[index].label.is_some() && wanted(&self.photos[index]))
            .collect();
        indices.sort_by_key(|&index| (self.photos[index].id, &self.photos[index].label));
        indices
    }

    /// Photos of each class, by class.
    pub fn counts(&self) -> Vec<ClassCount> {
        let mut counts = BTreeMap::<&str, ClassCount>::new();
        for photo in &self.photos {
            let Some(label) = photo.label.as_deref() else { continue };
            let count = counts
                .entry(label)
                .or_insert_with(|| ClassCount { label: label.into(), ..ClassCount::default() });
            count.total += 1;
            match photo.split {
                Some(Split::Train) => count.train += 1,
                Some(Split::Validation) => count.validation += 1,
                Some(Split::Test) => count.test += 1,
                None => {}
            }
        }
        counts.into_values().collect()
    }

    /// Gives every labelled photo that has no split yet one; see [`split::assign`].
    ///
    /// # Errors
    /// [`Error::Setting`] if the ratios are no ratios.
    pub fn assign_splits(&mut self, seed: u64, ratios: &Ratios) -> Result<()> {
        split::assign(&mut self.photos, seed, ratios)
    }

    /// The split of every photo that has one, by id, as a model file keeps it.
    pub fn splits(&self) -> BTreeMap<PhotoId, Split> {
        self.photos.iter().filter_map(|photo| Some((photo.id, photo.split?))).collect()
    }

    /// Puts photos into splits by id, as a model file tells of its training; photos it does not name have none after.
    pub fn restore_splits(&mut self, splits: &BTreeMap<PhotoId, Split>) {
        for photo in &mut self.photos {
            photo.split = splits.get(&photo.id).copied();
        }
    }

    /// Whether the labelled photos may be mirrored. What [`Self::record_mirror`] found is known already.
    ///
    /// # Errors
    /// As [`mirror::decide`].
    pub fn mirror(&self) -> Result<Verdict> {
        match &self.mirror {
            Some(verdict) => Ok(verdict.clone()),
            None => mirror::decide(self, &self.all_indices()),
        }
    }

    /// Finds out whether the labelled photos may be mirrored, and remembers it until a photo is added.
    ///
    /// # Errors
    /// As [`mirror::decide`].
    pub fn record_mirror(&mut self) -> Result<Verdict> {
        let verdict = self.mirror()?;
        self.mirror = Some(verdict.clone());
        Ok(verdict)
    }

    /// Changes a photo's label by hand; without a label it is left out.
    pub fn relabel(&mut self, index: usize, label: Option<String>) {
        if let Some(photo) = self.photos.get_mut(index) {
            let before = std::mem::replace(&mut photo.label, label);
            self.came_with.entry(index).or_insert(before);
            self.mirror = None;
        }
    }

    /// Takes back all that [`Self::relabel`] did.
    pub fn restore_labels(&mut self) {
        for (index, label) in std::mem::take(&mut self.came_with) {
            self.photos[index].label = label;
            self.mirror = None;
        }
    }

    /// The label that a photo came with.
    pub fn came_with(&self, index: usize) -> Option<&str> {
        let now = || self.photos.get(index).map(|photo| &photo.label);
        self.came_with.get(&index).or_else(now)?.as_deref()
    }

    /// Whether a photo was left out by hand.
    pub fn is_removed(&self, index: usize) -> bool {
        self.photos.get(index).is_some_and(|photo| photo.label.is_none())
            && self.came_with.contains_key(&index)
    }

    /// Photos that were left out by hand, by index.
    pub fn removed(&self) -> impl Iterator<Item = usize> {
        self.came_with.keys().copied().filter(|&index| self.is_removed(index))
    }

    /// Gives a photo the label and the part of the author's split that the layout of its data set says.
    pub(super) fn place_photo(
        &mut self,
        index: usize,
        label: Option<String>,
        own_split: Option<Split>,
    ) {
        if let Some(photo) = self.photos.get_mut(index) {
            if photo.label != label {
                photo.label = label;
                self.mirror = None;
            }
            photo.own_split = own_split;
        }
    }

    /// How many more files had the content and label of this photo and were left out for it.
    pub fn copies(&self, index: usize) -> usize {
        self.copies.get(&index).copied().unwrap_or(0)
    }

    /// Records groups of near-duplicates: for each photo the group it belongs to.
    pub fn set_groups(&mut self, groups: &[Option<PhotoId>]) {
        for (photo, group) in self.photos.iter_mut().zip(groups) {
            photo.group = *group;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn photo(name: &str, label: Option<&str>) -> Photo {
        Photo {
            id: PhotoId::of(name.as_bytes()),
            name: name.into(),
            label: label.map(Into::into),
            split: None,
            path: String::new(),
            own_split: None,
            group: None,
            width: 10,
            height: 10,
        }
    }

    fn library(photos: &[(&str, &str)]) -> Library {
        let mut library = Library::new(2, 1 << 20).unwrap();
        for (i, (name, label)) in photos.iter().enumerate() {
            library.add(photo(name, Some(label)), &[i as u8; 16]).unwrap();
        }
        library
    }

    #[test]
    fn pages_hold_whole_photos_under_the_limit() {
        for size in [80, 120, 280, 376, LARGEST_SIZE] {
            let library = Library::new(size, 0).unwrap();
            let bytes = library.photos_per_page() * library.photo_bytes();
            assert!(bytes <= PAGE_BYTES && bytes + library.photo_bytes() > PAGE_BYTES);
        }
        assert!(Library::new(0, 1).is_err());
    }

    #[test]
    fn photos_cross_pages_and_keep_their_pixels() {
        let mut library = Library::new(1024, 1 << 30).unwrap();
        for i in 0..17u8 {
            let pixels = vec![i; library.photo_bytes()];
            library.add(photo(&i.to_string(), Some("a")), &pixels).unwrap();
        }
        assert_eq!(library.pages().len(), 2);
        assert_eq!(library.pages()[0].capacity(), PAGE_BYTES);
        assert_eq!(library.place(16), (1, 0));
        assert_eq!(library.photo_pixels(16).unwrap()[0], 16);
        assert_eq!(library.photo_pixels(17), None);
    }

    #[test]
    fn a_copy_is_added_once_a_conflict_twice() {
        let mut library = library(&[("x", "rose"), ("y", "tulip")]);
        assert_eq!(library.add(photo("x", Some("rose")), &[0; 16]), Ok(Added::Duplicate(0)));
        assert_eq!(library.add(photo("x", None), &[0; 16]), Ok(Added::Duplicate(0)));
        assert_eq!(library.add(photo("x", Some("tulip")), &[0; 16]), Ok(Added::New(2)));
    }

    #[test]
    fn too_many_photos_are_refused_before_they_are_taken() {
        let mut library = Library::new(2, 40).unwrap();
        assert_eq!(library.bytes_needed(3), 48);
        assert!(library.check_room(2).is_ok());
        assert_eq!(
            library.check_room(3),
            Err(Error::PhotoMemory { needed: 48, available: 40, photos_that_fit: 2 })
        );
        for name in ["a", "b"] {
            library.add(photo(name, None), &[0; 16]).unwrap();
        }
        assert!(library.add(photo("c", None), &[0; 16]).is_err());
        assert!(matches!(library.add(photo("d", None), &[0; 15]), Err(Error::Shape { .. })));
    }

    #[test]
    fn classes_are_the_sorted_labels() {
        let mut library = library(&[("x", "tulip"), ("y", "daisy"), ("z", "tulip")]);
        library.add(photo("w", None), &[0; 16]).unwrap();
        assert_eq!(library.classes(), ["daisy", "tulip"]);
        let classes = library.classes();
        assert_eq!(library.targets(&classes).unwrap(), [Some(1), Some(0), Some(1), None]);
        assert!(matches!(library.targets(&classes[..1]), Err(Error::Unknown { .. })));
        assert_eq!(library.counts()[1].total, 2);
    }

    #[test]
    fn indices_do_not_depend_on_the_order_of_adding() {
        let names = |library: &Library| -> Vec<String> {
            let photos = library.photos();
            library.all_indices().into_iter().map(|i| photos[i].name.clone()).collect()
        };
        let one = library(&[("x", "a"), ("y", "b"), ("z", "a")]);
        let two = library(&[("z", "a"), ("x", "a"), ("y", "b")]);
        assert_eq!(names(&one), names(&two));
    }

    #[test]
    fn splits_are_restored_by_id() {
        let mut library = library(&[("x", "a"), ("y", "a")]);
        library.restore_splits(&BTreeMap::from([(PhotoId::of(b"y"), Split::Test)]));
        assert_eq!(library.indices(Split::Test), [1]);
        assert_eq!(library.photos()[0].split, None);
        assert_eq!(library.counts()[0].test, 1);
    }
}
