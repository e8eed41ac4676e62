//! Archives of photos among the browser's files.

use super::{given, thrown};
use crate::data::archive::{self, Archive, Item, Limits};
use crate::data::image_kind::sniff;
use serde::Serialize;
use std::io::{self, Read, Seek, SeekFrom};
use wasm_bindgen::prelude::*;

/// Bytes asked of a browser's file at a time.
const READ_AHEAD: usize = 1 << 20;

/// A file of the browser, read piece by piece where it lies.
struct BrowserFile {
    file: web_sys::Blob,
    reader: web_sys::FileReaderSync,
    position: u64,
}

impl Read for BrowserFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let failed = |_| io::Error::other("the browser cannot read the file any more");
        let (start, end) = (
            self.position as f64,
            (self.position as f64 + buffer.len() as f64).min(self.file.size()),
        );
        if end <= start {
            return Ok(0);
        }
        let piece = self.file.slice_with_f64_and_f64(start, end).map_err(failed)?;
        let bytes = js_sys::Uint8Array::new(
            &self.reader.read_as_array_buffer(&piece).map_err(failed)?.into(),
        );
        let len = bytes.length() as usize;
        bytes.copy_to(&mut buffer[..len]);
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

/// An archive of photos that is being read.
#[wasm_bindgen]
pub struct PhotoArchive {
    archive: Archive,
}

#[wasm_bindgen]
impl PhotoArchive {
    /// Opens a .zip, .tar or .tar.gz.
    #[wasm_bindgen(constructor)]
    pub fn new(name: &str, file: web_sys::Blob) -> std::result::Result<PhotoArchive, JsValue> {
        let source = BrowserFile { file, reader: web_sys::FileReaderSync::new()?, position: 0 };
        // Archives are read in small steps, the browser's files in large ones.
        let source = io::BufReader::with_capacity(READ_AHEAD, source);
        Ok(Self { archive: Archive::open(name, source, Limits::default()).map_err(thrown)? })
    }

    /// Entries in all, where the archive tells.
    pub fn entries(&self) -> Option<usize> {
        self.archive.entries()
    }

    /// The next photo, `{ name, bytes }`, or file that is none, `{ name, reason }`; nothing at the end.
    #[wasm_bindgen(js_name = next)]
    pub fn next_file(&mut self) -> std::result::Result<JsValue, JsValue> {
        #[derive(Serialize)]
        struct File {
            name: String,
            #[serde(with = "serde_wasm_bindgen::preserve")]
            bytes: js_sys::Uint8Array,
        }
        match self.archive.next().transpose().map_err(thrown)? {
            None => Ok(JsValue::UNDEFINED),
            Some(Item::Skipped(skipped)) => given(&skipped),
            Some(Item::Photo(photo)) => given(&File {
                name: photo.name,
                bytes: js_sys::Uint8Array::from(photo.bytes.as_slice()),
            }),
        }
    }
}

/// Whether a path is what operating systems leave behind among photos.
#[wasm_bindgen]
pub fn is_clutter(path: &str) -> bool {
    archive::is_clutter(path)
}

/// Why a file that starts with these 16 bytes is no photo that can be read; nothing where it is one.
#[wasm_bindgen]
pub fn unreadable(start: &[u8]) -> Option<String> {
    sniff(start).err().map(Into::into)
}

/// BLAKE3 of a file's content, in hexadecimal: what the lists of files that the page fetches say of them.
#[wasm_bindgen]
pub fn content_hash(content: &[u8]) -> String {
    blake3::hash(content).to_hex().to_string()
}
