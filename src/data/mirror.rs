//! Whether photos may be mirrored: flowers may, arrows, letters and hands may not.
//!
//! The photos themselves tell. Where left and right matter, a mirrored photo looks like another class as much as the
//! photo looks like its own; where they do not, that happens to mirrored photos no more often than to photos as they
//! are. A photo looks like the class of its nearest neighbour among the shapes in small pictures, wherever in the picture they lie.

use super::duplicates::grey;
use super::library::Library;
use super::resize::resize;
use crate::error::Result;
use serde::de::{Deserializer, Error as _};
use serde::{Deserialize, Serialize, Serializer};
use std::collections::BTreeMap;
use std::f32::consts::PI;

/// Pixels a side of the pictures whose shapes are compared.
const SIDE: usize = 48;
/// Cells a side of a shape.
const CELLS: usize = 6;
/// Directions of edges, over half a turn: which side of an edge is brighter is of no matter.
const DIRECTIONS: usize = 6;
/// Half the window's side in standard deviations of the edges from their centre.
const WINDOW: f32 = 2.0;
/// Products added at once; divides the numbers of a shape.
const LANES: usize = 8;
/// Most photos that are compared, taken evenly from the classes: each is compared with all others.
const MOST_PHOTOS: usize = 1000;
/// How much farther a mirrored photo may be from the other class than the photo is from its own.
const SLACK: f32 = 1.5;
/// Standard deviations by which chance is outdone, once there are enough photos to speak of deviations.
const DEVIATIONS: f64 = 3.5;
/// Share of a class's photos that must turn beyond chance.
const SHARE: f64 = 0.1;
/// Share of a class's photos, and the least number, that decide by themselves where photos are few.
const FEW: (f64, usize) = (0.5, 3);

/// Whether photos may be mirrored, or who decides. Written as `true`, `false` or `"auto"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mirroring {
    /// The photos decide when a run begins: see [`decide`].
    Auto,
    /// They may.
    Yes,
    /// They may not.
    No,
}

impl Mirroring {
    /// `auto`, `yes` or `no`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Yes => "yes",
            Self::No => "no",
        }
    }
}

impl Serialize for Mirroring {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match self {
            Self::Auto => serializer.serialize_str(self.name()),
            Self::Yes => serializer.serialize_bool(true),
            Self::No => serializer.serialize_bool(false),
        }
    }
}

impl<'de> Deserialize<'de> for Mirroring {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Settled(bool),
            Named(String),
        }
        match Written::deserialize(deserializer)? {
            Written::Settled(true) => Ok(Self::Yes),
            Written::Settled(false) => Ok(Self::No),
            Written::Named(name) => [Self::Auto, Self::Yes, Self::No]
                .into_iter()
                .find(|mirroring| mirroring.name() == name)
                .ok_or_else(|| D::Error::custom(format!("mirror is auto, yes or no, not {name}"))),
        }
    }
}

/// What the photos say of mirroring.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Whether a photo may be mirrored.
    pub allowed: bool,
    /// Photos that were compared.
    pub photos: usize,
    /// The class whose mirrored photos look most like another one, and that one; where mirroring is not allowed.
    pub pair: Option<[String; 2]>,
}

/// A photo's shape, as it is and mirrored.
struct Small {
    plain: Vec<f32>,
    mirrored: Vec<f32>,
    class: usize,
}

/// Decides from these labelled photos of a library.
///
/// # Errors
/// None in practice: the library's photos have the size that it says.
pub fn decide(library: &Library, photos: &[usize]) -> Result<Verdict> {
    let classes = library.classes();
    let pictures = pictures(library, &evenly(library, photos, classes.len()))?;
    let mut tally = vec![Tally::default(); classes.len()];
    for (number, picture) in pictures.iter().enumerate() {
        let plain = Nearest::of(&pictures, number, &picture.plain);
        let mirrored = Nearest::of(&pictures, number, &picture.mirrored);
        let own = &mut tally[picture.class];
        own.photos += 1;
        let (Some(plain), Some(mirrored)) = (plain, mirrored) else { continue };
        // The same question with photo and mirror image exchanged says how often this happens by chance.
        if mirrored.is_as_much_another_as(&plain) {
            own.turned += 1;
            *own.towards.entry(mirrored.other_class).or_default() += 1;
        } else if plain.is_as_much_another_as(&mirrored) {
            own.turned_back += 1;
        }
    }
    let worst = tally.iter().enumerate().filter(|(_, own)| own.is_turned());
    let pair = worst.max_by_key(|(_, own)| own.turned).and_then(|(class, own)| {
        let (towards, _) = own.towards.iter().max_by_key(|(_, count)| **count)?;
        Some([classes[class].clone(), classes[*towards].clone()])
    });
    Ok(Verdict { allowed: pair.is_none(), photos: pictures.len(), pair })
}

/// What became of the photos of a class.
#[derive(Default, Clone)]
struct Tally {
    photos: usize,
    /// Photos that look like their class, and mirrored like another one.
    turned: usize,
    /// Photos that look like another class, and mirrored like their own.
    turned_back: usize,
    towards: BTreeMap<usize, usize>,
}

impl Tally {
    fn is_turned(&self) -> bool {
        let beyond = self.turned.saturating_sub(self.turned_back);
        let chance = ((self.turned + self.turned_back) as f64).sqrt();
        let (share, least) = FEW;
        let many =
            beyond as f64 > DEVIATIONS * chance && beyond as f64 > SHARE * self.photos as f64;
        many || (beyond >= least && beyond as f64 >= share * self.photos as f64)
    }
}

/// How far the nearest photos of a picture's own class and of all others are.
struct Nearest {
    own: f32,
    other: f32,
    other_class: usize,
}

impl Nearest {
    /// None where the own class or all others have no photo beside this one.
    fn of(pictures: &[Small], number: usize, picture: &[f32]) -> Option<Self> {
        let own_class = pictures[number].class;
        let (mut own, mut other) = (f32::NEG_INFINITY, (f32::NEG_INFINITY, None));
        for (at, candidate) in pictures.iter().enumerate().filter(|(at, _)| *at != number) {
            let similarity = dot(&candidate.plain, picture);
            if candidate.class == own_class {
                own = own.max(similarity);
            } else if similarity > other.0 {
                other = (similarity, Some(pictures[at].class));
            }
        }
        (own > f32::NEG_INFINITY).then_some(())?;
        Some(Self { own: 1.0 - own, other: 1.0 - other.0, other_class: other.1? })
    }

    /// Whether this view looks like another class, as closely as the `first` view looks like its own.
    fn is_as_much_another_as(&self, first: &Self) -> bool {
        first.own < first.other && self.other < self.own && self.other <= SLACK * first.own
    }
}

fn pictures(library: &Library, photos: &[usize]) -> Result<Vec<Small>> {
    let (size, classes) = (library.stored_size(), library.classes());
    let targets = library.targets(&classes)?;
    let mut pictures = Vec::with_capacity(photos.len());
    for &index in photos {
        let (Some(stored), Some(&Some(class))) = (library.photo_pixels(index), targets.get(index))
        else {
            continue;
        };
        let small = resize(stored, size, size, SIDE)?;
        let plain = shape(&grey(&small));
        let mirrored = mirrored(&plain);
        pictures.push(Small { plain, mirrored, class });
    }
    Ok(pictures)
}

/// The shape in a grey picture, `[SIDE, SIDE]`, wherever it lies, however large and of whatever colours it is: edges by
/// cell and direction, `[CELLS, CELLS, DIRECTIONS]`, as in histograms of oriented gradients (Dalal and Triggs, 2005), in
/// a window about their centre, of length 1.
fn shape(grey: &[f32]) -> Vec<f32> {
    let edge = |x: usize, y: usize| {
        let at = y * SIDE + x;
        (grey[at + 1] - grey[at - 1], grey[at + SIDE] - grey[at - SIDE])
    };
    let inner = || (1..SIDE - 1).flat_map(|y| (1..SIDE - 1).map(move |x| (x, y)));
    let (mut sum, mut first, mut second) = (f32::MIN_POSITIVE, [0.0; 2], 0.0);
    for (x, y) in inner() {
        let ((dx, dy), at) = (edge(x, y), [x as f32, y as f32]);
        let energy = dx * dx + dy * dy;
        sum += energy;
        first = [0, 1].map(|axis| first[axis] + energy * at[axis]);
        second += energy * (at[0] * at[0] + at[1] * at[1]);
    }
    let centre = first.map(|moment| moment / sum);
    let variance = second / sum - centre[0] * centre[0] - centre[1] * centre[1];
    let half = (WINDOW * (variance.max(0.0) / 2.0).sqrt()).clamp(SIDE as f32 / 8.0, SIDE as f32);

    let mut shape = vec![0.0; CELLS * CELLS * DIRECTIONS];
    for (x, y) in inner() {
        let (dx, dy) = edge(x, y);
        let length = dx.hypot(dy);
        // Cells and directions share an edge with their neighbours, by how near it is.
        let cell =
            |at: usize, centre: f32| ((at as f32 - centre) / half + 1.0) / 2.0 * CELLS as f32 - 0.5;
        let direction = dy.atan2(dx).rem_euclid(PI) / PI * DIRECTIONS as f32 - 0.5;
        for (column, across) in shares(cell(x, centre[0])) {
            for (row, down) in shares(cell(y, centre[1])) {
                let cells = 0..CELLS as i32;
                if !cells.contains(&column) || !cells.contains(&row) {
                    continue;
                }
                for (bin, share) in shares(direction) {
                    let bin = bin.rem_euclid(DIRECTIONS as i32) as usize;
                    let at = (row as usize * CELLS + column as usize) * DIRECTIONS + bin;
                    shape[at] += length * across * down * share;
                }
            }
        }
    }
    // The square root keeps a few strong edges from drowning the others.
    let length = shape.iter().sum::<f32>().max(f32::MIN_POSITIVE);
    shape.iter_mut().for_each(|value| *value = (*value / length).sqrt());
    shape
}

/// The two whole numbers about a position, each with its share.
fn shares(position: f32) -> [(i32, f32); 2] {
    let (low, part) = (position.floor(), position - position.floor());
    [(low as i32, 1.0 - part), (low as i32 + 1, part)]
}

/// The shape of the mirrored picture: columns and directions the other way round.
fn mirrored(shape: &[f32]) -> Vec<f32> {
    let rows = shape.chunks_exact(CELLS * DIRECTIONS);
    rows.flat_map(|row| row.iter().rev().copied()).collect()
}

/// The sum of products, in parts that a processor adds at once.
fn dot(one: &[f32], other: &[f32]) -> f32 {
    let mut sums = [0.0; LANES];
    for (a, b) in one.chunks_exact(LANES).zip(other.chunks_exact(LANES)) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += a * b;
        }
    }
    sums.iter().sum()
}

/// At most [`MOST_PHOTOS`] of these photos, as many of each class as there are.
fn evenly(library: &Library, photos: &[usize], classes: usize) -> Vec<usize> {
    let share = (MOST_PHOTOS / classes.max(1)).max(2);
    let mut taken = BTreeMap::<&str, usize>::new();
    let chosen = photos.iter().copied().filter(|&index| {
        let label = library.photos().get(index).and_then(|photo| photo.label.as_deref());
        let taken = taken.entry(label.unwrap_or_default()).or_default();
        *taken += 1;
        *taken <= share
    });
    chosen.take(MOST_PHOTOS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::photo::{Photo, PhotoId};
    use crate::draw;

    const STORED: usize = 80;

    /// A thick L or its mirror image somewhere on a plain ground, in its own colours.
    fn letter(number: usize, mirrored: bool) -> Vec<u8> {
        let random = |step: usize, most: usize| (number * step + number * number * 7) % most;
        let (left, top, size) = (5 + random(13, 30), 5 + random(17, 30), 24 + random(5, 14));
        let ground = [90 + random(11, 140) as u8, 90 + random(29, 140) as u8, 120, 255];
        let ink = [random(31, 60) as u8, random(23, 60) as u8, 30, 255];
        let stroke = size / 4;
        let inside = |x: usize, y: usize| {
            let (Some(x), Some(y)) = (x.checked_sub(left), y.checked_sub(top)) else {
                return false;
            };
            let x = if mirrored { size.wrapping_sub(1 + x) } else { x };
            x < size && y < size && (x < stroke || y >= size - stroke)
        };
        (0..STORED * STORED)
            .flat_map(|at| if inside(at % STORED, at / STORED) { ink } else { ground })
            .collect()
    }

    fn letters(mirror_of: &str, count: usize) -> Library {
        let mut library = Library::new(STORED, 1 << 30).unwrap();
        for number in 0..count {
            for (label, is_mirrored) in [("l", false), (mirror_of, true)] {
                let name = format!("{label} {number} {is_mirrored}");
                let photo = Photo { label: Some(label.into()), ..draw::photo(1, &name, 0, STORED) };
                let photo = Photo { id: PhotoId::of(name.as_bytes()), name, ..photo };
                library.add(photo, &letter(number, is_mirrored)).unwrap();
            }
        }
        library
    }

    #[test]
    fn letters_and_their_mirror_images_must_not_be_mirrored() {
        for count in [5, 40] {
            let library = letters("j", count);
            let verdict = decide(&library, &library.all_indices()).unwrap();
            assert!(!verdict.allowed, "{count}: {verdict:?}");
            let mut pair = verdict.pair.unwrap();
            pair.sort();
            assert_eq!(pair, ["j", "l"]);
        }
    }

    #[test]
    fn a_class_that_has_both_and_flowers_may_be_mirrored() {
        let library = letters("l", 40);
        assert!(decide(&library, &library.all_indices()).unwrap().allowed);
        for seed in 1..4 {
            let mut library = Library::new(STORED, 1 << 30).unwrap();
            draw::fill(&mut library, seed, 30).unwrap();
            let verdict = decide(&library, &library.all_indices()).unwrap();
            assert_eq!((verdict.allowed, verdict.photos), (true, 150));
        }
    }

    #[test]
    fn one_class_or_no_photo_decides_nothing() {
        let library = Library::new(STORED, 1 << 20).unwrap();
        assert!(decide(&library, &[]).unwrap().allowed);
        let library = letters("l", 3);
        assert!(decide(&library, &library.all_indices()).unwrap().allowed);
    }
}
