//! Entries of a .zip, through the `zip` crate.

use super::super::names;
use super::path::{is_clutter, name_of};
use super::{Item, Limits, Skipped, Source, read_photo};
use crate::error::Words;
use std::io::{BufReader, Read};
use zip::ZipArchive;
use zip::result::ZipError;

/// The entries of a .zip in the order of its directory.
pub struct ZipReader {
    archive: ZipArchive<BufReader<Box<dyn Source>>>,
    /// Name of each entry.
    paths: Vec<String>,
    limits: Limits,
    next: usize,
    bytes_left: u64,
    bytes_read: u64,
}

impl ZipReader {
    /// Reads the directory.
    pub fn open(source: Box<dyn Source>, limits: Limits) -> Result<Self, Words> {
        let archive = ZipArchive::new(BufReader::new(source))
            .map_err(|_| Words::of("reason.archive_damaged"))?;
        if archive.len() > limits.entries {
            return Err(Words::of("reason.too_many_entries").with("n", limits.entries));
        }
        // Programs do not always say which alphabet they write, so all names are looked at together.
        let names: Vec<&[u8]> = archive.file_names_raw().collect();
        let paths = names::decoded(&names);
        let bytes_left = limits.total_bytes;
        Ok(Self { archive, paths, limits, next: 0, bytes_left, bytes_read: 0 })
    }

    /// Packed bytes of the entries until now.
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    /// The next photo or skipped file.
    pub fn next(&mut self) -> Option<Result<Item, Words>> {
        while self.next < self.paths.len() {
            let index = self.next;
            self.next += 1;
            let path = &self.paths[index];
            if let Ok(entry) = self.archive.by_index_data(index) {
                self.bytes_read = self.bytes_read.saturating_add(entry.compressed_size());
            }
            if path.ends_with(['/', '\\']) || is_clutter(path) {
                continue;
            }
            let mut entry = match self.archive.by_index(index) {
                Ok(entry) => entry,
                Err(error) => return Some(Ok(skipped(path, &error))),
            };
            let mut counted = entry.by_ref().take(self.bytes_left);
            let item = read_photo(path, &mut counted, &self.limits);
            self.bytes_left = counted.limit();
            if self.bytes_left == 0 {
                let most = self.limits.total_bytes >> 20;
                return Some(Err(Words::of("reason.unpacks_to_more").with("mib", most)));
            }
            return Some(Ok(item));
        }
        None
    }
}

fn skipped(path: &str, error: &ZipError) -> Item {
    let reason = match error {
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => Words::of("reason.locked"),
        ZipError::UnsupportedArchive(_) => Words::of("reason.unknown_packing"),
        _ => Words::of("reason.damaged_in_archive"),
    };
    Item::Skipped(Skipped { name: name_of(path).into(), reason })
}
