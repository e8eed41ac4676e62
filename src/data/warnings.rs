//! What is to be known of photos before a network is trained on them, so that nobody learns it from a number that says
//! nothing.

use super::doctor::is_blank;
use super::groups::Groups;
use super::library::{ClassCount, Library};
use super::photo::{PhotoId, Split};
use serde::Serialize;
use std::collections::BTreeSet;

/// Test photos under which even a test without a mistake leaves more than twenty points open (Wilson's interval).
pub const FEW_TEST_PHOTOS: usize = 16;

/// Levels of 0 to 255 by which photos of the same picture differ at most, on average.
const SAME: f64 = 6.0;

/// One thing to be known, with its values; the reader's language words it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Warning {
    /// There is one class, so there is nothing to tell apart.
    OneClass {
        /// The class.
        class: String,
    },
    /// All photos of these classes show the same picture.
    SamePicture {
        /// The classes.
        classes: Vec<String>,
    },
    /// All photos of these classes are of one series, which is cut in time: its end is held back.
    OneSeries {
        /// The classes.
        classes: Vec<String>,
    },
    /// Files were left out since others have the same content.
    LeftOut {
        /// Files that were left out.
        photos: usize,
        /// Photos that are left.
        left: usize,
    },
    /// No photo of these classes is held back for the test.
    NoTest {
        /// The classes.
        classes: Vec<String>,
        /// Whether that is all classes: nothing will be known of how good the model is.
        all: bool,
    },
    /// Fewer than [`FEW_TEST_PHOTOS`] photos are held back for the test.
    FewTestPhotos {
        /// How many.
        photos: usize,
    },
}

/// What is to be known of a library that has been split, the gravest first. `groups` are those that [`Groups`] tell of.
pub fn before_training(library: &Library, groups: &Groups) -> Vec<Warning> {
    let classes = library.counts();
    if classes.is_empty() {
        return Vec::new();
    }
    let mut warnings = Vec::new();
    if let [class] = classes.as_slice() {
        warnings.push(Warning::OneClass { class: class.label.clone() });
    }
    let named = |wanted: &dyn Fn(&ClassCount) -> bool| -> Vec<String> {
        classes.iter().filter(|class| wanted(class)).map(|class| class.label.clone()).collect()
    };
    let same = named(&|class| is_one_picture(library, groups, &class.label));
    let series =
        named(&|class| !same.contains(&class.label) && is_one_group(library, &class.label));
    if !same.is_empty() {
        warnings.push(Warning::SamePicture { classes: same });
    }
    if !series.is_empty() {
        warnings.push(Warning::OneSeries { classes: series });
    }
    let photos = library.photos().len();
    let left_out = (0..photos).map(|photo| library.copies(photo)).sum();
    if left_out > 0 {
        warnings.push(Warning::LeftOut { photos: left_out, left: photos });
    }
    let untested = named(&|class| class.test == 0);
    let test: usize = classes.iter().map(|class| class.test).sum();
    if !untested.is_empty() {
        warnings.push(Warning::NoTest { classes: untested, all: test == 0 });
    }
    if (1..FEW_TEST_PHOTOS).contains(&test) {
        warnings.push(Warning::FewTestPhotos { photos: test });
    }
    warnings
}

/// Whether all files of a class show the same picture: copies, near-duplicates, or of one colour each.
fn is_one_picture(library: &Library, groups: &Groups, class: &str) -> bool {
    let photos: Vec<usize> = library.of_class(class).collect();
    let copies: usize = photos.iter().map(|&photo| library.copies(photo)).sum();
    if photos.len() == 1 {
        return copies > 0;
    }
    let holds_all = |group: &Vec<usize>| photos.iter().all(|photo| group.contains(photo));
    let is_blank = |&photo: &usize| library.photo_pixels(photo).is_some_and(is_blank);
    // From frame to frame a video is nearly the same picture, from its begin to its end it is not.
    let is_series = groups.series.iter().any(holds_all);
    let pixels = |photo: usize| library.photo_pixels(photo).unwrap_or_default();
    let is_like_first = |&photo: &usize| mean_difference(pixels(photos[0]), pixels(photo)) < SAME;
    let is_near = groups.near_duplicates.iter().any(holds_all);
    (is_near && (!is_series || photos.iter().all(is_like_first))) || photos.iter().all(is_blank)
}

/// The mean difference of two photos' bytes.
fn mean_difference(one: &[u8], other: &[u8]) -> f64 {
    let sum: u64 = one.iter().zip(other).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    sum as f64 / one.len().max(1) as f64
}

/// Whether all photos of a class, two or more, belong together.
fn is_one_group(library: &Library, class: &str) -> bool {
    let photos: Vec<usize> = library.of_class(class).collect();
    let groups: BTreeSet<Option<PhotoId>> =
        photos.iter().map(|&photo| library.photos()[photo].group).collect();
    let is_split = photos.iter().any(|&photo| library.photos()[photo].split == Some(Split::Test));
    photos.len() > 1 && groups.len() == 1 && !groups.contains(&None) && is_split
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::groups;
    use crate::data::photo::Photo;
    use crate::data::split::Ratios;
    use crate::draw;

    const SIZE: usize = 80;

    fn warnings(fill: impl Fn(&mut Library)) -> Vec<Warning> {
        let mut library = Library::new(SIZE, 1 << 30).unwrap();
        fill(&mut library);
        let groups = groups::record(&mut library).unwrap();
        library.assign_splits(1, &Ratios::default()).unwrap();
        before_training(&library, &groups)
    }

    fn add(library: &mut Library, class: &str, name: &str, content: &str, pixels: &[u8]) {
        let (id, label) = (PhotoId::of(content.as_bytes()), Some(class.to_owned()));
        let photo = Photo { id, label, name: name.into(), ..draw::photo(1, "rose", 0, SIZE) };
        library.add(photo, pixels).unwrap();
    }

    #[test]
    fn enough_photos_of_several_classes_need_no_warning() {
        let found = warnings(|library| draw::fill(library, 1, 40).unwrap());
        assert_eq!(found, []);
    }

    #[test]
    fn one_class_leaves_nothing_to_tell_apart() {
        let found = warnings(|library| {
            for index in 0..20 {
                let pixels = draw::draw(1, "rose", index, SIZE).unwrap();
                let name = format!("rose/{index}");
                add(library, "rose", &name, &name, &pixels);
            }
        });
        let class = "rose".into();
        assert_eq!(found, [Warning::OneClass { class }, Warning::FewTestPhotos { photos: 3 }]);
    }

    #[test]
    fn copies_that_were_left_out_are_counted() {
        let found = warnings(|library| {
            for number in 0..20 {
                for (class, shade) in [("black", 0), ("white", 255)] {
                    let pixels = [shade, shade, shade, 255].repeat(SIZE * SIZE);
                    add(library, class, &format!("{class}/{number}"), class, &pixels);
                }
            }
        });
        let classes = vec!["black".to_owned(), "white".into()];
        let expected = [
            Warning::SamePicture { classes: classes.clone() },
            Warning::LeftOut { photos: 38, left: 2 },
            Warning::NoTest { classes, all: true },
        ];
        assert_eq!(found, expected);
        let json = serde_json::to_value(&found).unwrap();
        assert_eq!(json[1], serde_json::json!({ "kind": "left_out", "photos": 38, "left": 2 }));
    }

    #[test]
    fn a_class_that_is_one_series_is_named() {
        let found = warnings(|library| {
            for (class, seed) in [("left", 3), ("right", 4)] {
                let wide = draw::draw(seed, "daisy", 0, 2 * SIZE).unwrap();
                for frame in 0..30 {
                    let pixels: Vec<u8> = (0..SIZE * SIZE)
                        .flat_map(|at| {
                            let (x, y) = (at % SIZE + 2 * frame, at / SIZE + 30);
                            wide[4 * (y * 2 * SIZE + x)..][..4].to_vec()
                        })
                        .collect();
                    let name = format!("{class}/frame_{frame:03}");
                    add(library, class, &name, &name, &pixels);
                }
            }
        });
        let classes = vec!["left".to_owned(), "right".into()];
        let expected = [Warning::OneSeries { classes }, Warning::FewTestPhotos { photos: 10 }];
        assert_eq!(found, expected);
    }
}
