//! Near-duplicates: the same picture at another size, quality or brightness, or mirrored.
//!
//! Two photos are near-duplicates if their difference hashes (Krawetz, "Kind of like that", 2013; 128 bits) are close
//! and the details of their thumbnails correlate. Groups are what is connected by such pairs, unless
//! that is a mere chain: drawn signs resemble one another here and there, and yet are no copies of one picture.

use super::resize::resize;
use crate::error::Result;

/// Pixels a side of a thumbnail.
const THUMBNAIL: usize = 32;
/// Pixels of the thumbnail's edge that are left out: a frame around a photo says nothing of the photo.
const FRAME: usize = 4;
/// Pixels a side of what is left.
const INNER: usize = THUMBNAIL - 2 * FRAME;
/// Pixels to each side over which the thumbnail's local mean is taken.
const NEIGHBOURHOOD: usize = 2;
/// Comparisons along each axis of the difference hash.
const HASH: usize = 8;
/// Bits of 128 in which the hashes of near-duplicates differ at most, and the least correlation of their details then.
/// Set by eye on 3,668 photos of flowers, so that look-alikes (globes of dandelions) stay apart: 34 groups, none seen to be wrong.
const LIMITS: [(u32, f32); 2] = [(14, 0.45), (36, 0.75)];
/// The least standard deviation of the details, in grey levels: a blank picture resembles every other blank one.
const CONTRAST: f32 = 1.0;

/// Photos up to which a connected group is never a chain.
const SMALL: usize = 8;

/// Share of the pairs of a larger group that must resemble.
const LEAST_ALIKE: f64 = 0.25;

/// What a photo looks like, small enough to compare thousands.
#[derive(Debug, Clone, PartialEq)]
pub struct Signature {
    hash: u128,
    mirrored_hash: u128,
    /// `[INNER, INNER]` grey levels less their local mean, of length 1; empty for a blank picture.
    details: Vec<f32>,
}

impl Signature {
    /// The signature of a stored photo, `[size, size, 4]` bytes.
    ///
    /// # Errors
    /// [`crate::error::Error::Shape`] if the bytes are no such photo.
    pub fn of(pixels: &[u8], size: usize) -> Result<Self> {
        let grid = grey(&resize(pixels, size, size, HASH + 1)?);
        let mirrored: Vec<f32> =
            grid.chunks_exact(HASH + 1).flat_map(|row| row.iter().rev().copied()).collect();
        Ok(Self {
            hash: difference_hash(&grid),
            mirrored_hash: difference_hash(&mirrored),
            details: details(&grey(&resize(pixels, size, size, THUMBNAIL)?)),
        })
    }

    /// Whether the other photo shows the same picture, as it is or, where that counts, mirrored.
    pub fn resembles(&self, other: &Self, or_mirrored: bool) -> bool {
        let alike = |hash: u128, mirrored: bool| {
            let distance = (hash ^ other.hash).count_ones();
            let within = |&(most, least): &(u32, f32)| {
                distance <= most && self.correlation(other, mirrored) >= least
            };
            LIMITS.iter().any(within)
        };
        alike(self.hash, false) || (or_mirrored && alike(self.mirrored_hash, true))
    }

    /// The correlation of both photos' details, from −1 to 1; `mirrored` swaps left and right of this one.
    pub fn correlation(&self, other: &Self, mirrored: bool) -> f32 {
        let rows = self.details.chunks_exact(INNER).zip(other.details.chunks_exact(INNER));
        let dot = |(a, b): (&f32, &f32)| a * b;
        if mirrored {
            rows.map(|(own, other)| own.iter().rev().zip(other).map(dot).sum::<f32>()).sum()
        } else {
            rows.map(|(own, other)| own.iter().zip(other).map(dot).sum::<f32>()).sum()
        }
    }
}

/// Grey levels of RGBA pixels: a copy in black and white is a copy.
pub(super) fn grey(pixels: &[u8]) -> Vec<f32> {
    let grey =
        |p: &[u8]| 0.299 * f32::from(p[0]) + 0.587 * f32::from(p[1]) + 0.114 * f32::from(p[2]);
    pixels.chunks_exact(4).map(grey).collect()
}

/// One bit for each pair of neighbours along both axes: whether the second is brighter.
fn difference_hash(grey: &[f32]) -> u128 {
    let mut hash = 0;
    for y in 0..HASH {
        for x in 0..HASH {
            let at = y * (HASH + 1) + x;
            hash = hash << 2
                | u128::from(grey[at] < grey[at + 1]) << 1
                | u128::from(grey[at] < grey[at + HASH + 1]);
        }
    }
    hash
}

/// What a thumbnail shows beside its large shapes: a daisy and a dandelion's globe, both round and white before black,
/// differ here.
fn details(grey: &[f32]) -> Vec<f32> {
    let mut details = Vec::with_capacity(INNER * INNER);
    let inner = FRAME..THUMBNAIL - FRAME;
    for y in inner.clone() {
        for x in inner.clone() {
            let mut sum = 0.0;
            for row in y - NEIGHBOURHOOD..=y + NEIGHBOURHOOD {
                let row = &grey[row * THUMBNAIL..][x - NEIGHBOURHOOD..=x + NEIGHBOURHOOD];
                sum += row.iter().sum::<f32>();
            }
            let area = (2 * NEIGHBOURHOOD + 1) * (2 * NEIGHBOURHOOD + 1);
            details.push(grey[y * THUMBNAIL + x] - sum / area as f32);
        }
    }
    let length = details.iter().map(|value| value * value).sum::<f32>().sqrt();
    if length < CONTRAST * INNER as f32 {
        return Vec::new();
    }
    details.iter_mut().for_each(|value| *value /= length);
    details
}

/// The groups of two and more of `count` photos that resemble one another, as the caller says of each two, in ascending
/// order, by their first photo.
pub(super) fn groups_by(count: usize, resemble: impl Fn(usize, usize) -> bool) -> Vec<Vec<usize>> {
    let mut parents: Vec<usize> = (0..count).collect();
    for one in 0..count {
        for other in one + 1..count {
            if resemble(one, other) {
                join(&mut parents, one, other);
            }
        }
    }
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); count];
    for photo in 0..count {
        members[root(&mut parents, photo)].push(photo);
    }
    let mut groups: Vec<Vec<usize>> =
        members.into_iter().flat_map(|group| unchained(group, &resemble)).collect();
    groups.retain(|group| group.len() > 1);
    groups.sort_unstable();
    groups
}

/// A connected group as it is, where enough of its pairs resemble; a chain in parts whose photos resemble at least half of
/// the others in their part.
fn unchained(group: Vec<usize>, resemble: &dyn Fn(usize, usize) -> bool) -> Vec<Vec<usize>> {
    if group.len() <= SMALL {
        return vec![group];
    }
    // Steps of several lengths through the group stand for all its pairs.
    let steps = [1, 2, 3, 5, 8, 13, 21, 34, 55].into_iter().filter(|step| *step < group.len());
    let pairs = steps.flat_map(|step| group.iter().zip(&group[step..]));
    let (mut alike, mut all) = (0u32, 0u32);
    for (one, other) in pairs {
        alike += u32::from(resemble(*one, *other));
        all += 1;
    }
    if f64::from(alike) >= LEAST_ALIKE * f64::from(all) {
        return vec![group];
    }
    let mut parts: Vec<Vec<usize>> = Vec::new();
    for photo in group {
        let is_of = |part: &&mut Vec<usize>| {
            let alike = part.iter().filter(|member| resemble(**member, photo)).count();
            2 * alike >= part.len()
        };
        match parts.iter_mut().find(is_of) {
            Some(part) => part.push(photo),
            None => parts.push(vec![photo]),
        }
    }
    parts
}

/// Makes one tree of the trees of two photos; the smaller root leads, so that a group is known by its first photo.
pub(super) fn join(parents: &mut [usize], one: usize, other: usize) {
    let (a, b) = (root(parents, one), root(parents, other));
    parents[a.max(b)] = a.min(b);
}

/// The root of a photo's tree, halving the path on the way (union-find).
pub(super) fn root(parents: &mut [usize], mut i: usize) -> usize {
    while parents[i] != i {
        parents[i] = parents[parents[i]];
        i = parents[i];
    }
    i
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::groups::record;
    use crate::data::library::Library;
    use crate::data::photo::{Photo, PhotoId, Split};
    use crate::data::split::Ratios;
    use crate::draw::{CLASSES, draw};

    const SIZE: usize = 80;

    fn edited(pixels: &[u8], edit: impl Fn(usize, usize) -> [u8; 3]) -> Vec<u8> {
        let colours = (0..pixels.len() / 4).map(|i| edit(i % SIZE, i / SIZE));
        colours.flat_map(|[r, g, b]| [r, g, b, 255]).collect()
    }

    /// The picture itself, mirrored, in black and white, brighter, coarser, and cut a little.
    fn copies(pixels: &[u8]) -> Vec<Vec<u8>> {
        let at = |x: usize, y: usize| {
            let i = 4 * (y.min(SIZE - 1) * SIZE + x.min(SIZE - 1));
            [pixels[i], pixels[i + 1], pixels[i + 2]]
        };
        let luma = |[r, g, b]: [u8; 3]| {
            (0.299 * f32::from(r) + 0.587 * f32::from(g) + 0.114 * f32::from(b)) as u8
        };
        let small = resize(pixels, SIZE, SIZE, 50).unwrap();
        vec![
            pixels.to_vec(),
            edited(pixels, |x, y| at(SIZE - 1 - x, y)),
            edited(pixels, |x, y| [luma(at(x, y)); 3]),
            edited(pixels, |x, y| at(x, y).map(|c| c.saturating_add(20))),
            resize(&small, 50, 50, SIZE).unwrap(),
            edited(pixels, |x, y| at(x + 1, y + 1)),
        ]
    }

    #[test]
    fn copies_are_found_and_different_pictures_are_not() {
        let mut signatures = Vec::new();
        for index in 0..8 {
            for class in CLASSES {
                for copy in copies(&draw(1, class, index, SIZE).unwrap()) {
                    signatures.push(Signature::of(&copy, SIZE).unwrap());
                }
            }
        }
        let expected: Vec<Vec<usize>> = (0..40).map(|i| (6 * i..6 * i + 6).collect()).collect();
        let resemble =
            |one: usize, other: usize| signatures[one].resembles(&signatures[other], true);
        assert_eq!(groups_by(signatures.len(), resemble), expected);
    }

    #[test]
    fn blank_pictures_resemble_nothing() {
        let blank = Signature::of(&[200; SIZE * SIZE * 4], SIZE).unwrap();
        assert!(!blank.resembles(&blank, true));
        let flower = Signature::of(&draw(1, "rose", 0, SIZE).unwrap(), SIZE).unwrap();
        assert!(!blank.resembles(&flower, true) && !flower.resembles(&blank, true));
    }

    #[test]
    fn groups_stay_on_one_side_of_the_split() {
        let mut library = Library::new(SIZE, 1 << 30).unwrap();
        for index in 0..12 {
            for (copy, pixels) in copies(&draw(2, "tulip", index, SIZE).unwrap()).iter().enumerate()
            {
                let photo = Photo {
                    id: PhotoId::of(pixels),
                    name: format!("{index} {copy}"),
                    label: Some("tulip".into()),
                    split: None,
                    path: String::new(),
                    own_split: None,
                    group: None,
                    width: SIZE,
                    height: SIZE,
                };
                library.add(photo, pixels).unwrap();
            }
        }
        assert_eq!(record(&mut library).unwrap().near_duplicates.len(), 12);
        library.assign_splits(1, &Ratios::default()).unwrap();
        for group in library.photos().chunks_exact(6) {
            assert!(
                group.iter().all(|photo| photo.split == group[0].split && photo.group.is_some())
            );
        }
        assert!(!library.indices(Split::Test).is_empty());
    }
}
