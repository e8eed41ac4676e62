//! Entries of a .tar or .tar.gz, through the `tar` and `flate2` crates.

use super::super::names::{self, Alphabet};
use super::path::{is_clutter, name_of};
use super::{Item, Limits, Skipped, Source, read_photo};
use crate::error::Words;
use flate2::bufread::MultiGzDecoder;
use std::cell::Cell;
use std::io::{self, BufReader, Read};
use std::rc::Rc;

/// Bytes of a tar block; headers and contents start at multiples of it.
const BLOCK: u64 = 512;

/// The most bytes that headers of one entry may take: long names are read into memory.
const HEADER_BYTES: u64 = 1 << 20;

/// The entries of a .tar in the order they lie.
pub struct TarReader {
    stream: Metered,
    limits: Limits,
    entries: usize,
    packed: Rc<Cell<u64>>,
    /// What names that are no UTF-8 are written in.
    alphabet: Option<Alphabet>,
}

/// The archive's own bytes, packed or not, counted as they are read.
struct Counted {
    source: Box<dyn Source>,
    read: Rc<Cell<u64>>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        self.read.set(self.read.get() + read as u64);
        Ok(read)
    }
}

/// A stream that counts what is read and ends in an error where the allowance does.
struct Metered {
    inner: Box<dyn Read>,
    read: u64,
    allowance: u64,
}

impl Read for Metered {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.allowance == 0 && !buffer.is_empty() {
            return Err(io::Error::other("larger than allowed"));
        }
        let most = buffer.len().min(usize::try_from(self.allowance).unwrap_or(usize::MAX));
        let read = self.inner.read(&mut buffer[..most])?;
        self.read += read as u64;
        self.allowance -= read as u64;
        Ok(read)
    }
}

impl TarReader {
    /// Reads a .tar.
    pub fn plain(source: Box<dyn Source>, limits: Limits) -> Self {
        Self::new(source, limits, |packed| Box::new(packed))
    }

    /// Reads a .tar.gz.
    pub fn gzip(source: Box<dyn Source>, limits: Limits) -> Self {
        Self::new(source, limits, |packed| Box::new(MultiGzDecoder::new(packed)))
    }

    fn new(
        source: Box<dyn Source>,
        limits: Limits,
        unpack: impl FnOnce(BufReader<Counted>) -> Box<dyn Read>,
    ) -> Self {
        let packed = Rc::new(Cell::new(0));
        let inner = unpack(BufReader::new(Counted { source, read: packed.clone() }));
        let stream = Metered { inner, read: 0, allowance: 0 };
        Self { stream, limits, entries: 0, packed, alphabet: None }
    }

    /// Bytes of the archive that were read, packed as they are.
    pub fn bytes_read(&self) -> u64 {
        self.packed.get()
    }

    /// The next photo or skipped file.
    pub fn next(&mut self) -> Option<Result<Item, Words>> {
        loop {
            match self.entry() {
                Ok(Step::Item(item)) => return Some(Ok(item)),
                Ok(Step::Nothing) => {}
                Ok(Step::End) => return None,
                Err(reason) => return Some(Err(reason)),
            }
        }
    }

    /// Reads one entry to its last block; the stream lies at a header whenever this is called.
    fn entry(&mut self) -> Result<Step, Words> {
        self.allow(HEADER_BYTES)?;
        let Some(head) = head(&mut self.stream).map_err(|_| cut_off())? else {
            return Ok(Step::End);
        };
        let Head { path, kind, size } = head;
        let path = names::decoded_next(&mut self.alphabet, &path);
        self.entries += 1;
        if self.entries > self.limits.entries {
            return Err(Words::of("reason.too_many_entries").with("n", self.limits.entries));
        }
        let name = name_of(&path);
        if kind.is_dir() || kind.is_pax_global_extensions() {
            self.skip(size)?;
            return Ok(Step::Nothing);
        }
        if kind.is_gnu_sparse() {
            return Err(Words::of("reason.sparse").with("name", name));
        }
        if !kind.is_file() {
            self.skip(size)?;
            let reason = Words::of("reason.no_file");
            return Ok(Step::Item(Item::Skipped(Skipped { name: name.into(), reason })));
        }
        if is_clutter(&path) {
            self.skip(size)?;
            return Ok(Step::Nothing);
        }
        self.allow(u64::MAX)?;
        let mut content = (&mut self.stream).take(size);
        let item = read_photo(&path, &mut content, &self.limits);
        let left = content.limit();
        self.skip(left)?;
        Ok(Step::Item(item))
    }

    /// Passes over the rest of an entry, padding included.
    fn skip(&mut self, bytes: u64) -> Result<(), Words> {
        self.allow(u64::MAX)?;
        let end = self.stream.read.checked_add(bytes);
        let Some(end) = end.and_then(|end| end.checked_next_multiple_of(BLOCK)) else {
            return Err(cut_off());
        };
        let rest = end - self.stream.read;
        let skipped = io::copy(&mut (&mut self.stream).take(rest), &mut io::sink());
        if skipped.is_ok_and(|skipped| skipped == rest) {
            return Ok(());
        }
        // Where the bytes in all ran out, that is the news.
        self.allow(u64::MAX)?;
        Err(cut_off())
    }

    /// Allows so many more bytes, within the limit of bytes in all.
    fn allow(&mut self, bytes: u64) -> Result<(), Words> {
        let left = self.limits.total_bytes.saturating_sub(self.stream.read);
        if left == 0 {
            let most = self.limits.total_bytes >> 20;
            return Err(Words::of("reason.unpacks_to_more").with("mib", most));
        }
        self.stream.allowance = left.min(bytes);
        Ok(())
    }
}

/// What the headers of an entry say.
struct Head {
    path: Vec<u8>,
    kind: tar::EntryType,
    size: u64,
}

/// Reads the headers of one entry; none at the end. A fresh `tar::Archive` each time, because its own iterator holds
/// the stream.
fn head(stream: &mut Metered) -> io::Result<Option<Head>> {
    let mut archive = tar::Archive::new(stream);
    let Some(entry) = archive.entries()?.next() else { return Ok(None) };
    let entry = entry?;
    let path = entry.path_bytes().into_owned();
    Ok(Some(Head { path, kind: entry.header().entry_type(), size: entry.size() }))
}

enum Step {
    Item(Item),
    Nothing,
    End,
}

fn cut_off() -> Words {
    Words::of("reason.archive_cut_off")
}
