//! Series: frames of a video or of a held-down camera. Their names count up and neighbours look alike, so that a test
//! photo between two training photos tests nothing.

use super::duplicates::Signature;
use super::library::Library;
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// The least correlation of the details of neighbours in a series.
const LIKENESS: f32 = 0.3;
/// Standard deviations by which neighbours are more alike than photos of the same names that are far apart.
const DEVIATIONS: f32 = 2.0;
/// The fewest photos that make a series.
const FEWEST: usize = 3;

/// A name that counts up: what is before and behind its last number, and the number. `IMG_0012.jpg` is the twelfth of
/// `IMG_` and `.jpg`.
///
/// ```
/// use floret::data::series::counted;
/// assert_eq!(counted("rose/IMG_0012.jpg"), Some((["rose/IMG_", ".jpg"], 12)));
/// assert_eq!(counted("rose/big.jpg"), None);
/// ```
pub fn counted(name: &str) -> Option<([&str; 2], u64)> {
    let file = name.rfind('/').map_or(0, |slash| slash + 1);
    let stem_end = name[file..].rfind('.').map_or(name.len(), |dot| file + dot);
    let stem = &name[file..stem_end];
    let end = stem.rfind(|c: char| c.is_ascii_digit())? + 1;
    let start = stem[..end]
        .rfind(|c: char| !c.is_ascii_digit())
        .map_or(0, |at| at + stem[at..].chars().next().map_or(1, char::len_utf8));
    let number = stem[start..end].parse().ok()?;
    Some(([&name[..file + start], &name[file + end..]], number))
}

/// The order of two names in time: numbers count, so that 9 comes before 10.
pub fn in_time(one: &str, other: &str) -> Ordering {
    match (counted(one), counted(other)) {
        (Some((a, i)), Some((b, j))) if a == b => i.cmp(&j),
        _ => one.cmp(other),
    }
}

/// The series of a library as photo indices, each in the order of time. `signatures` has one a photo.
pub fn find(library: &Library, signatures: &[Signature]) -> Vec<Vec<usize>> {
    let mut names = BTreeMap::<_, Vec<(u64, usize)>>::new();
    for (index, photo) in library.photos().iter().enumerate().take(signatures.len()) {
        if let Some((around, number)) = counted(&photo.name) {
            names.entry((&photo.label, around)).or_default().push((number, index));
        }
    }
    let mut series = Vec::new();
    for mut photos in names.into_values().filter(|photos| photos.len() >= FEWEST) {
        photos.sort_unstable();
        let photos: Vec<usize> = photos.into_iter().map(|(_, index)| index).collect();
        let likeness = |a: usize, b: usize| signatures[a].correlation(&signatures[b], false);
        let least = unlikely(&photos, &likeness).max(LIKENESS);
        // Where a whole video is alike, its neighbours are near-duplicates.
        let is_next = |&a: &usize, &b: &usize| {
            likeness(a, b) >= least || signatures[a].resembles(&signatures[b], false)
        };
        let runs = photos.chunk_by(is_next).filter(|run| run.len() >= FEWEST);
        series.extend(runs.map(<[usize]>::to_vec));
    }
    series
}

/// A likeness that photos of these names hardly have unless they are neighbours.
fn unlikely(photos: &[usize], likeness: &dyn Fn(usize, usize) -> f32) -> f32 {
    let (n, apart) = (photos.len() as f32, photos.len() / 2);
    // Of three photos all are neighbours.
    if photos.len() < 2 * FEWEST {
        return 0.0;
    }
    let far: Vec<f32> = (0..photos.len())
        .map(|at| likeness(photos[at], photos[(at + apart) % photos.len()]))
        .collect();
    let mean = far.iter().sum::<f32>() / n;
    let variance = far.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / n;
    mean + DEVIATIONS * variance.sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::photo::{Photo, PhotoId};
    use crate::draw;

    const SIZE: usize = 80;

    /// A window that moves over a drawn picture by so many pixels a frame, as a camera does.
    fn frames(library: &mut Library, label: &str, count: usize, speed: usize) {
        let wide = draw::draw(3, "daisy", 0, 2 * SIZE).unwrap();
        for frame in 0..count {
            let pixels: Vec<u8> = (0..SIZE * SIZE)
                .flat_map(|at| {
                    let (x, y) = (at % SIZE + speed * frame, at / SIZE + 30);
                    wide[4 * (y * 2 * SIZE + x)..][..4].to_vec()
                })
                .collect();
            add(library, label, &format!("{label}/frame_{frame:04}.jpg"), &pixels);
        }
    }

    fn add(library: &mut Library, label: &str, name: &str, pixels: &[u8]) {
        let (id, label) = (PhotoId::of(name.as_bytes()), Some(label.to_owned()));
        let photo = Photo { id, label, name: name.into(), ..draw::photo(1, "daisy", 0, SIZE) };
        library.add(photo, pixels).unwrap();
    }

    fn found(library: &Library) -> Vec<Vec<usize>> {
        let signatures: Vec<Signature> = (0..library.photos().len())
            .map(|index| Signature::of(library.photo_pixels(index).unwrap(), SIZE).unwrap())
            .collect();
        find(library, &signatures)
    }

    #[test]
    fn names_that_count_up_are_in_the_order_of_time() {
        let mut names = ["b/IMG_9.jpg", "b/IMG_10.jpg", "a/x.jpg", "b/IMG_0002.jpg"];
        names.sort_by(|one, other| in_time(one, other));
        assert_eq!(names, ["a/x.jpg", "b/IMG_0002.jpg", "b/IMG_9.jpg", "b/IMG_10.jpg"]);
        assert_eq!(counted("46.png"), Some((["", ".png"], 46)));
        assert_eq!(counted("b/사진 (3).jpg"), Some((["b/사진 (", ").jpg"], 3)));
        assert_eq!(counted("2024/no number.jpg"), None);
        assert_eq!(counted(&format!("{}.jpg", "9".repeat(40))), None);
    }

    #[test]
    fn frames_of_a_video_are_one_series() {
        for (count, speed) in [(20, 2), (40, 2), (40, 1), (30, 0)] {
            let mut library = Library::new(SIZE, 1 << 30).unwrap();
            frames(&mut library, "left", count, speed);
            assert_eq!(found(&library), [(0..count).collect::<Vec<_>>()], "{speed}");
        }
    }

    #[test]
    fn different_photos_whose_names_count_up_are_none() {
        let mut library = Library::new(SIZE, 1 << 30).unwrap();
        for number in 0..40 {
            let pixels = draw::draw(1, "rose", number, SIZE).unwrap();
            add(&mut library, "rose", &format!("rose/{number}.jpg"), &pixels);
        }
        assert_eq!(found(&library), Vec::<Vec<usize>>::new());
    }
}
