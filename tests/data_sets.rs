//! Small data sets that people really bring, read as the page and the terminal read them. They lie beside the project, and
//! where they do not these tests say so and end.

#![cfg(feature = "cli")]

use floret::data::folder::{Loaded, load};
use floret::data::library::Library;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

/// A data set read, or nothing where the data sets are not there.
fn read(name: &str) -> Option<(Library, Loaded)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/cases");
    let path = folder.join(name);
    if !path.exists() {
        println!("skipped: there is no {}", path.display());
        return None;
    }
    let mut library = Library::new(80, 1 << 30).expect("a size in range");
    let loaded = load(&path, &mut library, 2, &mut |_| {}, &AtomicBool::new(false))
        .expect("an archive that is whole");
    Some((library, loaded))
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
        let Some((library, loaded)) = read(archive) else { return };
        assert_eq!(counts(&library), of(&classes));
        assert_eq!(loaded.skipped, []);
    }
}

#[test]
fn leftovers_of_systems_and_disks_are_passed_over() {
    for (archive, classes) in
        [("eadir.zip", [("a", 6), ("b", 6)]), ("backslashes.zip", [("left", 12), ("right", 12)])]
    {
        let Some((library, loaded)) = read(archive) else { return };
        assert_eq!(counts(&library), of(&classes), "{archive}");
        assert_eq!(loaded.skipped, [], "{archive}");
    }
}

#[test]
fn every_format_is_read_or_refused_in_plain_words() {
    let Some((library, loaded)) = read("formats.zip") else { return };
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
