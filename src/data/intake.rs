//! Photo files on their way into a library: decoded on all threads, handed out in the order they were handed in, so
//! that a library does not depend on the number of threads.

use super::archive::{PhotoFile, label_of};
use super::decode::decode_kept;
use super::image_kind::sniff;
use super::library::{Added, Library};
use super::names::composed;
use super::photo::{Photo, PhotoId, Skipped};
use crate::error::{Error, Result, Words};
use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, Sender, channel};

/// Files a thread that may wait; enough that none runs dry while others are late.
const FILES_PER_THREAD: usize = 4;

/// Bytes of files that may wait, their unpacked contents; bounds memory.
const WAITING_BYTES: usize = 64 << 20;

/// Photos that may be done before one that was handed in earlier; bounds memory.
#[cfg(feature = "threads")]
const MOST_EARLY: usize = 256;

/// What became of a file.
#[derive(Debug, PartialEq)]
pub enum Outcome {
    /// A photo with its stored pixels.
    Photo(Photo, Vec<u8>),
    /// Something else, and why it is left out.
    Skipped(Skipped),
    /// A photo of a format that is not read here, though a browser may read it.
    Foreign(PhotoFile),
}

impl Outcome {
    /// Adds a photo to the library and lists a file that is left out; gives back a photo that is not read here.
    ///
    /// # Errors
    /// [`Error::PhotoMemory`] if the library is full.
    pub fn add_to(
        self,
        library: &mut Library,
        skipped: &mut Vec<Skipped>,
        duplicates: &mut Vec<String>,
    ) -> Result<Option<PhotoFile>> {
        match self {
            Self::Foreign(file) => return Ok(Some(file)),
            Self::Skipped(file) => skipped.push(file),
            Self::Photo(photo, pixels) => {
                let name = photo.name.clone();
                if let Added::Duplicate(_) = library.add(photo, &pixels)? {
                    duplicates.push(name);
                }
            }
        }
        Ok(None)
    }
}

/// A result and its place in the order.
type Numbered = (usize, Outcome);

/// Files being decoded.
pub struct Intake {
    stored_size: usize,
    workers: Workers,
    results: (Sender<Numbered>, Receiver<Numbered>),
    /// Results that came before one that was handed in earlier.
    early: BTreeMap<usize, Outcome>,
    handed_in: usize,
    handed_out: usize,
    /// Bytes of the files under way, each under its number.
    sizes: BTreeMap<usize, usize>,
}

/// Who decodes.
enum Workers {
    /// This thread, before [`Intake::submit`] returns.
    Nobody,
    /// Threads of this intake's own.
    #[cfg(feature = "threads")]
    Own(rayon::ThreadPool),
    /// The threads of the program: those that a page has started.
    #[cfg(feature = "threads")]
    Shared,
}

impl Intake {
    /// An intake with `threads` of its own for photos of `stored_size` pixels a side; without threads in this build, or
    /// where they cannot be started, the calling thread decodes.
    pub fn new(stored_size: usize, threads: usize) -> Self {
        Self::with(stored_size, own_workers(threads))
    }

    /// An intake on the threads that the whole program shares.
    pub fn shared(stored_size: usize) -> Self {
        #[cfg(feature = "threads")]
        return Self::with(stored_size, Workers::Shared);
        #[cfg(not(feature = "threads"))]
        Self::with(stored_size, Workers::Nobody)
    }

    fn with(stored_size: usize, workers: Workers) -> Self {
        Self {
            stored_size,
            workers,
            results: channel(),
            early: BTreeMap::new(),
            handed_in: 0,
            handed_out: 0,
            sizes: BTreeMap::new(),
        }
    }

    /// Files handed in until now.
    pub fn handed_in(&self) -> usize {
        self.handed_in
    }

    /// Whether another file may be handed in now; otherwise [`Self::wait`] for one first.
    pub fn has_room(&self) -> bool {
        let under_way = self.handed_in - self.handed_out;
        match self.workers {
            // The calling thread decodes what the others have no room for.
            #[cfg(feature = "threads")]
            Workers::Shared => under_way < MOST_EARLY,
            _ => under_way == 0 || !self.is_busy(),
        }
    }

    /// Whether all threads have enough to do.
    fn is_busy(&self) -> bool {
        let most = FILES_PER_THREAD * self.threads();
        let waiting = self.handed_in - self.handed_out - self.early.len();
        waiting >= most || self.sizes.values().sum::<usize>() >= WAITING_BYTES
    }

    fn threads(&self) -> usize {
        match &self.workers {
            Workers::Nobody => 1,
            #[cfg(feature = "threads")]
            Workers::Own(pool) => pool.current_num_threads(),
            #[cfg(feature = "threads")]
            Workers::Shared => rayon::current_num_threads(),
        }
    }

    /// Hands in a file of about `bytes` bytes; `read` gives its content, on the thread that decodes it.
    pub fn submit(
        &mut self,
        bytes: usize,
        read: impl FnOnce() -> std::result::Result<PhotoFile, Skipped> + Send + 'static,
    ) {
        let (number, size) = (self.handed_in, self.stored_size);
        let results = self.results.0.clone();
        let work = move || {
            // Nobody may be waiting any more.
            let _ = results.send((number, outcome(read, size)));
        };
        #[cfg(feature = "threads")]
        let busy = self.is_busy();
        self.handed_in += 1;
        self.sizes.insert(number, bytes);
        match &self.workers {
            Workers::Nobody => work(),
            #[cfg(feature = "threads")]
            Workers::Own(pool) => pool.spawn(work),
            #[cfg(feature = "threads")]
            Workers::Shared if busy => work(),
            #[cfg(feature = "threads")]
            Workers::Shared => rayon::spawn(work),
        }
    }

    /// Hands in what is known already, so that it keeps its place in the order.
    pub fn skip(&mut self, skipped: Skipped) {
        self.early.insert(self.handed_in, Outcome::Skipped(skipped));
        self.handed_in += 1;
    }

    /// The next file in order, if it is done.
    pub fn next_done(&mut self) -> Option<Outcome> {
        while let Ok((number, outcome)) = self.results.1.try_recv() {
            self.early.insert(number, outcome);
        }
        self.take()
    }

    /// The next file in order, waited for; none if no file is under way.
    pub fn wait(&mut self) -> Option<Outcome> {
        while self.handed_out < self.handed_in {
            if let Some(outcome) = self.next_done() {
                return Some(outcome);
            }
            // The sender lives as long as `self`, so this fails never.
            let (number, outcome) = self.results.1.recv().ok()?;
            self.early.insert(number, outcome);
        }
        None
    }

    fn take(&mut self) -> Option<Outcome> {
        let outcome = self.early.remove(&self.handed_out)?;
        self.sizes.remove(&self.handed_out);
        self.handed_out += 1;
        Some(outcome)
    }
}

#[cfg(feature = "threads")]
fn own_workers(threads: usize) -> Workers {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.max(1)).build();
    pool.map_or(Workers::Nobody, Workers::Own)
}

#[cfg(not(feature = "threads"))]
fn own_workers(_threads: usize) -> Workers {
    Workers::Nobody
}

fn outcome(
    read: impl FnOnce() -> std::result::Result<PhotoFile, Skipped>,
    stored_size: usize,
) -> Outcome {
    let file = match read() {
        Ok(file) => file,
        Err(skipped) => return Outcome::Skipped(skipped),
    };
    if sniff(&file.bytes).is_ok_and(|kind| kind.foreign().is_some()) {
        return Outcome::Foreign(file);
    }
    match prepare(&file, stored_size) {
        Ok((photo, pixels)) => Outcome::Photo(photo, pixels),
        Err(Error::Photo { name, reason }) => Outcome::Skipped(Skipped { name, reason }),
        Err(_) => Outcome::Skipped(Skipped {
            name: file.name.into(),
            reason: Words::of("reason.unreadable"),
        }),
    }
}

/// A file as a photo of the library: decoded, upright, resized to `[stored_size, stored_size, 4]` bytes.
///
/// # Errors
/// [`Error::Photo`] if it cannot be decoded, [`Error::Setting`] if the size is out of range.
pub fn prepare(file: &PhotoFile, stored_size: usize) -> Result<(Photo, Vec<u8>)> {
    let kept = decode_kept(&file.name, &file.bytes, stored_size)?;
    let photo = Photo {
        id: PhotoId::of(&file.bytes),
        name: file.name.clone(),
        label: label_of(&file.path),
        path: composed(&file.path),
        split: None,
        own_split: None,
        group: None,
        width: kept.width,
        height: kept.height,
    };
    Ok((photo, kept.pixels))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    /// A PNG of one colour, by the encoder of the decoders' crate.
    fn png(side: u32, shade: u8) -> Vec<u8> {
        let picture = image::RgbImage::from_pixel(side, side, image::Rgb([shade, 0, 0]));
        let mut bytes = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn files_come_out_in_the_order_they_went_in() {
        let mut intake = Intake::new(4, 3);
        let mut names = Vec::new();
        let mut out = |outcome: Option<Outcome>| {
            match outcome {
                Some(Outcome::Photo(photo, pixels)) => {
                    assert_eq!(pixels.len(), 4 * 4 * 4);
                    names.push(photo.name);
                }
                Some(Outcome::Skipped(skipped)) => names.push(format!("not {}", skipped.name)),
                Some(Outcome::Foreign(file)) => names.push(format!("foreign {}", file.name)),
                None => return false,
            }
            true
        };
        for i in 0..40u8 {
            while !intake.has_room() {
                assert!(out(intake.wait()));
            }
            let name = i.to_string();
            if i % 10 == 3 {
                intake.skip(Skipped { name: name.into(), reason: Words::of("reason.no_image") });
                continue;
            }
            // The first of each ten is by far the largest, so that those after it are done before it.
            intake.submit(1000, move || {
                let bytes = match i % 10 {
                    0 => png(900, i),
                    5 => b"\0\0\0\x1cftypavif\0\0\0\0".to_vec(),
                    _ => png(2, i),
                };
                Ok(PhotoFile { path: name.clone(), name, bytes })
            });
            while out(intake.next_done()) {}
        }
        while out(intake.wait()) {}
        let expected = (0..40).map(|i| match i % 10 {
            3 => format!("not {i}"),
            5 => format!("foreign {i}"),
            _ => i.to_string(),
        });
        assert_eq!(names, expected.collect::<Vec<_>>());
        assert!(intake.has_room() && intake.wait().is_none());
    }

    #[test]
    fn what_waits_is_bounded() {
        let mut intake = Intake::new(4, 1);
        let read = || Err(Skipped { name: "x".into(), reason: Words::of("reason.empty") });
        intake.submit(WAITING_BYTES, read);
        assert!(!intake.has_room());
        intake.wait();
        assert!(intake.has_room());
        for _ in 0..FILES_PER_THREAD {
            intake.submit(1, read);
        }
        assert!(!intake.has_room());
    }
}
