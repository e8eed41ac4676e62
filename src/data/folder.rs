//! Photos of a folder of class folders, or of an archive of the same, into a library; for the terminal.
//!
//! Files are decoded on several threads and added in a fixed order: by path, or as they lie in the archive.

use super::archive::{self, Archive, Item, Limits, PhotoFile};
use super::decode::decode;
use super::library::{Added, Library};
use super::photo::{Photo, PhotoId, Skipped};
use super::resize::resize;
use crate::error::{Error, Result};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};

/// Files that may wait for a thread, and results that may wait to be added; bounds memory.
const QUEUE: usize = 16;

/// What became of the files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Loaded {
    /// Photos added.
    pub added: usize,
    /// Files whose content was there already, under the same label.
    pub duplicates: Vec<String>,
    /// Files that are no photos or broken, and why.
    pub skipped: Vec<Skipped>,
}

/// How far loading is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Files dealt with.
    pub done: usize,
    /// Files in all, where that is known.
    pub total: Option<usize>,
}

/// Loads a folder or archive into the library. A photo's label is the name of the folder that directly holds it.
/// `threads` of them decode; `progress` is told after every file; `cancelled` stops the work.
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
    let source = open(path)?;
    let total = source.total();
    let stored_size = library.stored_size();
    let (jobs, waiting) = sync_channel::<(usize, Job)>(QUEUE);
    let (results, finished) = sync_channel::<(usize, Result<Outcome>)>(QUEUE);
    // The threads alone hold the queue, so that the sender stops when they do.
    let waiting = Arc::new(Mutex::new(waiting));
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            let (results, waiting) = (results.clone(), waiting.clone());
            scope.spawn(move || work(&waiting, &results, stored_size));
        }
        drop((results, waiting));
        scope.spawn(move || source.send(&jobs, cancelled));
        let loaded = collect(&finished, library, total, progress, cancelled);
        // Threads that still hold results stop when nobody takes them.
        drop(finished);
        loaded
    })
}

/// What a thread makes of a file: the photo with its stored pixels, or why it is left out.
enum Outcome {
    Photo(Photo, Vec<u8>),
    Skipped(Skipped),
}

/// A file still to be read, or one out of an archive.
enum Job {
    Path { path: PathBuf, name: String },
    Item(Result<Item>),
}

enum Files {
    Folder { root: PathBuf, paths: Vec<PathBuf> },
    Archive { path: PathBuf, entries: Option<usize> },
}

fn open(path: &Path) -> Result<Files> {
    if !path.is_dir() {
        let entries = open_archive(path)?.entries();
        return Ok(Files::Archive { path: path.into(), entries });
    }
    let mut paths = Vec::new();
    for entry in walkdir::WalkDir::new(path).follow_links(true).sort_by_file_name() {
        let entry = entry.map_err(|error| file_error(path, &error))?;
        let relative = entry.path().strip_prefix(path).unwrap_or(entry.path());
        if entry.file_type().is_file() && !archive::is_clutter(&relative.to_string_lossy()) {
            paths.push(entry.into_path());
        }
    }
    Ok(Files::Folder { root: path.into(), paths })
}

fn open_archive(path: &Path) -> Result<Archive> {
    let file = File::open(path).map_err(|error| file_error(path, &error))?;
    Archive::open(&path.to_string_lossy(), file, Limits::default())
}

impl Files {
    fn total(&self) -> Option<usize> {
        match self {
            Self::Folder { paths, .. } => Some(paths.len()),
            Self::Archive { entries, .. } => *entries,
        }
    }

    /// Sends numbered files until all are sent, the work is cancelled, or nobody takes them any more.
    fn send(self, jobs: &SyncSender<(usize, Job)>, cancelled: &AtomicBool) {
        let send = |(number, job): (usize, Job)| {
            !cancelled.load(Ordering::Relaxed) && jobs.send((number, job)).is_ok()
        };
        match self {
            Self::Folder { root, paths } => {
                let job = |path: PathBuf| {
                    let name = path.strip_prefix(&root).unwrap_or(&path).to_string_lossy().into();
                    Job::Path { name, path }
                };
                paths.into_iter().map(job).enumerate().all(send);
            }
            // Opened again here: an archive being read stays on its thread.
            Self::Archive { path, .. } => match open_archive(&path) {
                Ok(archive) => {
                    archive.map(Job::Item).enumerate().all(send);
                }
                Err(error) => {
                    send((0, Job::Item(Err(error))));
                }
            },
        }
    }
}

fn work(
    waiting: &Mutex<Receiver<(usize, Job)>>,
    results: &SyncSender<(usize, Result<Outcome>)>,
    stored_size: usize,
) {
    loop {
        // A thread that panicked with the lock leaves the receiver as good as it was.
        let job = waiting.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).recv();
        let Ok((number, job)) = job else { return };
        if results.send((number, outcome(job, stored_size))).is_err() {
            return;
        }
    }
}

/// Reads, decodes and resizes one file; only a broken archive is an error.
fn outcome(job: Job, stored_size: usize) -> Result<Outcome> {
    let file = match job {
        Job::Item(item) => match item? {
            Item::Photo(file) => file,
            Item::Skipped(skipped) => return Ok(Outcome::Skipped(skipped)),
        },
        Job::Path { path, name } => match read_file(&path) {
            Ok(bytes) => PhotoFile { label: archive::label_of(&name), name, bytes },
            Err(reason) => return Ok(Outcome::Skipped(Skipped { name, reason })),
        },
    };
    Ok(match prepare(&file, stored_size) {
        Ok((photo, pixels)) => Outcome::Photo(photo, pixels),
        Err(Error::Photo { name, reason }) => Outcome::Skipped(Skipped { name, reason }),
        Err(error) => Outcome::Skipped(Skipped { name: file.name, reason: error.to_string() }),
    })
}

fn read_file(path: &Path) -> std::result::Result<Vec<u8>, String> {
    let limit = Limits::default().photo_bytes;
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(limit + 1).read_to_end(&mut bytes))
        .map_err(|error| format!("cannot be read ({error})"))?;
    if bytes.len() as u64 > limit {
        return Err(format!("larger than {} MiB", limit >> 20));
    }
    Ok(bytes)
}

/// A file as a photo of the library: decoded, upright, resized to `[stored_size, stored_size, 4]` bytes.
///
/// # Errors
/// [`Error::Photo`] if it cannot be decoded, [`Error::Setting`] if the size is out of range.
pub fn prepare(file: &PhotoFile, stored_size: usize) -> Result<(Photo, Vec<u8>)> {
    let picture = decode(&file.name, &file.bytes)?;
    let pixels = resize(&picture.rgba, picture.width, picture.height, stored_size)?;
    let photo = Photo {
        id: PhotoId::of(&file.bytes),
        name: file.name.clone(),
        label: file.label.clone(),
        split: None,
        group: None,
        width: picture.width,
        height: picture.height,
    };
    Ok((photo, pixels))
}

/// Adds results in the order of their numbers.
fn collect(
    finished: &Receiver<(usize, Result<Outcome>)>,
    library: &mut Library,
    total: Option<usize>,
    progress: &mut dyn FnMut(Progress),
    cancelled: &AtomicBool,
) -> Result<Loaded> {
    let mut loaded = Loaded::default();
    let mut early = BTreeMap::new();
    let mut next = 0;
    for (number, result) in finished {
        early.insert(number, result);
        while let Some(result) = early.remove(&next) {
            // Asked before each photo: many may have waited for this one.
            if cancelled.load(Ordering::Relaxed) {
                return Err(Error::Cancelled);
            }
            next += 1;
            match result? {
                Outcome::Skipped(skipped) => loaded.skipped.push(skipped),
                Outcome::Photo(photo, pixels) => {
                    let name = photo.name.clone();
                    match library.add(photo, &pixels)? {
                        Added::New(_) => loaded.added += 1,
                        Added::Duplicate(_) => loaded.duplicates.push(name),
                    }
                }
            }
            progress(Progress { done: next, total });
        }
    }
    if cancelled.load(Ordering::Relaxed) { Err(Error::Cancelled) } else { Ok(loaded) }
}

fn file_error(path: &Path, error: &dyn std::fmt::Display) -> Error {
    Error::File { path: path.display().to_string(), reason: error.to_string() }
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
        let skipped: Vec<&str> = loaded.skipped.iter().map(|s| s.name.as_str()).collect();
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
        assert_eq!(seen[4], Progress { done: 5, total: Some(23) });
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
