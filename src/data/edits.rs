//! What a person changes in a data set by hand: labels mended, photos left out, classes renamed.
//!
//! Edits are a list, made anew from the labels that the photos came with. So each can be undone, and the list mends the
//! same data set wherever it is loaded again: photos are named by their content, not by where they lie.

use super::library::Library;
use super::photo::PhotoId;
use crate::error::{Error, Result, Words};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};

/// The most characters of a class's name.
const LONGEST_NAME: usize = 100;

/// A photo of an edit. The same content may have come under several labels, and each of those is a photo.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EditedPhoto {
    /// Its content.
    pub id: PhotoId,
    /// The label that it came with.
    pub came_with: Option<String>,
}

/// One change, as `{ "edit": "label", … }` in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "edit", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the variants explain their fields")]
pub enum Edit {
    /// Puts photos into a class, which need not be there yet. A copy of a photo that is in that class is left out.
    Label { photos: Vec<EditedPhoto>, class: String },
    /// Leaves photos out.
    Remove { photos: Vec<EditedPhoto> },
    /// Puts photos back that were left out, into the classes that they came with.
    Restore { photos: Vec<EditedPhoto> },
    /// Gives a class another name; where that is another class's, both become one.
    Rename { from: String, to: String },
}

/// Edits in the order in which they were made. Undone ones stay at the end until another one is made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edits {
    edits: Vec<Edit>,
    /// How many of them are in force.
    made: usize,
}

impl Edits {
    /// Reads a list as [`Self::to_json`] writes it.
    ///
    /// # Errors
    /// [`Error::File`] for a text that is no such list; [`Error::Setting`] for a class whose name is empty or too long.
    pub fn from_json(name: &str, text: &str) -> Result<Self> {
        let edits: Self = serde_json::from_str(text).map_err(|error| {
            let reason = Words::of("reason.no_edits")
                .with("line", error.line())
                .with("column", error.column());
            Error::File { path: name.into(), reason }
        })?;
        edits.edits.iter().try_for_each(check)?;
        let made = edits.made.min(edits.edits.len());
        Ok(Self { made, ..edits })
    }

    /// The list as a text for a file.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// How many edits are in force, and how many could be made again.
    pub fn counts(&self) -> (usize, usize) {
        (self.made, self.edits.len() - self.made)
    }

    /// Adds an edit; those that were undone are gone.
    ///
    /// # Errors
    /// [`Error::Setting`] for a class whose name is empty or too long.
    pub fn make(&mut self, edit: Edit) -> Result<()> {
        check(&edit)?;
        self.edits.truncate(self.made);
        self.edits.push(edit);
        self.made += 1;
        Ok(())
    }

    /// Takes the last edit back, if there is one.
    pub fn undo(&mut self) {
        self.made = self.made.saturating_sub(1);
    }

    /// Makes the edit again that was taken back last, if there is one.
    pub fn redo(&mut self) {
        self.made = (self.made + 1).min(self.edits.len());
    }

    /// Labels a library's photos: as they came, but for the edits in force. Photos that are not in the library are
    /// passed over.
    pub fn apply(&self, library: &mut Library) {
        library.restore_labels();
        if self.made == 0 {
            return;
        }
        let photos = library.photos().iter().enumerate();
        let places: HashMap<EditedPhoto, usize> =
            photos.map(|(index, _)| (named(library, index), index)).collect();
        let found = |photos: &[EditedPhoto]| -> Vec<usize> {
            photos.iter().filter_map(|photo| places.get(photo).copied()).collect()
        };
        for edit in &self.edits[..self.made] {
            match edit {
                Edit::Label { photos, class } => label(library, found(photos), class),
                Edit::Remove { photos } => {
                    found(photos).into_iter().for_each(|index| library.relabel(index, None));
                }
                Edit::Restore { photos } => {
                    for index in found(photos) {
                        let class = library.came_with(index).map(Into::into);
                        library.relabel(index, class);
                    }
                }
                Edit::Rename { from, to } => {
                    let photos = library.of_class(from).collect();
                    label(library, photos, to);
                }
            }
        }
    }
}

/// How an edit names a photo of a library.
pub fn named(library: &Library, index: usize) -> EditedPhoto {
    let id = library.photos()[index].id;
    EditedPhoto { id, came_with: library.came_with(index).map(Into::into) }
}

/// Puts photos into a class. Content that is there already would be counted twice.
fn label(library: &mut Library, photos: Vec<usize>, class: &str) {
    let moved: BTreeSet<usize> = photos.iter().copied().collect();
    let there = library.of_class(class).filter(|index| !moved.contains(index));
    let mut there: BTreeSet<PhotoId> = there.map(|index| library.photos()[index].id).collect();
    for index in photos {
        let is_new = there.insert(library.photos()[index].id);
        library.relabel(index, is_new.then(|| class.to_owned()));
    }
}

fn check(edit: &Edit) -> Result<()> {
    let (Edit::Label { class: name, .. } | Edit::Rename { to: name, .. }) = edit else {
        return Ok(());
    };
    if name.trim().is_empty() || name.chars().count() > LONGEST_NAME {
        return Err(Error::Setting {
            name: Words::of("name.class_name"),
            expected: Words::of("expected.characters").with("high", LONGEST_NAME),
            found: if name.trim().is_empty() {
                Words::of("found.none")
            } else {
                Words::of("found.characters").with("n", name.chars().count())
            },
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::doctor;
    use crate::draw;

    const SIZE: usize = 32;

    /// Two roses, two tulips, and one flower that lies in both classes.
    fn library() -> Library {
        let mut library = Library::new(SIZE, 1 << 20).unwrap();
        let mut add = |class: &str, number: u32, label: &str| {
            let pixels = draw::draw(1, class, number, SIZE).unwrap();
            let photo = draw::photo(1, class, number, SIZE);
            library.add(super::super::photo::Photo { label: Some(label.into()), ..photo }, &pixels)
        };
        for (class, number, label) in [
            ("rose", 0, "rose"),
            ("rose", 1, "rose"),
            ("tulip", 0, "tulip"),
            ("tulip", 1, "tulip"),
            ("tulip", 2, "tulip"),
            ("tulip", 2, "rose"),
        ] {
            add(class, number, label).unwrap();
        }
        library
    }

    fn labels(library: &Library) -> Vec<&str> {
        library.photos().iter().map(|photo| photo.label.as_deref().unwrap_or("-")).collect()
    }

    fn edit(edits: &mut Edits, library: &mut Library, edit: Edit) {
        edits.make(edit).unwrap();
        edits.apply(library);
    }

    #[test]
    fn edits_are_made_undone_and_made_again() {
        let (mut library, mut edits) = (library(), Edits::default());
        let came = ["rose", "rose", "tulip", "tulip", "tulip", "rose"];
        let moved = vec![named(&library, 0)];
        edit(&mut edits, &mut library, Edit::Label { photos: moved, class: "weed".into() });
        assert_eq!(labels(&library), ["weed", "rose", "tulip", "tulip", "tulip", "rose"]);
        let removed = vec![named(&library, 1), named(&library, 0)];
        edit(&mut edits, &mut library, Edit::Remove { photos: removed });
        assert_eq!(labels(&library), ["-", "-", "tulip", "tulip", "tulip", "rose"]);
        assert_eq!(library.classes(), ["rose", "tulip"]);
        edits.undo();
        edits.undo();
        edits.undo();
        edits.apply(&mut library);
        assert_eq!((labels(&library), edits.counts()), (came.to_vec(), (0, 2)));
        edits.redo();
        edits.redo();
        let back = vec![named(&library, 0)];
        edit(&mut edits, &mut library, Edit::Restore { photos: back });
        assert_eq!(labels(&library)[..2], ["rose", "-"]);
        edits.undo();
        edits.undo();
        edits.apply(&mut library);
        assert_eq!(labels(&library)[0], "weed");
        edit(&mut edits, &mut library, Edit::Rename { from: "tulip".into(), to: "lily".into() });
        assert_eq!(edits.counts(), (2, 0));
        assert_eq!(labels(&library), ["weed", "rose", "lily", "lily", "lily", "rose"]);
    }

    #[test]
    fn a_photo_in_two_classes_is_settled_by_one_edit() {
        let (mut library, mut edits) = (library(), Edits::default());
        let report = |library: &mut Library| doctor::examine(library, &[], &[], 8).unwrap();
        assert_eq!(report(&mut library).conflicts, [[4, 5]]);
        let both = vec![named(&library, 4), named(&library, 5)];
        edit(&mut edits, &mut library, Edit::Label { photos: both, class: "tulip".into() });
        assert_eq!(labels(&library), ["rose", "rose", "tulip", "tulip", "tulip", "-"]);
        let report = report(&mut library);
        assert_eq!((report.conflicts.len(), report.unlabelled.len()), (0, 0));
        assert!(library.is_removed(5));
    }

    #[test]
    fn classes_are_merged_and_their_copies_left_out() {
        let (mut library, mut edits) = (library(), Edits::default());
        edit(&mut edits, &mut library, Edit::Rename { from: "tulip".into(), to: "rose".into() });
        assert_eq!(library.classes(), ["rose"]);
        assert_eq!(labels(&library), ["rose", "rose", "rose", "rose", "-", "rose"]);
    }

    #[test]
    fn a_list_mends_the_same_photos_loaded_again() {
        let (mut first, mut edits) = (library(), Edits::default());
        let removed = vec![named(&first, 3)];
        edit(&mut edits, &mut first, Edit::Remove { photos: removed });
        edit(&mut edits, &mut first, Edit::Rename { from: "rose".into(), to: "장미".into() });
        let read = Edits::from_json("edits.json", &edits.to_json()).unwrap();
        assert_eq!(read, edits);
        let mut again = library();
        read.apply(&mut again);
        assert_eq!(labels(&again), labels(&first));
        // More of the same photos are copies still, whatever class they are in by now.
        let photo = draw::photo(1, "rose", 0, SIZE);
        let pixels = draw::draw(1, "rose", 0, SIZE).unwrap();
        again.add(photo, &pixels).unwrap();
        read.apply(&mut again);
        assert_eq!(labels(&again), labels(&first));
        let other = &mut Library::new(SIZE, 1 << 20).unwrap();
        read.apply(other);
        assert!(other.photos().is_empty());
    }

    #[test]
    fn a_class_needs_a_name_and_a_list_its_form() {
        let mut edits = Edits::default();
        for name in ["", "  ", &"x".repeat(101)] {
            let edit = Edit::Label { photos: Vec::new(), class: name.into() };
            assert!(matches!(edits.make(edit), Err(Error::Setting { .. })), "{name}");
        }
        for text in ["", "[]", r#"{"edits": 3, "made": 0}"#, r#"{"edits": [{"edit": "burn"}]}"#] {
            assert!(matches!(Edits::from_json("x", text), Err(Error::File { .. })), "{text}");
        }
        let beyond = Edits::from_json("x", r#"{"edits": [], "made": 7}"#).unwrap();
        assert_eq!(beyond.counts(), (0, 0));
    }
}
