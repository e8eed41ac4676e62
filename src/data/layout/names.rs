//! Classes in the names of files that lie in one folder: `cat.0.jpg`, `dog_12.png`, `0007-left.jpg`.

use super::super::names::composed;
use std::collections::BTreeMap;

/// Names that cameras, phones and programs give, in small letters.
const GENERIC: [&str; 34] = [
    "img",
    "image",
    "images",
    "imagem",
    "dsc",
    "dscn",
    "dscf",
    "dcim",
    "pxl",
    "mvimg",
    "vid",
    "video",
    "photo",
    "photos",
    "pic",
    "pict",
    "picture",
    "pano",
    "screenshot",
    "screen",
    "scan",
    "frame",
    "frames",
    "capture",
    "whatsapp image",
    "untitled",
    "download",
    "file",
    "gopr",
    "snapshot",
    "사진",
    "이미지",
    "스크린샷",
    "bild",
];

/// Share of the files whose names must show a class.
const MOST: f64 = 0.9;
/// The fewest files a class.
const FEWEST: usize = 2;
/// How many files a class there are at least on average.
const AVERAGE: usize = 3;

/// The classes that names of files show, sorted, and each file's class; none where they show fewer than two.
pub fn find(paths: &[Vec<&str>]) -> Option<(Vec<String>, Vec<Option<String>>)> {
    let words: Vec<Option<String>> =
        paths.iter().map(|path| path.last().and_then(|file| word_of(file))).collect();
    // Small and capital letters make no difference; the first spelling stays.
    let mut classes = BTreeMap::<String, (String, usize)>::new();
    for word in words.iter().flatten() {
        let class = classes.entry(word.to_lowercase()).or_insert_with(|| (word.clone(), 0));
        class.1 += 1;
    }
    classes.retain(|_, (_, files)| *files >= FEWEST);
    let covered: usize = classes.values().map(|(_, files)| files).sum();
    if classes.len() < 2
        || covered < AVERAGE * classes.len()
        || (covered as f64) < MOST * paths.len() as f64
    {
        return None;
    }
    let class_of = |word: &Option<String>| {
        let (class, _) = classes.get(&word.as_ref()?.to_lowercase())?;
        Some(class.clone())
    };
    let labels = words.iter().map(class_of).collect();
    let mut classes: Vec<String> = classes.values().map(|(class, _)| class.clone()).collect();
    classes.sort_unstable();
    Some((classes, labels))
}

/// The word in a name that may be a class: what is before the numbers in it, or behind those that it begins with.
fn word_of(file: &str) -> Option<String> {
    let file = composed(file);
    let stem = file.rfind('.').map_or(file.as_str(), |dot| &file[..dot]);
    let is_between = |c: char| c.is_whitespace() || "._-()[]#+,~".contains(c);
    let (mut start, mut end) = (None, 0);
    let mut from = 0;
    for token in stem.split(is_between) {
        let at = from;
        from += token.len() + stem[from + token.len()..].chars().next().map_or(0, char::len_utf8);
        let letters = token.trim_end_matches(|c: char| c.is_ascii_digit());
        let has_digits = letters.chars().any(|c| c.is_ascii_digit());
        match start {
            // Numbers may come first; anything else that is no word ends the search.
            None if letters.is_empty() => continue,
            None if has_digits => return None,
            None => start = Some(at),
            Some(_) if letters.is_empty() || has_digits => break,
            Some(_) => {}
        }
        end = at + letters.len();
        if letters.len() < token.len() {
            break;
        }
    }
    let word = stem.get(start?..end)?;
    let generic = word.to_lowercase();
    let is_generic = GENERIC.contains(&generic.as_str())
        || generic.split(is_between).all(|w| GENERIC.contains(&w));
    (!is_generic).then(|| word.to_owned())
}
