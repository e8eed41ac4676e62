//! The data doctor: what a teacher should know of a data set before training on it.

use super::groups::{self, Groups};
use super::library::{ClassCount, Library};
use super::photo::{PhotoId, Skipped};
use crate::error::Result;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Photos of a class under which learning it is a matter of luck.
pub const FEW_PHOTOS: usize = 20;
/// How many times as many photos as the smallest class the largest may have.
pub const IMBALANCE: usize = 3;
/// Standard deviation of each channel, in levels of 0 to 255, under which a photo is blank.
const BLANK_DEVIATION: f64 = 3.0;

/// What was found; every list is empty in a healthy data set. Photos are named by their index in the library.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Report {
    /// Photos of each class.
    pub classes: Vec<ClassCount>,
    /// Files that were left out, and why.
    pub skipped: Vec<Skipped>,
    /// Files whose content was there already under the same label; they were left out.
    pub duplicates: Vec<String>,
    /// The same picture, to the byte or nearly, under several labels: which one is right?
    pub conflicts: Vec<Vec<usize>>,
    /// Photos that show the same picture; the split keeps each group on one side.
    pub near_duplicates: Vec<Vec<usize>>,
    /// Photos whose names count up and whose neighbours look alike, in the order of time; the split keeps each series on
    /// one side.
    pub series: Vec<Vec<usize>>,
    /// Groups of near-duplicates that lie on both sides of the split all the same, because they were split before they
    /// were known to be alike: the test is too kind.
    pub straddling: Vec<Vec<usize>>,
    /// Classes of fewer than [`FEW_PHOTOS`] photos.
    pub small_classes: Vec<String>,
    /// The largest and the smallest class, if one has more than [`IMBALANCE`] times the photos of the other.
    pub imbalance: Option<[String; 2]>,
    /// Photos of one colour.
    pub blank: Vec<usize>,
    /// Photos with fewer pixels a side than the network sees.
    pub tiny: Vec<usize>,
    /// Photos that belong to no class; they are not trained on.
    pub unlabelled: Vec<usize>,
}

impl Report {
    /// Whether nothing was found.
    pub fn is_healthy(&self) -> bool {
        let found = Self { classes: Vec::new(), ..self.clone() };
        found == Self::default()
    }
}

/// Examines a library, and records its groups of near-duplicates. `skipped` and `duplicates` come from loading,
/// `input_size` is the network's side in pixels.
///
/// # Errors
/// As [`groups::record`].
pub fn examine(
    library: &mut Library,
    skipped: &[Skipped],
    duplicates: &[String],
    input_size: usize,
) -> Result<Report> {
    let pictures = Pictures::of(library)?;
    Ok(report(library, &pictures, skipped, duplicates, input_size))
}

/// What comparing the pictures tells, by the labels that photos came with; edits change none of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pictures {
    /// Photos that a split keeps together.
    pub groups: Groups,
    /// Photos of one colour.
    pub blank: Vec<usize>,
}

impl Pictures {
    /// Compares the pictures of a library, and records its groups.
    ///
    /// # Errors
    /// As [`groups::record`].
    pub fn of(library: &mut Library) -> Result<Self> {
        let groups = groups::record(library)?;
        Ok(Self::in_groups(library, groups))
    }

    /// As [`Self::of`], of a library whose groups are known.
    pub fn in_groups(library: &Library, groups: Groups) -> Self {
        let is_blank = |&index: &usize| library.photo_pixels(index).is_some_and(is_blank);
        let blank = (0..library.photos().len()).filter(is_blank).collect();
        Self { groups, blank }
    }
}

/// Sums up what was found of a library as its photos are labelled now. Photos that were left out by hand are settled.
pub fn report(
    library: &Library,
    pictures: &Pictures,
    skipped: &[Skipped],
    duplicates: &[String],
    input_size: usize,
) -> Report {
    let photos = library.photos();
    let stays = |&index: &usize| !library.is_removed(index);
    let having = |wanted: &dyn Fn(usize) -> bool| {
        (0..photos.len()).filter(stays).filter(|&i| wanted(i)).collect()
    };
    let groups = |groups: &[Vec<usize>]| -> Vec<Vec<usize>> {
        let left = groups.iter().map(|group| group.iter().copied().filter(stays).collect());
        left.filter(|group: &Vec<usize>| group.len() > 1).collect()
    };
    let near_duplicates = groups(&pictures.groups.near_duplicates);
    let series = groups(&pictures.groups.series);
    let straddles = |group: &&Vec<usize>| {
        let sides: BTreeSet<_> = group.iter().filter_map(|&i| photos[i].split).collect();
        sides.len() > 1
    };
    let classes = library.counts();
    Report {
        skipped: skipped.to_vec(),
        duplicates: duplicates.to_vec(),
        conflicts: conflicts(library, &near_duplicates),
        straddling: near_duplicates.iter().filter(straddles).cloned().collect(),
        near_duplicates,
        series,
        small_classes: classes
            .iter()
            .filter(|class| class.total < FEW_PHOTOS)
            .map(|class| class.label.clone())
            .collect(),
        imbalance: imbalance(&classes),
        blank: pictures.blank.iter().copied().filter(stays).collect(),
        tiny: having(&|i| photos[i].width.min(photos[i].height) < input_size),
        unlabelled: having(&|i| photos[i].label.is_none()),
        classes,
    }
}

/// Copies of the same content, which the library keeps only where their labels differ, and groups of near-duplicates
/// with more than one label.
fn conflicts(library: &Library, near_duplicates: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let photos = library.photos();
    let mut copies = BTreeMap::<PhotoId, Vec<usize>>::new();
    for (index, photo) in photos.iter().enumerate().filter(|(index, _)| !library.is_removed(*index))
    {
        copies.entry(photo.id).or_default().push(index);
    }
    let labels = |group: &&Vec<usize>| {
        let labels: BTreeSet<_> = group.iter().filter_map(|&i| photos[i].label.as_ref()).collect();
        labels.len() > 1
    };
    let copies = copies.values().filter(labels);
    let conflicts: BTreeSet<_> = copies.chain(near_duplicates.iter().filter(labels)).collect();
    conflicts.into_iter().cloned().collect()
}

fn imbalance(classes: &[ClassCount]) -> Option<[String; 2]> {
    let largest = classes.iter().max_by_key(|class| class.total)?;
    let smallest = classes.iter().min_by_key(|class| class.total)?;
    (largest.total > IMBALANCE * smallest.total)
        .then(|| [largest.label.clone(), smallest.label.clone()])
}

/// Whether no channel of a stored photo varies.
pub(super) fn is_blank(pixels: &[u8]) -> bool {
    (0..3).all(|channel| {
        let values = || pixels.iter().skip(channel).step_by(4).map(|&value| f64::from(value));
        let count = (pixels.len() / 4) as f64;
        let mean = values().sum::<f64>() / count;
        let variance = values().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
        variance < BLANK_DEVIATION * BLANK_DEVIATION
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::photo::{Photo, Split};
    use crate::draw;
    use crate::error::Words;

    const SIZE: usize = 40;

    /// Twenty roses and twenty tulips, all different.
    fn healthy() -> Library {
        let mut library = Library::new(SIZE, 1 << 30).unwrap();
        for index in 0..20 {
            for class in ["rose", "tulip"] {
                let pixels = draw::draw(1, class, index, SIZE).unwrap();
                library.add(draw::photo(1, class, index, 200), &pixels).unwrap();
            }
        }
        library
    }

    fn add(library: &mut Library, content: &str, label: Option<&str>, pixels: &[u8]) {
        let photo = Photo {
            id: PhotoId::of(content.as_bytes()),
            name: content.into(),
            label: label.map(Into::into),
            split: None,
            path: String::new(),
            own_split: None,
            group: None,
            width: 200,
            height: 48,
        };
        library.add(photo, pixels).unwrap();
    }

    #[test]
    fn a_healthy_data_set_has_nothing_to_report() {
        let report = examine(&mut healthy(), &[], &[], 64).unwrap();
        assert!(report.is_healthy(), "{report:?}");
        assert_eq!(report.classes.len(), 2);
    }

    #[test]
    fn every_fault_is_found() {
        let mut library = healthy();
        let first = library.photo_pixels(0).unwrap().to_vec();
        let other = draw::draw(9, "daisy", 0, SIZE).unwrap();
        add(&mut library, "copy", Some("rose"), &first);
        add(&mut library, "either", Some("rose"), &other);
        add(&mut library, "either", Some("weed"), &other);
        add(&mut library, "nearly", Some("tulip"), &first);
        add(&mut library, "red", None, &[250, 10, 10, 255].repeat(SIZE * SIZE));
        let skipped = [Skipped { name: "x".into(), reason: Words::of("reason.no_image") }];
        let report = examine(&mut library, &skipped, &["y".into()], 64).unwrap();
        assert!(!report.is_healthy());
        assert_eq!(report.skipped, skipped);
        assert_eq!(report.duplicates, ["y"]);
        assert_eq!(report.conflicts, [vec![0, 40, 43], vec![41, 42]]);
        assert_eq!(report.near_duplicates, [vec![0, 40, 43], vec![41, 42]]);
        assert!(report.straddling.is_empty());
        assert_eq!(report.small_classes, ["weed"]);
        assert_eq!(report.imbalance, Some(["rose".into(), "weed".into()]));
        assert_eq!(report.blank, [44]);
        assert_eq!(report.tiny, [40, 41, 42, 43, 44]);
        assert_eq!(report.unlabelled, [44]);
        assert_eq!(serde_json::to_value(&report).unwrap()["classes"][0]["total"], 22);
    }

    #[test]
    fn a_group_on_both_sides_is_reported() {
        let mut library = healthy();
        let first = library.photo_pixels(0).unwrap().to_vec();
        add(&mut library, "copy", Some("rose"), &first);
        let sides = [(library.photos()[0].id, Split::Train), (PhotoId::of(b"copy"), Split::Test)];
        library.restore_splits(&BTreeMap::from(sides));
        assert_eq!(examine(&mut library, &[], &[], 64).unwrap().straddling, [[0, 40]]);
    }
}
