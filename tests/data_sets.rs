//! Small data sets that people really bring, drawn: what the terminal and the engine make of them.

#![cfg(feature = "cli")]

use floret::data::folder::{Loaded, load_laid_out};
use floret::data::groups;
use floret::data::layout::Accepted;
use floret::data::library::Library;
use floret::data::photo::Split;
use floret::data::split::Ratios;
use floret::data::warnings::{Warning, before_training};
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::AtomicBool;

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(name)
}

/// A data set read, as it is laid out.
fn read(name: &str) -> (Library, Loaded) {
    read_if(name, Accepted::default())
}

fn read_if(name: &str, accepted: Accepted) -> (Library, Loaded) {
    let mut library = Library::new(80, 1 << 30).expect("a size in range");
    let never = AtomicBool::new(false);
    let loaded = load_laid_out(&path(name), &mut library, 2, accepted, &mut |_| {}, &never)
        .expect("an archive that is whole");
    (library, loaded)
}

/// A data set read and split, and what is to be known of it.
fn split(name: &str) -> (Library, Vec<Warning>) {
    let (mut library, _) = read(name);
    let groups = groups::record(&mut library).expect("photos of the library's size");
    library.assign_splits(1, &Ratios::default()).expect("the usual ratios");
    let warnings = before_training(&library, &groups);
    (library, warnings)
}

/// The parts of a split: photos to learn from, to watch, to test.
fn sizes(library: &Library) -> [usize; 3] {
    Split::ALL.map(|split| library.indices(split).len())
}

fn strings(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).into()).collect()
}

/// What `floret train` says on stderr, and its result as JSON.
fn trained(name: &str, options: &[&str]) -> (String, serde_json::Value) {
    let out = std::env::temp_dir().join(format!("floret-{name}-{}", std::process::id()));
    let output = Command::new(env!("CARGO_BIN_EXE_floret"))
        .args(["train", path(name).to_str().expect("a plain path"), "--json", "--out"])
        .arg(&out)
        .args(options)
        .output()
        .expect("the program runs");
    // A file that stays behind in the temporary directory harms nobody.
    let _ = std::fs::remove_file(&out);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    (said, serde_json::from_slice(&output.stdout).expect("JSON on stdout"))
}

fn counts(library: &Library) -> Vec<(String, usize)> {
    library.counts().into_iter().map(|class| (class.label, class.total)).collect()
}

fn of(classes: &[(&str, usize)]) -> Vec<(String, usize)> {
    classes.iter().map(|(label, total)| (label.to_string(), *total)).collect()
}

#[test]
fn class_folders_are_named_in_their_own_alphabet() {
    for (archive, classes) in [
        ("names_cp850.zip", [("Gänseblümchen", 6), ("Löwenzähne", 6)]),
        ("names_shift_jis.zip", [("たんぽぽの花", 6), ("ひなぎく", 6)]),
    ] {
        let (library, loaded) = read(archive);
        assert_eq!(counts(&library), of(&classes));
        assert_eq!(loaded.skipped, []);
    }
}

#[test]
fn leftovers_of_systems_and_disks_are_passed_over() {
    for (archive, classes) in
        [("eadir.zip", [("a", 6), ("b", 6)]), ("backslashes.zip", [("left", 12), ("right", 12)])]
    {
        let (library, loaded) = read(archive);
        assert_eq!(counts(&library), of(&classes), "{archive}");
        assert_eq!(loaded.skipped, [], "{archive}");
    }
}

#[test]
fn every_format_is_read_or_refused_in_plain_words() {
    let (library, loaded) = read("formats.zip");
    let mut skipped: Vec<(&str, &str)> =
        loaded.skipped.iter().map(|file| (&*file.name, file.reason.key())).collect();
    skipped.sort_unstable();
    let expected = [
        ("a/av.avif", "reason.avif"),
        ("a/empty.jpg", "reason.empty"),
        ("a/html.jpg", "reason.no_image"),
        ("a/trunc.jpg", "reason.damaged"),
    ];
    assert_eq!(skipped, expected);
    assert_eq!(counts(&library), of(&[("a", 27), ("b", 12)]));
    let photo = |name: &str| {
        let index = library.photos().iter().position(|photo| photo.name == name).unwrap();
        let photo = &library.photos()[index];
        (photo.width, photo.height, library.photo_pixels(index).unwrap())
    };
    for (name, width, height) in
        [("a/1x1.png", 1, 1), ("a/wide.png", 4000, 3), ("a/exif6.jpg", 96, 96)]
    {
        assert_eq!((photo(name).0, photo(name).1), (width, height), "{name}");
    }
    let (_, _, transparent) = photo("a/transparent.png");
    assert!(transparent.iter().all(|&byte| byte == 255), "what is transparent lies on white");
    // One picture in several formats looks the same in all of them.
    let (_, _, reference) = photo("a/b.bmp");
    for name in ["a/t.tif", "a/x.jpg", "a/cmyk.jpg", "a/w.webp", "a/palette.png"] {
        let (_, _, pixels) = photo(name);
        let sum: f64 = reference.iter().zip(pixels).map(|(a, b)| f64::from(a.abs_diff(*b))).sum();
        let mean = sum / reference.len() as f64;
        assert!(mean < 5.0, "{name} is {mean:.1} levels from the BMP on average");
    }
}

#[test]
fn the_authors_split_is_taken_and_can_be_declined() {
    let (library, warnings) = split("split_by_author.zip");
    assert_eq!(counts(&library), of(&[("left", 60), ("right", 60)]));
    assert_eq!((sizes(&library), warnings), ([40, 40, 40], vec![]));
    let in_test = library.indices(Split::Test).into_iter();
    assert!(in_test.map(|at| &library.photos()[at].path).all(|path| path.contains("/test/")));

    let declined = Accepted { split: false, ..Accepted::default() };
    let (mut library, loaded) = read_if("split_by_author.zip", declined);
    assert!(!loaded.layout.split.expect("it is told all the same").taken);
    library.assign_splits(1, &Ratios::default()).expect("the usual ratios");
    assert_eq!(sizes(&library), [96, 6, 18]);
}

#[test]
fn labels_are_read_out_of_a_table_and_out_of_names() {
    let (library, loaded) = read("table_of_labels.zip");
    assert_eq!(library.classes(), ["left", "right"]);
    assert_eq!(library.all_indices().len(), 30);
    let table = loaded.layout.table.expect("a table");
    assert_eq!((table.names, table.column), (strings(&["labels.csv"]), Some("label".into())));
    assert_eq!(loaded.skipped, []);
    let declined = Accepted { table: false, ..Accepted::default() };
    assert_eq!(read_if("table_of_labels.zip", declined).0.classes(), ["flatcsv"]);

    let (library, loaded) = read("class_in_name.zip");
    assert_eq!(counts(&library), of(&[("cat", 20), ("dog", 20)]));
    assert_eq!(loaded.layout.names.expect("classes").classes, ["cat", "dog"]);
    let declined = Accepted { names: false, ..Accepted::default() };
    assert_eq!(read_if("class_in_name.zip", declined).0.classes(), ["flatprefix"]);
}

#[test]
fn what_says_nothing_is_told_before_training() {
    let class = "rose".into();
    let (_, warnings) = split("one_class.zip");
    assert_eq!(warnings, [Warning::OneClass { class }, Warning::FewTestPhotos { photos: 3 }]);
    let (library, warnings) = split("tiny.zip");
    assert_eq!(
        (sizes(&library), warnings),
        ([6, 0, 2], vec![Warning::FewTestPhotos { photos: 2 }])
    );
    let (_, warnings) = split("same_pictures.zip");
    let classes = strings(&["black", "white"]);
    let expected = [
        Warning::SamePicture { classes: classes.clone() },
        Warning::LeftOut { photos: 38, left: 2 },
        Warning::NoTest { classes, all: true },
    ];
    assert_eq!(warnings, expected);
}

#[test]
fn no_percentage_is_shown_of_nothing() {
    let (said, result) = trained("same_pictures.zip", &["--epochs", "1"]);
    assert!(said.contains("38 files were left out"), "{said}");
    assert!(said.contains("No photo is held back for the test"), "{said}");
    assert!(said.contains("accuracy = –"), "{said}");
    assert!(result["test"]["accuracy"].is_null() && result["test"]["loss"].is_null());
    assert_eq!(result["warnings"][0]["kind"], "same_picture");

    let (said, result) = trained("one_class.zip", &["--epochs", "1"]);
    assert!(said.contains("one class leaves nothing to tell apart"), "{said}");
    assert!(result["test"]["accuracy"].is_null());

    let (said, result) = trained("tiny.zip", &["--epochs", "1"]);
    assert!(said.contains("2 test photos say little"), "{said}");
    assert_eq!(result["test"]["interval"]["wide"], true);
}

#[test]
fn left_is_not_right() {
    let (mut library, _) = read("arrows.zip");
    let verdict = library.record_mirror().expect("photos of the library's size");
    assert!(!verdict.allowed, "{verdict:?}");
    let (library, warnings) = split("arrows.zip");
    assert_eq!(warnings, []);
    assert!(library.counts().iter().all(|class| class.test >= 10), "{:?}", library.counts());

    let (said, result) = trained("arrows.zip", &["--epochs", "10"]);
    assert!(said.contains("Photos are not mirrored: left and right tell"), "{said}");
    assert_eq!(result["recipe"]["mirror"], false);
    assert_eq!(result["recipe"]["augmentation"]["flip"], false);
    let accuracy = result["test"]["accuracy"].as_f64().expect("a test");
    assert!(accuracy >= 0.95, "{accuracy}");

    let (said, result) = trained("arrows.zip", &["--epochs", "1", "--mirror", "yes"]);
    assert!(said.contains("Photos are mirrored, as was asked for."), "{said}");
    assert_eq!(result["recipe"]["mirror"], true);
}
