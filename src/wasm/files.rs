//! Archives and files of photos among the browser's files, decoded by the engine.

use super::{Engine, JsResult, ModelId, classifier, given, thrown};
use crate::data::archive::{self, Archive, Item, Limits, PhotoFile, TableFile, is_table};
use crate::data::decode::decode_kept;
use crate::data::image_kind::sniff;
use crate::data::intake::{Intake, Outcome};
use crate::error::{Error, Result, Words};
use serde::Serialize;
use std::io::{self, Read, Seek, SeekFrom};
use wasm_bindgen::prelude::*;
use web_time::Instant;

/// Bytes asked of a browser's file at a time; each question goes to another process and back.
const READ_AHEAD: usize = 1 << 20;

/// A file of the browser, read piece by piece where it lies. The piece that was read last is kept: archives are read in
/// small steps, and jump back and forth by little.
struct BrowserFile {
    file: web_sys::Blob,
    reader: web_sys::FileReaderSync,
    position: u64,
    piece: Vec<u8>,
    piece_start: u64,
}

impl BrowserFile {
    fn new(file: web_sys::Blob) -> JsResult<Self> {
        let reader = web_sys::FileReaderSync::new()?;
        Ok(Self { file, reader, position: 0, piece: Vec::new(), piece_start: 0 })
    }

    /// Bytes of the piece from the position on.
    fn rest(&self) -> Option<&[u8]> {
        let at = usize::try_from(self.position.checked_sub(self.piece_start)?).ok()?;
        self.piece.get(at..).filter(|rest| !rest.is_empty())
    }

    fn fetch(&mut self) -> JsResult<()> {
        let start = self.position as f64;
        let end = (start + READ_AHEAD as f64).min(self.file.size());
        self.piece.clear();
        self.piece_start = self.position;
        if end > start {
            let slice = self.file.slice_with_f64_and_f64(start, end)?;
            let bytes = js_sys::Uint8Array::new(&self.reader.read_as_array_buffer(&slice)?.into());
            self.piece = bytes.to_vec();
        }
        Ok(())
    }
}

impl Read for BrowserFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.rest().is_none() {
            let gone = |_| io::Error::other("the browser cannot read the file any more");
            self.fetch().map_err(gone)?;
        }
        let rest = self.rest().unwrap_or_default();
        let len = rest.len().min(buffer.len());
        buffer[..len].copy_from_slice(&rest[..len]);
        self.position += len as u64;
        Ok(len)
    }
}

impl Seek for BrowserFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(offset) => (self.file.size() as u64).checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = position.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.position)
    }
}

/// Photos being taken in.
pub(super) struct Reading {
    intake: Intake,
    archive: Option<Archive>,
    /// Photos that the browser may decode.
    foreign: Vec<PhotoFile>,
    /// Name of the photo that was added last.
    name: String,
}

impl Reading {
    pub(super) fn new(stored_size: usize) -> Self {
        let (foreign, name) = (Vec::new(), String::new());
        Self { intake: Intake::shared(stored_size), archive: None, foreign, name }
    }
}

/// How far reading is.
#[derive(Serialize)]
struct Step<'a> {
    /// Whether there is nothing more to read, or nothing more under way.
    finished: bool,
    /// Bytes of the archive that are dealt with.
    bytes: f64,
    /// Photos in the library.
    photos: usize,
    /// Name of the photo that was added last.
    name: &'a str,
    /// Whether photos wait for the browser to decode them.
    foreign: bool,
}

#[wasm_bindgen]
impl Engine {
    /// Opens a .zip, .tar or .tar.gz, to be read by [`Self::read_archive`].
    pub fn open_archive(&mut self, name: &str, file: web_sys::Blob) -> JsResult<()> {
        self.reading.archive = None;
        let source = BrowserFile::new(file)?;
        self.reading.archive =
            Some(Archive::open(name, source, Limits::default()).map_err(thrown)?);
        Ok(())
    }

    /// Reads photos out of the archive for about that long: `{ finished, bytes, photos, name, foreign }`, where `bytes` of
    /// the archive are dealt with.
    pub fn read_archive(&mut self, budget_ms: f64) -> JsResult<JsValue> {
        let (began, mut finished) = (Instant::now(), false);
        while !finished && began.elapsed().as_secs_f64() * 1e3 < budget_ms {
            finished = !self.read_entry().map_err(thrown)?;
        }
        let archive = self.reading.archive.as_ref();
        let bytes = archive.map_or(0, Archive::bytes_read);
        if finished {
            self.reading.archive = None;
        }
        self.step(finished, bytes)
    }

    /// Takes a file's content in. It may still be under way afterwards.
    pub fn take_file(&mut self, path: &str, bytes: Vec<u8>) -> JsResult<()> {
        if is_table(path) {
            self.tables.push(TableFile { path: path.into(), bytes });
            return Ok(());
        }
        let (path, name) = (path.to_owned(), archive::name_of(path));
        self.make_room().map_err(thrown)?;
        self.reading.intake.submit(bytes.len(), || Ok(PhotoFile { path, name, bytes }));
        self.add_finished().map_err(thrown)
    }

    /// Waits about that long for files under way; finished where none is.
    pub fn settle(&mut self, budget_ms: f64) -> JsResult<JsValue> {
        let began = Instant::now();
        while began.elapsed().as_secs_f64() * 1e3 < budget_ms {
            let Some(outcome) = self.reading.intake.wait() else { return self.step(true, 0) };
            self.add(outcome).map_err(thrown)?;
        }
        self.step(false, 0)
    }

    /// A photo to be asked about, `{ size, pixels }`, as the model that is asked keeps it; `{ reason }` where it
    /// is not read here, though the browser may read it.
    pub fn photo_to_ask(&mut self, model: ModelId, name: &str, bytes: &[u8]) -> JsResult<JsValue> {
        #[derive(Serialize)]
        struct Asked {
            size: usize,
            #[serde(with = "serde_wasm_bindgen::preserve")]
            pixels: js_sys::Uint8Array,
        }
        #[derive(Serialize)]
        struct Foreign {
            reason: Words,
        }
        if let Some(reason) = sniff(bytes).ok().and_then(|kind| kind.foreign()) {
            return given(&Foreign { reason });
        }
        let classifier = classifier(&mut self.run, &mut self.opened, model).map_err(thrown)?;
        let size = classifier.model.preprocessing.stored_size;
        let kept = decode_kept(name, bytes, size).map_err(thrown)?;
        given(&Asked { size, pixels: js_sys::Uint8Array::from(kept.pixels.as_slice()) })
    }

    /// Hands out the photos that are not read here, `{ path, name, bytes, reason }` each, for the browser to decode.
    pub fn take_foreign(&mut self) -> JsResult<js_sys::Array> {
        #[derive(Serialize)]
        struct Foreign {
            path: String,
            name: String,
            reason: Words,
            #[serde(with = "serde_wasm_bindgen::preserve")]
            bytes: js_sys::Uint8Array,
        }
        let files = std::mem::take(&mut self.reading.foreign);
        let given_file = |file: PhotoFile| {
            let kind = sniff(&file.bytes).ok();
            given(&Foreign {
                path: file.path,
                name: file.name,
                reason: kind
                    .and_then(|kind| kind.foreign())
                    .unwrap_or_else(|| Words::of("reason.no_image")),
                bytes: js_sys::Uint8Array::from(file.bytes.as_slice()),
            })
        };
        files.into_iter().map(given_file).collect()
    }
}

impl Engine {
    /// Takes in one entry of the archive; false at its end.
    fn read_entry(&mut self) -> Result<bool> {
        self.make_room()?;
        let Some(archive) = self.reading.archive.as_mut() else { return Ok(false) };
        match archive.next().transpose() {
            Ok(None) => return Ok(false),
            Ok(Some(Item::Table(file))) => self.tables.push(file),
            Ok(Some(Item::Skipped(skipped))) => self.reading.intake.skip(skipped),
            Ok(Some(Item::Photo(file))) => {
                self.reading.intake.submit(file.bytes.len(), || Ok(file))
            }
            Err(error) => {
                self.reading.archive = None;
                return Err(error);
            }
        }
        self.add_finished()?;
        Ok(true)
    }

    fn make_room(&mut self) -> Result<()> {
        while !self.reading.intake.has_room() {
            let Some(outcome) = self.reading.intake.wait() else { break };
            self.add(outcome)?;
        }
        Ok(())
    }

    fn add_finished(&mut self) -> Result<()> {
        while let Some(outcome) = self.reading.intake.next_done() {
            self.add(outcome)?;
        }
        Ok(())
    }

    fn add(&mut self, outcome: Outcome) -> Result<()> {
        if let Outcome::Photo(photo, _) = &outcome {
            self.reading.name.clone_from(&photo.name);
        }
        let added = outcome.add_to(&mut self.library, &mut self.skipped, &mut self.duplicates);
        if let Err(Error::PhotoMemory { .. }) = added {
            // What is still under way would not fit either.
            self.reading = Reading::new(self.library.stored_size());
        }
        self.reading.foreign.extend(added?);
        Ok(())
    }

    fn step(&self, finished: bool, bytes: u64) -> JsResult<JsValue> {
        given(&Step {
            finished,
            bytes: bytes as f64,
            photos: self.library.photos().len(),
            name: &self.reading.name,
            foreign: !self.reading.foreign.is_empty(),
        })
    }
}

/// Whether a path is what operating systems leave behind among photos.
#[wasm_bindgen]
pub fn is_clutter(path: &str) -> bool {
    archive::is_clutter(path)
}

/// BLAKE3 of a file's content, in hexadecimal: what the lists of files that the page fetches say of them.
#[wasm_bindgen]
pub fn content_hash(content: &[u8]) -> String {
    blake3::hash(content).to_hex().to_string()
}
