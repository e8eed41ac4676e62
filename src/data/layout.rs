//! How its author laid a data set out: a split of its own, a table of labels, classes in the names of files.
//!
//! A photo's label is the folder that holds it, unless the paths of all photos say otherwise. What they say is recognised
//! here, told, and taken unless it is declined; declining it later needs no photo read again.

mod names;
mod split_folders;
mod table;

pub use split_folders::{SplitFolder, SplitFolders};
pub use table::LabelTable;

use super::archive::{TableFile, label_of, parts_of};
use super::library::Library;
use super::photo::Split;
use serde::{Deserialize, Serialize};

/// What of a data set's own arrangement is taken, where it has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Accepted {
    /// The author's split.
    pub split: bool,
    /// Labels out of a table.
    pub table: bool,
    /// Classes out of names of files.
    pub names: bool,
}

impl Default for Accepted {
    fn default() -> Self {
        Self { split: true, table: true, names: true }
    }
}

/// What was recognised, whether it was taken or declined.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Layout {
    /// Folders named as the parts of a split.
    pub split: Option<SplitFolders>,
    /// A table that labels the photos.
    pub table: Option<LabelTable>,
    /// Classes in the names of files.
    pub names: Option<NamedClasses>,
}

/// Classes that the names of files in one folder show: `cat.0.jpg`, `dog.0.jpg`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NamedClasses {
    /// The classes, sorted.
    pub classes: Vec<String>,
    /// Whether the photos are labelled by them.
    pub taken: bool,
}

/// What is to become of a photo.
#[derive(Clone)]
struct Placed {
    label: Option<String>,
    split: Option<Split>,
}

/// Recognises how the library's photos are laid out and gives them the labels and the split that follow from it, as far as
/// that is accepted. Photos without a path, such as drawn ones, are left as they are.
pub fn arrange(library: &mut Library, tables: &[TableFile], accepted: Accepted) -> Layout {
    let chosen: Vec<usize> =
        (0..library.photos().len()).filter(|&at| !library.photos()[at].path.is_empty()).collect();
    let paths: Vec<&str> = chosen.iter().map(|&at| library.photos()[at].path.as_str()).collect();
    let (layout, placed) = recognise(&paths, tables, accepted);
    for (at, Placed { label, split }) in chosen.into_iter().zip(placed) {
        library.place_photo(at, label, split);
    }
    layout
}

fn recognise(paths: &[&str], tables: &[TableFile], accepted: Accepted) -> (Layout, Vec<Placed>) {
    let folder = |path: &&str| Placed { label: label_of(path), split: None };
    let mut placed: Vec<Placed> = paths.iter().map(folder).collect();
    let mut layout = Layout::default();

    let parts: Vec<Vec<&str>> = paths.iter().map(|path| parts_of(path)).collect();
    let found = split_folders::find(&parts);
    // The folders are no classes, whether the split is taken or not.
    if let Some((mut split, of_photos)) = found {
        split.taken = accepted.split;
        for (photo, (label, part)) in placed.iter_mut().zip(of_photos) {
            photo.label = label;
            photo.split = part.filter(|_| accepted.split);
        }
        layout.split = Some(split);
    }

    let folders = distinct(&placed);
    if let Some((mut table, rows)) = table::find(&parts, tables, &placed, folders) {
        table.taken = accepted.table;
        if accepted.table {
            for (photo, row) in placed.iter_mut().zip(rows) {
                let (label, split) = row.unwrap_or_default();
                photo.label = label;
                photo.split = photo.split.or(split.filter(|_| accepted.split));
            }
        }
        layout.table = Some(table);
    } else if folders <= 1
        && let Some((classes, labels)) = names::find(&parts)
    {
        if accepted.names {
            for (photo, label) in placed.iter_mut().zip(labels) {
                photo.label = label;
            }
        }
        layout.names = Some(NamedClasses { classes, taken: accepted.names });
    }
    (layout, placed)
}

/// How many labels there are.
fn distinct(placed: &[Placed]) -> usize {
    let labels: std::collections::BTreeSet<&str> =
        placed.iter().filter_map(|photo| photo.label.as_deref()).collect();
    labels.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(paths: &[String], tables: &[(&str, &str)]) -> (Layout, Vec<Placed>) {
        placed_if(paths, tables, Accepted::default())
    }

    fn placed_if(
        paths: &[String],
        tables: &[(&str, &str)],
        accepted: Accepted,
    ) -> (Layout, Vec<Placed>) {
        let tables: Vec<TableFile> = tables
            .iter()
            .map(|(path, text)| TableFile { path: (*path).into(), bytes: text.as_bytes().into() })
            .collect();
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        recognise(&paths, &tables, accepted)
    }

    fn labels(placed: &[Placed]) -> Vec<&str> {
        let mut labels: Vec<&str> =
            placed.iter().map(|photo| photo.label.as_deref().unwrap_or("–")).collect();
        labels.sort_unstable();
        labels.dedup();
        labels
    }

    fn count(placed: &[Placed], split: Option<Split>) -> usize {
        placed.iter().filter(|photo| photo.split == split).count()
    }

    /// Six photos in each of these folders.
    fn in_folders(folders: &[&str]) -> Vec<String> {
        let photos = |folder: &&str| {
            let folder = folder.to_string();
            (0..6).map(move |number| format!("{folder}/{number}.jpg"))
        };
        folders.iter().flat_map(photos).collect()
    }

    #[test]
    fn an_authors_split_is_known_by_its_folders() {
        for (folders, sizes, classes) in [
            (
                ["d/train/cat", "d/train/dog", "d/valid/cat", "d/test/dog"],
                [12, 6, 6],
                ["cat", "dog"],
            ),
            (
                ["Training/cat", "Training/dog", "Validation/cat", "Testing/dog"],
                [12, 6, 6],
                ["cat", "dog"],
            ),
            (
                ["training_set/cat", "training_set/dog", "val_set/cat", "test_set/dog"],
                [12, 6, 6],
                ["cat", "dog"],
            ),
            (["cat/train", "cat/val", "cat/test", "dog/train"], [12, 6, 6], ["cat", "dog"]),
            (
                [
                    "seg_train/seg_train/cat",
                    "seg_train/seg_train/dog",
                    "seg_dev/seg_dev/cat",
                    "seg_test/seg_test/dog",
                ],
                [12, 6, 6],
                ["cat", "dog"],
            ),
            (["학습/고양이", "학습/개", "검증/개", "시험/고양이"], [12, 6, 6], ["개", "고양이"]),
        ] {
            let (layout, placed) = placed(&in_folders(&folders), &[]);
            assert!(layout.split.is_some_and(|split| split.taken), "{folders:?}");
            let counts = Split::ALL.map(|split| count(&placed, Some(split)));
            assert_eq!(counts, sizes, "{folders:?}");
            assert_eq!(labels(&placed), classes, "{folders:?}");
        }
    }

    #[test]
    fn a_validation_part_is_the_test_where_there_is_no_other() {
        let folders = in_folders(&["train/cat", "train/dog", "val/cat", "val/dog"]);
        let (layout, placed) = placed(&folders, &[]);
        assert!(layout.split.unwrap().validation_is_test);
        assert_eq!(Split::ALL.map(|split| count(&placed, Some(split))), [12, 0, 12]);
    }

    #[test]
    fn a_split_that_is_declined_leaves_the_classes() {
        let folders = in_folders(&["train/cat", "train/dog", "test/cat", "test/dog"]);
        let (layout, placed) =
            placed_if(&folders, &[], Accepted { split: false, ..Accepted::default() });
        assert!(!layout.split.unwrap().taken);
        assert_eq!((labels(&placed), count(&placed, None)), (vec!["cat", "dog"], 24));
    }

    #[test]
    fn classes_that_are_called_like_a_part_are_classes() {
        for folders in
            [["train", "car", "plane"], ["test", "car", "plane"], ["a/val", "a/b", "a/c"]]
        {
            let (layout, placed) = placed(&in_folders(&folders), &[]);
            assert_eq!(layout, Layout::default(), "{folders:?}");
            assert_eq!(labels(&placed).len(), 3);
        }
    }

    #[test]
    fn classes_are_read_out_of_names() {
        let files = |one: &str, other: &str, folder: &str| -> Vec<String> {
            let name = |pattern: &str, number: usize| {
                format!("{folder}{}.jpg", pattern.replace('#', &number.to_string()))
            };
            (0..8).flat_map(|number| [name(one, number), name(other, number)]).collect()
        };
        for (one, other) in [
            ("cat.#", "dog.#"),
            ("cat_00#", "dog_00#"),
            ("cat (#)", "dog (#)"),
            ("cat#", "dog#"),
            ("#_cat", "#_dog"),
            ("cat-#-a3f9c2", "dog-#-77fe01"),
        ] {
            for folder in ["", "animals/", "a/animals/"] {
                let (layout, placed) = placed(&files(one, other, folder), &[]);
                assert_eq!(labels(&placed), ["cat", "dog"], "{one}");
                assert_eq!(layout.names.unwrap().classes, ["cat", "dog"]);
            }
        }
        let (_, kept) = placed_if(
            &files("cat.#", "dog.#", "animals/"),
            &[],
            Accepted { names: false, ..Accepted::default() },
        );
        assert_eq!(labels(&kept), ["animals"]);
        let (_, split) = placed(
            &[files("cat.#", "dog.#", "train/"), files("cat.1#", "dog.1#", "test/")].concat(),
            &[],
        );
        assert_eq!(labels(&split), ["cat", "dog"]);
        assert_eq!(count(&split, Some(Split::Test)), 16);
    }

    #[test]
    fn cameras_and_hashes_are_no_classes() {
        for patterns in [
            ["IMG_#", "DSC_#"],
            ["photo #", "image #"],
            ["#", "1#"],
            ["100080576_f52e8ee0#_n", "10140303196_b88d3d6c#_m"],
            ["rose#", "rose_#"],
        ] {
            let files: Vec<String> = (0..8)
                .flat_map(|n| patterns.map(|p| format!("x/{}.jpg", p.replace('#', &n.to_string()))))
                .collect();
            let (layout, placed) = placed(&files, &[]);
            assert_eq!((layout.names, labels(&placed)), (None, vec!["x"]), "{patterns:?}");
        }
        let folders = in_folders(&["cat", "dog"]);
        assert_eq!(placed(&folders, &[]).0, Layout::default());
    }

    fn flat(count: usize) -> Vec<String> {
        (0..count).map(|number| format!("photos/{number:03}.png")).collect()
    }

    fn table(row: impl Fn(usize) -> String, head: &str, count: usize) -> String {
        let rows: Vec<String> = (0..count).map(row).collect();
        format!("{head}{}\n", rows.join("\r\n"))
    }

    #[test]
    fn labels_are_read_out_of_a_table() {
        let class = |number: usize| ["left", "right"][number % 2];
        for text in [
            table(|n| format!("{n:03}.png,{}", class(n)), "filename,label\n", 20),
            table(|n| format!("{n:03},{}", class(n)), "id,breed\n", 20),
            table(|n| format!("{n},{}", class(n)), "image_id,class\n", 20),
            table(|n| format!("{};photos/{n:03}.png;x{n}", class(n)), "Klasse;Bild;Notiz\n", 20),
            table(|n| format!("{n:03}.png\t{}", class(n)), "", 20),
            table(
                |n| format!("\"{n:03}.png\",\"{}\"", class(n)),
                "\u{feff}\"file\",\"label\"\n",
                20,
            ),
            table(|n| format!("{n:03},{},{}", 1 - n % 2, n % 2), "image,left,right\n", 20),
            table(|n| format!("{n:03}.PNG,{},3.5,{n}", class(n)), "image,target,size,width\n", 20),
        ] {
            let (layout, photos) = placed(&flat(20), &[("photos/labels.csv", &text)]);
            let found = layout.table.unwrap_or_else(|| panic!("no table in\n{text}"));
            assert_eq!((found.photos, found.taken), (20, true), "{text}");
            assert_eq!(labels(&photos), ["left", "right"], "{text}");
            assert_eq!(photos[1].label.as_deref(), Some("right"), "{text}");
        }
    }

    #[test]
    fn a_table_may_be_declined_may_tell_of_the_split_and_may_be_of_something_else() {
        let text = table(
            |n| format!("{n:03}.png,{},{}", ["a", "b"][n % 2], ["train", "test"][n / 15]),
            "file,label,split\n",
            20,
        );
        let tables = [("labels.csv", text.as_str())];
        let (_, photos) = placed(&flat(22), &tables);
        assert_eq!(
            (count(&photos, Some(Split::Train)), labels(&photos)),
            (15, vec!["a", "b", "–"])
        );
        let declined = Accepted { table: false, ..Accepted::default() };
        let (layout, photos) = placed_if(&flat(22), &tables, declined);
        assert!(!layout.table.unwrap().taken);
        assert_eq!(labels(&photos), ["photos"]);

        // What folders say stays, where a table only repeats it or is about something else.
        let folders = in_folders(&["cat", "dog"]);
        let name = |n: usize| format!("{}/{}.jpg", ["cat", "dog"][n / 6], n % 6);
        let repeats =
            table(|n| format!("{},{}", name(n), ["cat", "dog"][n / 6]), "file,label\n", 12);
        let licences =
            table(|n| format!("{},{}", name(n), ["free", "bought"][n % 2]), "file,licence\n", 12);
        for text in [repeats, licences, "just,some\ntext,here\n".into(), String::new()] {
            let (layout, photos) = placed(&folders, &[("notes.csv", &text)]);
            assert_eq!((layout.table, labels(&photos)), (None, vec!["cat", "dog"]), "{text}");
        }
    }

    #[test]
    fn a_table_outdoes_folders_that_only_hold_parts() {
        let photos = in_folders(&["HAM_images_part_1", "HAM_images_part_2/x"]);
        let photos: Vec<String> = photos
            .iter()
            .enumerate()
            .map(|(n, path)| path.replace(".jpg", &format!("_{n}.jpg")))
            .collect();
        let row = |n: usize| format!("{}_{n},{}", n % 6, ["mel", "nv"][n % 2]);
        let text = table(row, "image_id,dx\n", 12);
        let (layout, placed) = placed(&photos, &[("HAM_metadata.csv", &text)]);
        assert!(layout.table.is_some());
        assert_eq!(labels(&placed), ["mel", "nv"]);
    }
}
