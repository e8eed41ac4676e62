//! Photos out of a .zip, .tar or .tar.gz of class folders at any depth, one at a time.
//!
//! An archive may be hostile: what is read is bounded in entries, in bytes an entry and in bytes in all, counted as they
//! are read rather than as the archive claims, and paths are only ever names.

mod path;
mod tar;
mod zip;

pub use path::{is_clutter, label_of, name_of};

use super::photo::Skipped;
use crate::error::{Error, Result, Words, unreadable};
use std::io::{Read, Seek, SeekFrom};

/// Where an archive's bytes come from: a file, bytes in memory, or a file of the browser.
pub trait Source: Read + Seek {}
impl<T: Read + Seek> Source for T {}

/// How much of an archive is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Entries, folders and all.
    pub entries: usize,
    /// Unpacked bytes of one photo; a larger one is skipped.
    pub photo_bytes: u64,
    /// Unpacked bytes in all.
    pub total_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { entries: 200_000, photo_bytes: 64 << 20, total_bytes: 16 << 30 }
    }
}

/// One entry of an archive.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// A photo by its first bytes; whether it can be decoded is not known yet.
    Photo(PhotoFile),
    /// Something else, and why it is left out.
    Skipped(Skipped),
}

/// A photo's file as it lay in an archive.
#[derive(Debug, Clone, PartialEq)]
pub struct PhotoFile {
    /// Folder and file name.
    pub name: String,
    /// The name of the folder that holds it, if any.
    pub label: Option<String>,
    /// The file's content.
    pub bytes: Vec<u8>,
}

/// An archive being read: an iterator over its photos, and over what is skipped. An error ends it; what came before
/// stays good. Clutter of operating systems (`__MACOSX`, dot files, `Thumbs.db`) is passed over in silence.
pub struct Archive {
    name: String,
    reader: Option<Reader>,
    bytes_read: u64,
}

enum Reader {
    Zip(zip::ZipReader),
    Tar(tar::TarReader),
}

impl Archive {
    /// Opens an archive; its format is told by its first bytes. `name` is for error messages.
    ///
    /// # Errors
    /// [`Error::Archive`] if it is none, is damaged, or has too many entries.
    pub fn open(name: &str, mut source: impl Source + 'static, limits: Limits) -> Result<Self> {
        let wrong = |reason: Words| Error::Archive { name: name.into(), reason };
        let mut start = Vec::new();
        source
            .by_ref()
            .take(512)
            .read_to_end(&mut start)
            .map_err(|error| wrong(unreadable(&error)))?;
        source.seek(SeekFrom::Start(0)).map_err(|error| wrong(unreadable(&error)))?;
        let source: Box<dyn Source> = Box::new(source);
        let reader = match format_of(&start) {
            Some(Format::Zip) => Reader::Zip(zip::ZipReader::open(source, limits).map_err(wrong)?),
            Some(Format::Tar) => Reader::Tar(tar::TarReader::plain(source, limits)),
            Some(Format::TarGz) => Reader::Tar(tar::TarReader::gzip(source, limits)),
            None => {
                return Err(wrong(Words::of("reason.no_archive")));
            }
        };
        Ok(Self { name: name.into(), reader: Some(reader), bytes_read: 0 })
    }

    /// Bytes of the archive itself that its entries until now took, for progress: how many entries are still to come is
    /// not known beforehand, how many bytes is.
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read
    }
}

impl Iterator for Archive {
    type Item = Result<Item>;

    fn next(&mut self) -> Option<Self::Item> {
        let (item, bytes_read) = match self.reader.as_mut()? {
            Reader::Zip(zip) => (zip.next(), zip.bytes_read()),
            Reader::Tar(tar) => (tar.next(), tar.bytes_read()),
        };
        self.bytes_read = bytes_read;
        match item {
            Some(Ok(item)) => Some(Ok(item)),
            Some(Err(reason)) => {
                self.reader = None;
                Some(Err(Error::Archive { name: self.name.as_str().into(), reason }))
            }
            None => {
                self.reader = None;
                None
            }
        }
    }
}

#[derive(Debug, PartialEq)]
enum Format {
    Zip,
    Tar,
    TarGz,
}

fn format_of(start: &[u8]) -> Option<Format> {
    if start.starts_with(b"PK\x03\x04") || start.starts_with(b"PK\x05\x06") {
        Some(Format::Zip)
    } else if start.starts_with(&[0x1f, 0x8b]) {
        Some(Format::TarGz)
    } else if start.get(257..262) == Some(b"ustar") {
        Some(Format::Tar)
    } else {
        None
    }
}

/// The photo in an entry, or why it is none. Reads no more than one byte past the limit.
fn read_photo(path: &str, mut content: impl Read, limits: &Limits) -> Item {
    let name = name_of(path);
    let skipped = |reason| Item::Skipped(Skipped { name: name_of(path).into(), reason });
    let mut bytes = Vec::new();
    let sniffed = super::image_kind::SNIFF_BYTES as u64;
    if content.by_ref().take(sniffed).read_to_end(&mut bytes).is_err() {
        return skipped(Words::of("reason.damaged_in_archive"));
    }
    if let Err(reason) = super::image_kind::sniff(&bytes) {
        return skipped(reason);
    }
    let rest = limits.photo_bytes.saturating_sub(sniffed) + 1;
    if content.take(rest).read_to_end(&mut bytes).is_err() {
        return skipped(Words::of("reason.damaged_in_archive"));
    }
    if bytes.len() as u64 > limits.photo_bytes {
        return skipped(Words::of("reason.larger_than").with("mib", limits.photo_bytes >> 20));
    }
    Item::Photo(PhotoFile { name, label: label_of(path), bytes })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::{Cursor, Write};

    const JPEG: &[u8] = b"\xff\xd8\xff\xe0 and the rest of a photo of a rose";

    fn zip_of(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = ::zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in files {
            writer.start_file(*name, ::zip::write::SimpleFileOptions::default()).unwrap();
            writer.write_all(bytes).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn tar_of(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut builder = ::tar::Builder::new(Vec::new());
        for (name, bytes) in files {
            let mut header = ::tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            builder.append_data(&mut header, name, *bytes).unwrap();
        }
        builder.into_inner().unwrap()
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn open(bytes: Vec<u8>, limits: Limits) -> Result<Archive> {
        Archive::open("photos", Cursor::new(bytes), limits)
    }

    fn summary(bytes: Vec<u8>) -> Vec<String> {
        open(bytes, Limits::default())
            .unwrap()
            .map(|item| match item.unwrap() {
                Item::Photo(photo) => {
                    assert_eq!(photo.bytes, JPEG);
                    format!("{} is a {}", photo.name, photo.label.unwrap_or("?".into()))
                }
                Item::Skipped(skipped) => format!("{}: {}", skipped.name, skipped.reason),
            })
            .collect()
    }

    #[test]
    fn class_folders_at_any_depth_from_every_format() {
        let long = format!("{}/rose/2.jpg", "deep/".repeat(60));
        let files: [(&str, &[u8]); 7] = [
            ("top.jpg", JPEG),
            ("flowers/rose/1.jpg", JPEG),
            (&long, JPEG),
            ("flowers/tulip/notes.txt", b"text"),
            ("__MACOSX/flowers/rose/._1.jpg", JPEG),
            ("flowers/rose/Thumbs.db", b"clutter"),
            ("flowers/tulip/empty.jpg", b""),
        ];
        let expected = [
            "top.jpg is a ?",
            "rose/1.jpg is a rose",
            "rose/2.jpg is a rose",
            "tulip/notes.txt: not an image",
            "tulip/empty.jpg: an empty file",
        ];
        assert_eq!(summary(zip_of(&files)), expected);
        assert_eq!(summary(tar_of(&files)), expected);
        assert_eq!(summary(gzip(&tar_of(&files))), expected);
    }

    #[test]
    fn something_else_is_refused() {
        let error = open(b"just text".to_vec(), Limits::default()).err().unwrap();
        assert_eq!(
            error.to_string(),
            "archive photos: expected a .zip, .tar or .tar.gz, found something else"
        );
        assert!(open(zip_of(&[("a/b.jpg", JPEG)])[..40].to_vec(), Limits::default()).is_err());
    }

    #[test]
    fn a_truncated_archive_gives_what_is_whole_and_then_an_error() {
        let whole = tar_of(&[("rose/1.jpg", JPEG), ("rose/2.jpg", &JPEG.repeat(40))]);
        for cut in [whole[..1300].to_vec(), gzip(&whole[..1300])] {
            let items: Vec<_> = open(cut, Limits::default()).unwrap().collect();
            assert!(matches!(&items[0], Ok(Item::Photo(photo)) if photo.name == "rose/1.jpg"));
            assert!(matches!(items.last(), Some(Err(Error::Archive { .. }))), "{items:?}");
        }
    }

    #[test]
    fn a_damaged_photo_in_a_zip_is_skipped() {
        let mut bytes = zip_of(&[("rose/1.jpg", JPEG), ("rose/2.jpg", JPEG)]);
        let name = bytes.windows(10).position(|window| window == b"rose/1.jpg").unwrap();
        bytes[name + 14] ^= 0x55;
        let items: Vec<_> = open(bytes, Limits::default()).unwrap().map(Result::unwrap).collect();
        assert!(matches!(&items[0], Item::Skipped(_)), "{items:?}");
        assert!(matches!(&items[1], Item::Photo(_)));
    }

    #[test]
    fn bombs_stop_at_the_limits() {
        let mut large = JPEG.to_vec();
        large.resize(1 << 20, 0);
        let files: [(&str, &[u8]); 4] =
            [("a/1.jpg", &large), ("a/2.jpg", JPEG), ("a/3.jpg", &large), ("a/4.jpg", &large)];
        for bytes in [zip_of(&files), gzip(&tar_of(&files))] {
            let small_photos = Limits { photo_bytes: 1 << 16, ..Limits::default() };
            let items: Vec<_> =
                open(bytes.clone(), small_photos).unwrap().map(Result::unwrap).collect();
            assert!(
                matches!(&items[0], Item::Skipped(s) if s.reason.to_string() == "larger than 0 MiB")
            );
            assert!(matches!(&items[1], Item::Photo(_)));

            let small_total = Limits { total_bytes: 5 << 19, ..Limits::default() };
            let items: Vec<_> = open(bytes.clone(), small_total).unwrap().collect();
            assert_eq!(items.len(), 4);
            assert!(items[3].as_ref().unwrap_err().to_string().contains("unpacks to more than"));

            let few = Limits { entries: 3, ..Limits::default() };
            let error = match open(bytes, few) {
                Err(error) => error,
                Ok(archive) => archive.last().unwrap().unwrap_err(),
            };
            assert!(error.to_string().contains("more than 3 entries"), "{error}");
        }
    }

    #[test]
    fn entries_of_other_kinds_are_passed_over_whole() {
        let mut builder = ::tar::Builder::new(Vec::new());
        let mut append = |name: &str, kind, bytes: &[u8]| {
            let mut header = ::tar::Header::new_gnu();
            header.set_entry_type(kind);
            header.set_size(bytes.len() as u64);
            builder.append_data(&mut header, name, bytes).unwrap();
        };
        append("rose/old.jpg", ::tar::EntryType::Continuous, &[b'x'; 700]);
        append("rose/1.jpg", ::tar::EntryType::Regular, JPEG);
        let found = summary(builder.into_inner().unwrap());
        assert_eq!(found, ["rose/old.jpg: a link or device, not a file", "rose/1.jpg is a rose"]);
    }

    #[test]
    fn an_entry_may_claim_any_size() {
        let mut header = ::tar::Header::new_gnu();
        header.set_path("b/2.jpg").unwrap();
        header.set_size(u64::MAX - 600);
        header.set_cksum();
        let mut bytes = tar_of(&[("a/1.jpg", JPEG)]);
        bytes.truncate(1024);
        bytes.extend(header.as_bytes());
        bytes.extend(JPEG);
        let items: Vec<_> = open(bytes, Limits::default()).unwrap().collect();
        assert!(matches!(items.last(), Some(Err(Error::Archive { .. }))));
    }

    #[test]
    fn a_tar_header_cannot_claim_memory() {
        // A GNU long name that claims 8 GiB.
        let mut header = ::tar::Header::new_gnu();
        header.set_entry_type(::tar::EntryType::GNULongName);
        header.set_size(8 << 30);
        header.set_cksum();
        let mut bytes = header.as_bytes().to_vec();
        bytes.resize(4 << 20, b'a');
        let items: Vec<_> = open(gzip(&bytes), Limits::default()).unwrap().collect();
        assert!(matches!(items[..], [Err(Error::Archive { .. })]), "{}", items.len());
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
        #[test]
        fn damage_never_panics(flips in proptest::collection::vec((0usize..4096, 0u8..=255), 1..12), cut in 0usize..4096) {
            let files: [(&str, &[u8]); 3] = [("a/1.jpg", JPEG), ("b/2.jpg", JPEG), ("c/3.txt", b"text")];
            let tar = tar_of(&files);
            for mut bytes in [zip_of(&files), gzip(&tar), tar] {
                for (at, value) in &flips {
                    let at = at % bytes.len();
                    bytes[at] = *value;
                }
                bytes.truncate(bytes.len() - cut.min(bytes.len() / 2) * usize::from(flips.len() % 2 == 0));
                if let Ok(archive) = open(bytes, Limits::default()) {
                    prop_assert!(archive.count() < 100);
                }
            }
        }

        #[test]
        fn garbage_after_a_signature_never_panics(
            garbage in proptest::collection::vec(0u8..=255, 0..2000), kind in 0usize..3,
        ) {
            let mut bytes = [b"PK\x03\x04".to_vec(), vec![0x1f, 0x8b, 8, 0], vec![b'x'; 257]][kind].clone();
            if kind == 2 {
                bytes.extend(b"ustar\0");
            }
            bytes.extend(garbage);
            if let Ok(archive) = open(bytes, Limits::default()) {
                prop_assert!(archive.count() < 100);
            }
        }
    }
}
