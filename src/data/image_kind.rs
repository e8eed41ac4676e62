//! Which image format a file is in, by its first bytes; names lie too often.

/// The formats that the page and the terminal both read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageKind {
    /// JPEG.
    Jpeg,
    /// PNG.
    Png,
    /// WebP.
    WebP,
}

/// Bytes at the start of a file that are enough to tell.
pub const SNIFF_BYTES: usize = 16;

/// The format of a file that starts with these bytes.
///
/// # Errors
/// Why it is none that can be read, for people.
///
/// ```
/// use floret::data::image_kind::{ImageKind, sniff};
/// assert_eq!(sniff(b"\xff\xd8\xff\xe0 ..."), Ok(ImageKind::Jpeg));
/// assert!(sniff(b"just text").is_err());
/// ```
pub fn sniff(start: &[u8]) -> Result<ImageKind, &'static str> {
    let brand = start.get(4..12).unwrap_or_default();
    if start.starts_with(b"\xff\xd8\xff") {
        Ok(ImageKind::Jpeg)
    } else if start.starts_with(b"\x89PNG\r\n\x1a\n") {
        Ok(ImageKind::Png)
    } else if start.starts_with(b"RIFF") && start.get(8..12) == Some(b"WEBP") {
        Ok(ImageKind::WebP)
    } else if start.starts_with(b"GIF8") {
        Err("a GIF; save it as JPEG or PNG")
    } else if start.starts_with(b"BM") {
        Err("a BMP; save it as JPEG or PNG")
    } else if start.starts_with(b"II*\0") || start.starts_with(b"MM\0*") {
        Err("a TIFF or raw photo; save it as JPEG or PNG")
    } else if brand.starts_with(b"ftypavif") {
        Err("an AVIF; save it as JPEG or PNG")
    } else if brand.starts_with(b"ftyphe") || brand.starts_with(b"ftypmif1") {
        Err("a HEIC photo; save it as JPEG or PNG")
    } else if start.is_empty() {
        Err("an empty file")
    } else {
        Err("not an image")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_by_their_first_bytes() {
        assert_eq!(sniff(b"\x89PNG\r\n\x1a\n...."), Ok(ImageKind::Png));
        assert_eq!(sniff(b"RIFF\0\0\0\0WEBPVP8 "), Ok(ImageKind::WebP));
        assert_eq!(sniff(b"RIFF\0\0\0\0WAVEfmt "), Err("not an image"));
        assert_eq!(sniff(b"RIFF"), Err("not an image"));
        assert_eq!(
            sniff(b"\0\0\0\x18ftypheic\0\0\0\0"),
            Err("a HEIC photo; save it as JPEG or PNG")
        );
        assert_eq!(sniff(b""), Err("an empty file"));
    }
}
