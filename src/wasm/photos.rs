//! The photos of a page: taken in, drawn, summed up, shown small.

use super::files::Reading;
use super::{Engine, JsResult, PHOTO_LIMIT, given, thrown};
use crate::data::archive;
use crate::data::doctor::{self, Pictures};
use crate::data::layout::{self, Accepted, Layout};
use crate::data::library::{Added, ClassCount, Library};
use crate::data::mirror::Verdict;
use crate::data::names::composed;
use crate::data::photo::{Photo, PhotoId, Skipped, Split};
use crate::data::resize::{resize, stored_size};
use crate::data::split::Ratios;
use crate::data::warnings::{Warning, before_training};
use crate::draw;
use crate::error::{Error, Result, Words};
use serde::Serialize;
use std::collections::BTreeMap;
use wasm_bindgen::prelude::*;
use web_time::Instant;

/// Pixels a side of a thumbnail.
const THUMBNAIL: usize = 96;

/// Seed of the split that photos get when they arrive; a run's own seed splits them anew.
const FIRST_SPLIT_SEED: u64 = 1;

/// Flowers drawn before the clock is asked: enough for all threads, and no more than a moment.
const AT_ONCE: u32 = if cfg!(feature = "threads") { 16 } else { 1 };

/// Flowers being drawn: `per_class` of every class, `done` of them there already.
#[derive(Default)]
pub(super) struct Drawing {
    seed: u64,
    per_class: u32,
    done: u32,
}

#[derive(Serialize)]
struct LibrarySummary<'a> {
    photos: usize,
    bytes: u64,
    stored_size: usize,
    classes: Vec<ClassCount>,
    skipped: &'a [Skipped],
    doctor: doctor::Report,
    /// Photos that were left out by hand.
    removed: usize,
    /// Edits in force, and edits that were taken back.
    edits: (usize, usize),
    /// How the photos are laid out, beyond one folder a class.
    layout: &'a Layout,
    /// What is to be known of them before a network is trained on them.
    warnings: Vec<Warning>,
    /// Whether they may be mirrored.
    mirror: Verdict,
}

#[wasm_bindgen]
impl Engine {
    /// Empties the library; photos will be kept for networks with `size × size` pixels.
    pub fn begin_photos(&mut self, size: usize) -> JsResult<()> {
        self.library = Library::new(stored_size(size), PHOTO_LIMIT).map_err(thrown)?;
        self.reading = Reading::new(self.library.stored_size());
        self.skipped.clear();
        self.duplicates.clear();
        self.pictures = None;
        self.tables.clear();
        self.input_size = size;
        Ok(())
    }

    /// Adds a photo that the browser has decoded: its path, whose last folder is its class, its file's bytes, and its
    /// pixels as RGBA.
    pub fn add_photo(
        &mut self,
        path: &str,
        bytes: &[u8],
        width: usize,
        height: usize,
        rgba: &[u8],
    ) -> JsResult<()> {
        let pixels = resize(rgba, width, height, self.library.stored_size()).map_err(thrown)?;
        let (id, name, label) =
            (PhotoId::of(bytes), archive::name_of(path), archive::label_of(path));
        let photo = Photo {
            id,
            name: name.clone(),
            path: composed(path),
            label,
            split: None,
            own_split: None,
            group: None,
            width,
            height,
        };
        if let Added::Duplicate(_) = self.library.add(photo, &pixels).map_err(thrown)? {
            self.duplicates.push(name);
        }
        Ok(())
    }

    /// Lists a file that could not be read, and why: `{ key, values }` of the error catalogue.
    pub fn skip(&mut self, name: String, reason: JsValue) -> JsResult<()> {
        let reason: Words = serde_wasm_bindgen::from_value(reason)?;
        self.skipped.push(Skipped { name: name.into(), reason });
        Ok(())
    }

    /// Prepares to draw `per_class` flowers of every class; gives how many that are in all.
    pub fn begin_drawing(&mut self, per_class: u32, seed: u32) -> u32 {
        self.drawing = Drawing { seed: seed.into(), per_class, done: 0 };
        per_class * draw::CLASSES.len() as u32
    }

    /// Draws for about that long; gives how many are there.
    pub fn draw_some(&mut self, budget_ms: f64) -> JsResult<u32> {
        let began = Instant::now();
        let classes = draw::CLASSES.len() as u32;
        let total = self.drawing.per_class * classes;
        while self.drawing.done < total && began.elapsed().as_secs_f64() * 1e3 < budget_ms {
            let Drawing { seed, done, .. } = self.drawing;
            let size = self.library.stored_size();
            let drawn = on_all_threads(done..total.min(done + AT_ONCE), |number| {
                let (class, index) = draw::numbered(number);
                draw::draw(seed, class, index, size)
            });
            for (number, pixels) in (done..).zip(drawn) {
                let (class, index) = draw::numbered(number);
                let photo = draw::photo(seed, class, index, size);
                self.library.add(photo, &pixels.map_err(thrown)?).map_err(thrown)?;
                self.drawing.done += 1;
            }
        }
        Ok(self.drawing.done)
    }

    /// Chooses what of the data set's own arrangement is taken from now on, `{ split, table, names }`: until
    /// [`Self::finish_photos`] nothing changes.
    pub fn accept_layout(&mut self, accepted: JsValue) -> JsResult<()> {
        self.accepted = serde_wasm_bindgen::from_value::<Accepted>(accepted)?;
        Ok(())
    }

    /// Labels and splits the photos and sums them up.
    pub fn finish_photos(&mut self) -> JsResult<JsValue> {
        self.library.restore_labels();
        self.layout = layout::arrange(&mut self.library, &self.tables, self.accepted);
        // What belongs together is known before the split, which keeps it on one side.
        self.pictures = Some(Pictures::of(&mut self.library).map_err(thrown)?);
        self.sum_up_photos()
    }

    /// Makes the edits, splits the photos and sums them up; pictures that were compared already are not compared again.
    pub fn sum_up_photos(&mut self) -> JsResult<JsValue> {
        let Some(pictures) = self.pictures.take() else { return self.finish_photos() };
        let summary = self.summary(&pictures);
        self.pictures = Some(pictures);
        summary
    }

    /// Small pictures of these photos.
    pub fn thumbnails(&self, photos: &[u32]) -> JsResult<js_sys::Array> {
        photos.iter().map(|&photo| self.thumbnail(photo as usize)).collect()
    }

    /// Small pictures of the first photos of a class.
    pub fn thumbnails_of_class(&self, class: &str, count: usize) -> JsResult<js_sys::Array> {
        self.library.of_class(class).take(count).map(|index| self.thumbnail(index)).collect()
    }
}

impl Engine {
    fn summary(&mut self, pictures: &Pictures) -> JsResult<JsValue> {
        self.edits.apply(&mut self.library);
        self.split(&BTreeMap::new(), FIRST_SPLIT_SEED).map_err(thrown)?;
        let mirror = self.library.record_mirror().map_err(thrown)?;
        let library = &self.library;
        let all = library.photos().len();
        let removed = library.removed().count();
        given(&LibrarySummary {
            photos: all - removed,
            bytes: library.bytes_needed(all),
            stored_size: library.stored_size(),
            classes: library.counts(),
            skipped: &self.skipped,
            doctor: doctor::report(
                library,
                pictures,
                &self.skipped,
                &self.duplicates,
                self.input_size,
            ),
            layout: &self.layout,
            warnings: before_training(library, &pictures.groups),
            mirror,
            removed,
            edits: self.edits.counts(),
        })
    }

    /// Photos that a run knows stay where it had them; the seed places the others.
    pub(super) fn split(&mut self, known: &BTreeMap<PhotoId, Split>, seed: u64) -> Result<()> {
        self.library.restore_splits(known);
        self.library.assign_splits(seed, &Ratios::default())
    }

    fn thumbnail(&self, index: usize) -> JsResult<JsValue> {
        #[derive(Serialize)]
        struct Thumbnail<'a> {
            photo: usize,
            name: &'a str,
            class: Option<&'a str>,
            size: usize,
            #[serde(with = "serde_wasm_bindgen::preserve")]
            pixels: js_sys::Uint8Array,
        }
        let size = self.library.stored_size();
        let (Some(photo), Some(stored)) =
            (self.library.photos().get(index), self.library.photo_pixels(index))
        else {
            return Err(thrown(unknown_photo(index)));
        };
        let pixels = resize(stored, size, size, THUMBNAIL.min(size)).map_err(thrown)?;
        given(&Thumbnail {
            photo: index,
            name: &photo.name,
            class: photo.label.as_deref(),
            size: THUMBNAIL.min(size),
            pixels: js_sys::Uint8Array::from(pixels.as_slice()),
        })
    }
}

/// What is said of a photo that the library does not have.
pub(super) fn unknown_photo(index: usize) -> Error {
    Error::Unknown {
        what: Words::of("what.photo"),
        name: index.to_string().into(),
        suggestion: None,
    }
}

/// The results for all numbers, in their order; this thread works too, beside those that the page has started.
#[cfg(feature = "threads")]
fn on_all_threads<T: Send>(
    numbers: std::ops::Range<u32>,
    work: impl Fn(u32) -> T + Sync + Send,
) -> Vec<T> {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU32, Ordering};
    let next = AtomicU32::new(numbers.start);
    let results = Mutex::new(Vec::new());
    let help = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= numbers.end {
                return;
            }
            let result = work(number);
            results.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push((number, result));
        }
    };
    rayon::in_place_scope(|scope| {
        for _ in 0..rayon::current_num_threads() {
            scope.spawn(|_| help());
        }
        help();
    });
    let mut results = results.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
    results.sort_unstable_by_key(|(number, _)| *number);
    results.into_iter().map(|(_, result)| result).collect()
}

/// The results for all numbers, in their order, by this thread alone.
#[cfg(not(feature = "threads"))]
fn on_all_threads<T>(numbers: std::ops::Range<u32>, work: impl Fn(u32) -> T) -> Vec<T> {
    numbers.map(work).collect()
}
