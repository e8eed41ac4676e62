//! Photos of a folder of class folders, or of an archive of the same, into a library; for the terminal.
//!
//! Files are decoded on several threads and added in a fixed order: by path, or as they lie in the archive.

use super::archive::{self, Archive, Item, Limits, PhotoFile, TableFile, is_table};
use super::image_kind::sniff;
use super::intake::{Intake, Outcome};
use super::layout::{self, Accepted, Layout};
use super::library::Library;
use super::photo::Skipped;
use crate::error::{Error, Result, Words, unreadable};
use serde::Serialize;
use std::collections::VecDeque;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// What became of the files.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Loaded {
    /// Photos added.
    pub added: usize,
    /// Files whose content was there already, under the same label.
    pub duplicates: Vec<String>,
    /// Files that are no photos or broken, and why.
    pub skipped: Vec<Skipped>,
    /// How the photos are laid out, beyond one folder a class.
    pub layout: Layout,
}

/// How far loading is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Files dealt with.
    pub done: usize,
    /// Bytes of the folder's files or of the archive that are dealt with; an archive may not tell how many files it has.
    pub bytes: u64,
    /// Bytes in all.
    pub total_bytes: u64,
}

/// Loads a folder or archive into the library. A photo's label is the name of the folder that directly holds it, unless
/// the [`layout`] of all says otherwise. `threads` of them decode; `progress` is told after every file; `cancelled` stops the work.
///
/// # Errors
/// [`Error::File`] if `path` cannot be read, [`Error::Archive`] if it is a file but no whole archive,
/// [`Error::PhotoMemory`] if the photos do not fit, [`Error::Cancelled`]. Photos added by then stay in the library.
pub fn load(
    path: &Path,
    library: &mut Library,
    threads: usize,
    progress: &mut dyn FnMut(Progress),
    cancelled: &AtomicBool,
) -> Result<Loaded> {
    load_laid_out(path, library, threads, Accepted::default(), progress, cancelled)
}

/// As [`load`]; of the data set's own arrangement only what is `accepted` is taken.
///
/// # Errors
/// As [`load`].
pub fn load_laid_out(
    path: &Path,
    library: &mut Library,
    threads: usize,
    accepted: Accepted,
    progress: &mut dyn FnMut(Progress),
    cancelled: &AtomicBool,
) -> Result<Loaded> {
    let (mut files, total_bytes) = Files::open(path)?;
    let mut intake = Intake::new(library.stored_size(), threads);
    let mut tables = Vec::new();
    let mut loaded = Loaded::default();
    let mut done = 0;
    // For each file under way, the bytes that are dealt with once it is.
    let mut places = VecDeque::new();
    let before = library.photos().len();
    let mut add = |outcome: Outcome, bytes: Option<u64>| {
        // Asked before each photo: many may have waited for this one.
        if cancelled.load(Ordering::Relaxed) {
            return Err(Error::Cancelled);
        }
        let foreign = outcome.add_to(library, &mut loaded.skipped, &mut loaded.duplicates)?;
        if let Some(file) = foreign {
            let reason = sniff(&file.bytes).ok().and_then(|kind| kind.foreign());
            let reason = reason.unwrap_or_else(|| Words::of("reason.no_image"));
            loaded.skipped.push(Skipped { name: file.name.into(), reason });
        }
        done += 1;
        progress(Progress { done, bytes: bytes.unwrap_or(total_bytes), total_bytes });
        Ok(())
    };
    let mut failure = None;
    loop {
        let before_file = intake.handed_in();
        match files.submit_next(&mut intake, &mut tables) {
            Ok(Some(place)) => {
                // A table is no file under way.
                if intake.handed_in() > before_file {
                    places.push_back(place);
                }
            }
            Ok(None) => break,
            // What came before the damage is added first.
            Err(error) => {
                failure = Some(error);
                break;
            }
        }
        while let Some(outcome) = intake.next_done() {
            add(outcome, places.pop_front())?;
        }
        while !intake.has_room() {
            let Some(outcome) = intake.wait() else { break };
            add(outcome, places.pop_front())?;
        }
        if cancelled.load(Ordering::Relaxed) {
            return Err(Error::Cancelled);
        }
    }
    while let Some(outcome) = intake.wait() {
        add(outcome, places.pop_front())?;
    }
    loaded.added = library.photos().len() - before;
    loaded.layout = layout::arrange(library, &tables, accepted);
    match failure {
        Some(error) => Err(error),
        None if cancelled.load(Ordering::Relaxed) => Err(Error::Cancelled),
        None => Ok(loaded),
    }
}

/// Files still to be handed in.
enum Files {
    Folder { root: PathBuf, paths: std::vec::IntoIter<(PathBuf, u64)>, bytes: u64 },
    Archive(Archive),
}

impl Files {
    /// Opens a folder or archive; gives its bytes in all too.
    fn open(path: &Path) -> Result<(Self, u64)> {
        if !path.is_dir() {
            let file = File::open(path).map_err(|error| Error::file(path, &error))?;
            let bytes = file.metadata().map_err(|error| Error::file(path, &error))?.len();
            let archive = Archive::open(&path.to_string_lossy(), file, Limits::default())?;
            return Ok((Self::Archive(archive), bytes));
        }
        let mut paths = Vec::new();
        for entry in walkdir::WalkDir::new(path).follow_links(true).sort_by_file_name() {
            let entry = entry.map_err(|error| Error::file(path, &error.into()))?;
            let relative = entry.path().strip_prefix(path).unwrap_or(entry.path());
            if entry.file_type().is_file() && !archive::is_clutter(&relative.to_string_lossy()) {
                // A file that cannot even be asked for its size is listed when it is read.
                let bytes = entry.metadata().map_or(0, |metadata| metadata.len());
                paths.push((entry.into_path(), bytes));
            }
        }
        let bytes = paths.iter().map(|(_, bytes)| bytes).sum();
        Ok((Self::Folder { root: path.into(), paths: paths.into_iter(), bytes: 0 }, bytes))
    }

    /// Hands in the next file; gives the bytes that are dealt with once it is, or nothing at the end.
    fn submit_next(
        &mut self,
        intake: &mut Intake,
        tables: &mut Vec<TableFile>,
    ) -> Result<Option<u64>> {
        match self {
            Self::Folder { root, paths, bytes } => {
                let Some((path, size)) = paths.next() else { return Ok(None) };
                let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
                *bytes += size;
                if is_table(&name) {
                    match read_file(&path) {
                        Ok(bytes) => tables.push(TableFile { path: name, bytes }),
                        Err(reason) => intake.skip(Skipped { name: name.into(), reason }),
                    }
                } else {
                    intake.submit(size as usize, move || match read_file(&path) {
                        Ok(bytes) => Ok(PhotoFile { path: name.clone(), name, bytes }),
                        Err(reason) => Err(Skipped { name: name.into(), reason }),
                    });
                }
                Ok(Some(*bytes))
            }
            Self::Archive(archive) => {
                match archive.next().transpose()? {
                    None => return Ok(None),
                    Some(Item::Skipped(skipped)) => intake.skip(skipped),
                    Some(Item::Photo(file)) => intake.submit(file.bytes.len(), || Ok(file)),
                    Some(Item::Table(file)) => tables.push(file),
                }
                Ok(Some(archive.bytes_read()))
            }
        }
    }
}

fn read_file(path: &Path) -> std::result::Result<Vec<u8>, Words> {
    let limit = Limits::default().photo_bytes;
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(limit + 1).read_to_end(&mut bytes))
        .map_err(|error| unreadable(&error))?;
    if bytes.len() as u64 > limit {
        return Err(Words::of("reason.larger_than").with("mib", limit >> 20));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Cursor, Write};

    fn png(shade: u8) -> Vec<u8> {
        let picture = image::RgbImage::from_pixel(20, 10, image::Rgb([shade, 0, 0]));
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
        bytes.into_inner()
    }

    /// A folder of two classes with a copy, a text and a broken photo, removed when dropped.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let root = std::env::temp_dir().join(format!("floret-{name}-{}", std::process::id()));
            for (path, bytes) in Self::files() {
                let path = root.join("flowers").join(path);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, bytes).unwrap();
            }
            Self(root)
        }

        fn files() -> Vec<(String, Vec<u8>)> {
            let photos =
                (0..20).map(|i| (format!("{}/{i:02}.png", ["rose", "tulip"][i % 2]), png(i as u8)));
            let others = [
                ("rose/90 copy.png", png(2)),
                ("rose/91.txt", b"text".to_vec()),
                ("rose/92.png", png(3)[..30].to_vec()),
                ("rose/.hidden", vec![]),
            ];
            photos.chain(others.map(|(path, bytes)| (path.into(), bytes))).collect()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            // A folder that stays behind in the temporary directory harms nobody.
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn load_with(path: &Path, threads: usize) -> (Library, Loaded) {
        let mut library = Library::new(8, 1 << 20).unwrap();
        let loaded =
            load(path, &mut library, threads, &mut |_| {}, &AtomicBool::new(false)).unwrap();
        (library, loaded)
    }

    #[test]
    fn a_folder_is_loaded_alike_on_any_number_of_threads() {
        let folder = Folder::new("threads");
        let (one, loaded) = load_with(&folder.0, 1);
        assert_eq!(loaded.added, 20);
        assert_eq!(loaded.duplicates, ["flowers/rose/90 copy.png"]);
        let skipped: Vec<&str> = loaded.skipped.iter().map(|s| &*s.name).collect();
        assert_eq!(skipped, ["flowers/rose/91.txt", "flowers/rose/92.png"]);
        assert_eq!(one.classes(), ["rose", "tulip"]);
        assert_eq!((one.photos()[0].width, one.photos()[0].height), (20, 10));
        let (four, again) = load_with(&folder.0, 4);
        assert_eq!((one.photos(), one.pages(), loaded), (four.photos(), four.pages(), again));
    }

    #[test]
    fn an_archive_is_loaded_like_the_folder() {
        let folder = Folder::new("archive");
        let path = folder.0.join("flowers.zip");
        let mut zip = zip::ZipWriter::new(File::create(&path).unwrap());
        let mut files = Folder::files();
        files.sort();
        for (name, bytes) in files {
            zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
            zip.write_all(&bytes).unwrap();
        }
        zip.finish().unwrap();
        let (from_archive, loaded) = load_with(&path, 2);
        let (from_folder, _) = load_with(&folder.0.join("flowers"), 2);
        assert_eq!(from_archive.photos(), from_folder.photos());
        assert_eq!(from_archive.pages(), from_folder.pages());
        assert_eq!(loaded.skipped.len(), 2);
    }

    #[test]
    fn progress_is_told_and_cancelling_stops() {
        let folder = Folder::new("cancel");
        let mut library = Library::new(8, 1 << 20).unwrap();
        let cancelled = AtomicBool::new(false);
        let mut seen = Vec::new();
        let mut progress = |progress: Progress| {
            seen.push(progress);
            if seen.len() == 5 {
                cancelled.store(true, Ordering::Relaxed);
            }
        };
        let result = load(&folder.0, &mut library, 2, &mut progress, &cancelled);
        assert_eq!(result, Err(Error::Cancelled));
        assert_eq!(seen[4].done, 5);
        assert!(seen[4].bytes > seen[3].bytes && seen[4].bytes < seen[4].total_bytes, "{seen:?}");
        assert_eq!(library.photos().len(), 5);
    }

    #[test]
    fn too_little_memory_and_missing_paths_are_errors() {
        let folder = Folder::new("memory");
        let mut library = Library::new(8, 1000).unwrap();
        let mut load =
            |path: &Path| load(path, &mut library, 2, &mut |_| {}, &AtomicBool::new(false));
        assert!(matches!(load(&folder.0), Err(Error::PhotoMemory { .. })));
        assert!(matches!(load(&folder.0.join("missing")), Err(Error::File { .. })));
        assert!(matches!(load(&folder.0.join("flowers/rose/91.txt")), Err(Error::Archive { .. })));
    }
}
