//! Which image format a file is in, by its first bytes; names lie too often.

use crate::error::Words;

/// The formats of photos.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageKind {
    /// JPEG.
    Jpeg,
    /// PNG.
    Png,
    /// WebP.
    WebP,
    /// GIF.
    Gif,
    /// BMP.
    Bmp,
    /// TIFF, or a raw photo that begins like one.
    Tiff,
    /// AVIF, which browsers read.
    Avif,
    /// HEIC, which some browsers read.
    Heic,
}

impl ImageKind {
    /// Why photos of this kind are not read here, for people; a browser may read them.
    pub fn foreign(self) -> Option<Words> {
        match self {
            Self::Avif => Some(Words::of("reason.avif")),
            Self::Heic => Some(Words::of("reason.heic")),
            _ => None,
        }
    }
}

/// Bytes at the start of a file that are enough to tell.
pub const SNIFF_BYTES: usize = 16;

/// The format of a file that starts with these bytes.
///
/// # Errors
/// Why it is none, for people.
///
/// ```
/// use floret::data::image_kind::{ImageKind, sniff};
/// assert_eq!(sniff(b"\xff\xd8\xff\xe0 ..."), Ok(ImageKind::Jpeg));
/// assert!(sniff(b"just text").is_err());
/// ```
pub fn sniff(start: &[u8]) -> Result<ImageKind, Words> {
    let brand = start.get(4..12).unwrap_or_default();
    if start.starts_with(b"\xff\xd8\xff") {
        Ok(ImageKind::Jpeg)
    } else if start.starts_with(b"\x89PNG\r\n\x1a\n") {
        Ok(ImageKind::Png)
    } else if start.starts_with(b"RIFF") && start.get(8..12) == Some(b"WEBP") {
        Ok(ImageKind::WebP)
    } else if start.starts_with(b"GIF8") {
        Ok(ImageKind::Gif)
    } else if start.starts_with(b"BM")
        && matches!(start.get(14), Some(12 | 40 | 52 | 56 | 64 | 108 | 124))
    {
        // Two letters alone would take texts for pictures; the size of the header that follows does not.
        Ok(ImageKind::Bmp)
    } else if start.starts_with(b"II*\0") || start.starts_with(b"MM\0*") {
        Ok(ImageKind::Tiff)
    } else if brand.starts_with(b"ftypavi") {
        Ok(ImageKind::Avif)
    } else if brand.starts_with(b"ftyphe") || brand.starts_with(b"ftypmif1") {
        Ok(ImageKind::Heic)
    } else if start.is_empty() {
        Err(Words::of("reason.empty"))
    } else {
        Err(Words::of("reason.no_image"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_by_their_first_bytes() {
        assert_eq!(sniff(b"\x89PNG\r\n\x1a\n...."), Ok(ImageKind::Png));
        assert_eq!(sniff(b"RIFF\0\0\0\0WEBPVP8 "), Ok(ImageKind::WebP));
        assert_eq!(sniff(b"RIFF\0\0\0\0WAVEfmt "), Err(Words::of("reason.no_image")));
        assert_eq!(sniff(b"RIFF"), Err(Words::of("reason.no_image")));
        assert_eq!(sniff(b"\0\0\0\x18ftypheic\0\0\0\0"), Ok(ImageKind::Heic));
        assert_eq!(ImageKind::Heic.foreign(), Some(Words::of("reason.heic")));
        assert_eq!(ImageKind::Jpeg.foreign(), None);
        assert_eq!(sniff(b""), Err(Words::of("reason.empty")));
    }
}
