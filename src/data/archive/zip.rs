//! Entries of a .zip, through the `zip` crate.

use super::super::names;
use super::path::{is_clutter, name_of};
use super::{Item, Limits, Skipped, Source, read_photo};
use std::io::{BufReader, Read};
use zip::ZipArchive;
use zip::result::ZipError;

/// The entries of a .zip in the order of its directory.
pub struct ZipReader {
    archive: ZipArchive<BufReader<Box<dyn Source>>>,
    limits: Limits,
    next: usize,
    bytes_left: u64,
}

impl ZipReader {
    /// Reads the directory.
    pub fn open(source: Box<dyn Source>, limits: Limits) -> Result<Self, String> {
        let archive = ZipArchive::new(BufReader::new(source)).map_err(|error| {
            format!("damaged or not complete ({error}); make or download it again")
        })?;
        if archive.len() > limits.entries {
            return Err(format!("more than {} entries; split it", limits.entries));
        }
        Ok(Self { archive, limits, next: 0, bytes_left: limits.total_bytes })
    }

    /// Entries in all, folders too.
    pub fn entries(&self) -> usize {
        self.archive.len()
    }

    /// The next photo or skipped file.
    pub fn next(&mut self) -> Option<Result<Item, String>> {
        while self.next < self.archive.len() {
            let index = self.next;
            self.next += 1;
            // Programs do not always say which alphabet they write; the crate then reads one that hardly any uses.
            let path = match self.archive.by_index_raw(index) {
                Ok(entry) => names::decoded(entry.name_raw())
                    .or_else(|| entry.name().ok().map(std::borrow::Cow::into_owned))
                    .unwrap_or_else(|| format!("entry {index}")),
                Err(error) => return Some(Ok(skipped(&format!("entry {index}"), &error))),
            };
            if path.ends_with(['/', '\\']) || is_clutter(&path) {
                continue;
            }
            let mut entry = match self.archive.by_index(index) {
                Ok(entry) => entry,
                Err(error) => return Some(Ok(skipped(&path, &error))),
            };
            let mut counted = entry.by_ref().take(self.bytes_left);
            let item = read_photo(&path, &mut counted, &self.limits);
            self.bytes_left = counted.limit();
            if self.bytes_left == 0 {
                let most = self.limits.total_bytes >> 20;
                return Some(Err(format!("it unpacks to more than {most} MiB; split it")));
            }
            return Some(Ok(item));
        }
        None
    }
}

fn skipped(path: &str, error: &ZipError) -> Item {
    let reason = match error {
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => {
            "locked with a password; make the archive without one".into()
        }
        ZipError::UnsupportedArchive(_) => {
            format!("packed in a way that cannot be read ({error}); use plain zip")
        }
        _ => format!("damaged in the archive ({error})"),
    };
    Item::Skipped(Skipped { name: name_of(path), reason })
}
