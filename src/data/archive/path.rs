//! What a path in a folder or an archive says: a label, a name, or that it is clutter.

use super::super::names::composed;

/// The folders and the file of a path, either slash; `.`, `..` and empty parts say nothing.
pub fn parts(path: &str) -> Vec<&str> {
    path.split(['/', '\\'])
        .map(str::trim)
        .filter(|part| !part.is_empty() && *part != "." && *part != "..")
        .collect()
}

/// The label of a photo at this path: the name of the folder that directly holds it.
///
/// ```
/// use floret::data::archive::label_of;
/// assert_eq!(label_of("photos/2024/rose/1.jpg"), Some("rose".into()));
/// assert_eq!(label_of("1.jpg"), None);
/// ```
pub fn label_of(path: &str) -> Option<String> {
    match parts(path)[..] {
        [.., folder, _] => Some(composed(folder)),
        _ => None,
    }
}

/// Whether a path is that of a table: .csv or .tsv.
pub fn is_table(path: &str) -> bool {
    let ending = path.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    matches!(ending.as_str(), "csv" | "tsv")
}

/// A name for people: the folder that directly holds the file, and the file.
pub fn name_of(path: &str) -> String {
    let parts = parts(path);
    let name = composed(&parts[parts.len().saturating_sub(2)..].join("/"));
    name.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// Folders that systems, disks of networks and programs for photos keep for themselves, in small letters.
const CLUTTER_FOLDERS: [&str; 8] = [
    "__macosx",
    "@eadir",
    "#recycle",
    "@recycle",
    "@__thumb",
    "$recycle.bin",
    "system volume information",
    "lost+found",
];

/// Files of the same kind.
const CLUTTER_FILES: [&str; 7] =
    ["thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "picasa.ini", "icon\r", ""];

/// Whether a path is something that systems and disks leave behind, thumbnails among it, to be passed over in silence.
pub fn is_clutter(path: &str) -> bool {
    let parts = parts(path);
    let [folders @ .., file] = parts.as_slice() else { return true };
    let kept = |part: &&str| {
        part.starts_with('.') || CLUTTER_FOLDERS.contains(&part.to_lowercase().as_str())
    };
    let file_name = file.to_lowercase();
    // Network disks also put their thumbnails right beside the photos.
    folders.iter().any(kept)
        || file.starts_with('.')
        || CLUTTER_FILES.contains(&file_name.as_str())
        || CLUTTER_FOLDERS.contains(&file_name.as_str())
        || file_name.starts_with("synophoto_thumb")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_only_names() {
        for (path, label, name) in [
            ("rose/1.jpg", Some("rose"), "rose/1.jpg"),
            ("a\\b\\장미\\1.jpg", Some("장미"), "장미/1.jpg"),
            ("a/\u{110c}\u{1161}\u{11bc}\u{1106}\u{1175}/1.jpg", Some("장미"), "장미/1.jpg"),
            ("../../etc/passwd", Some("etc"), "etc/passwd"),
            ("/1.jpg", None, "1.jpg"),
            ("../1.jpg", None, "1.jpg"),
            ("./rose//./1.jpg", Some("rose"), "rose/1.jpg"),
            ("ro\u{7}se/1.jpg", Some("ro\u{7}se"), "ro\u{fffd}se/1.jpg"),
            ("", None, ""),
        ] {
            assert_eq!(label_of(path).as_deref(), label, "{path}");
            assert_eq!(name_of(path), name, "{path}");
        }
    }

    #[test]
    fn clutter_is_known() {
        for path in [
            "__MACOSX/a/b.jpg",
            "a/.DS_Store",
            ".git/a.jpg",
            "a/Thumbs.db",
            "a/desktop.ini",
            "a/@eaDir/1.jpg/SYNOPHOTO_THUMB_M.jpg",
            "a/.thumbnails/1.jpg",
            "$RECYCLE.BIN/a/1.jpg",
            "a/.@__thumb/1.jpg",
            "/",
        ] {
            assert!(is_clutter(path), "{path}");
        }
        for path in ["a/b.jpg", "a/../b.jpg", "a.b/c.jpg", "thumbs/1.jpg", "recycle/1.jpg"] {
            assert!(!is_clutter(path), "{path}");
        }
    }
}
