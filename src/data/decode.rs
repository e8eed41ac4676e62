//! Photo files to pixels, by the same decoders in the page and in the terminal, so that both see the same bytes.
//!
//! All decoders are Rust, and what they compute is whole numbers: their vector paths give the bytes of their plain ones.

mod budget;
mod jpeg;
mod profile;

use super::image_kind::{ImageKind, sniff};
use super::resize::resize;
use crate::error::{Error, Result, Words};
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};
use profile::Profile;
use std::io::Cursor;

/// The most pixels a photo may have that is decoded whole; what fits the memory of a tab.
pub const LARGEST_PIXELS: u64 = 64_000_000;

/// The most pixels of a JPEG that is scaled down while it is decoded.
pub const LARGEST_SCALED_PIXELS: u64 = 200_000_000;

/// The most bytes that decoding one photo may take.
const LARGEST_ALLOCATION: u64 = 512 << 20;

/// A JPEG is scaled down while it is decoded as long as it stays this many times as large as what is kept of it: the
/// resizer's filter then has as many source pixels under it as it needs to average well.
const MARGIN: usize = 2;

/// A decoded photo, upright, in sRGB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// `[height, width, 4]` bytes: straight alpha, row by row.
    pub rgba: Vec<u8>,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Columns and rows of the photo in its file, upright; more than `width` and `height` where it was scaled down.
    pub original: [usize; 2],
}

/// What is kept of a photo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// `[size, size, 4]` bytes, opaque.
    pub pixels: Vec<u8>,
    /// Columns of the photo in its file, upright.
    pub width: usize,
    /// Rows of the photo in its file, upright.
    pub height: usize,
}

/// Decodes a photo file whole, turned upright as its EXIF data say and converted to sRGB from its colour profile.
/// `name` is for error messages.
///
/// # Errors
/// [`Error::Photo`] if it is no photo that is read here, is damaged, or is too large.
pub fn decode(name: &str, bytes: &[u8]) -> Result<Picture> {
    decode_for(name, bytes, usize::MAX)
}

/// Decodes a photo file to the `size × size` pixels that are kept of it: [`decode`], then [`resize`], but for large
/// JPEGs, which are scaled down on the way.
///
/// # Errors
/// [`Error::Photo`] as for [`decode`], [`Error::Setting`] if the size is out of range.
pub fn decode_kept(name: &str, bytes: &[u8], size: usize) -> Result<Kept> {
    let picture = decode_for(name, bytes, size.saturating_mul(MARGIN))?;
    let [width, height] = picture.original;
    let pixels = resize(&picture.rgba, picture.width, picture.height, size)?;
    Ok(Kept { pixels, width, height })
}

/// Decodes a photo file; a JPEG may come smaller, though with at least `least` pixels along both axes.
fn decode_for(name: &str, bytes: &[u8], least: usize) -> Result<Picture> {
    let wrong = |reason| Error::Photo { name: name.into(), reason };
    let kind = sniff(bytes).map_err(wrong)?;
    let raw = match kind.foreign() {
        Some(reason) => Err(reason),
        None => guarded(|| match kind {
            ImageKind::Jpeg => jpeg::decode(bytes, least),
            _ => other(kind, bytes),
        }),
    };
    raw.map(Raw::upright).map_err(wrong)
}

/// A decoder that panics on a damaged file must not end the program: where panics can be caught they mean damage.
fn guarded<T>(
    work: impl FnOnce() -> std::result::Result<T, Words>,
) -> std::result::Result<T, Words> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).unwrap_or_else(|_| Err(damaged()))
}

/// A picture as a decoder gives it.
struct Raw {
    image: DynamicImage,
    /// Columns and rows in the file, not yet turned.
    original: [usize; 2],
    orientation: Orientation,
    profile: Option<Profile>,
}

impl Raw {
    fn upright(self) -> Picture {
        let Self { image, mut original, orientation, profile } = self;
        let mut image = DynamicImage::ImageRgba8(image.into_rgba8());
        image.apply_orientation(orientation);
        let rgba = image.into_rgba8();
        let (width, height) = (rgba.width() as usize, rgba.height() as usize);
        let mut rgba = rgba.into_raw();
        if let Some(profile) = profile {
            profile.to_srgb(&mut rgba);
        }
        use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
        if matches!(orientation, Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH) {
            original.reverse();
        }
        Picture { rgba, width, height, original }
    }
}

/// Everything but JPEG; of an animation the first picture.
fn other(kind: ImageKind, bytes: &[u8]) -> std::result::Result<Raw, Words> {
    let format = match kind {
        ImageKind::Png => ImageFormat::Png,
        ImageKind::WebP => ImageFormat::WebP,
        ImageKind::Gif => ImageFormat::Gif,
        ImageKind::Bmp => ImageFormat::Bmp,
        _ => ImageFormat::Tiff,
    };
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    limits.max_alloc = Some(LARGEST_ALLOCATION);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(reason)?;
    let (width, height) = decoder.dimensions();
    check_pixels(width.into(), height.into(), LARGEST_PIXELS)?;
    // Data about the picture may be damaged where the picture is not.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let profile = decoder.icc_profile().ok().flatten().and_then(|icc| Profile::read(&icc));
    let memory = u64::from(width)
        * u64::from(height)
        * (4 + u64::from(decoder.color_type().bytes_per_pixel()));
    let _held = budget::hold(memory);
    let image = DynamicImage::from_decoder(decoder).map_err(reason)?;
    Ok(Raw { image, original: [width as usize, height as usize], orientation, profile })
}

fn check_pixels(width: u64, height: u64, most: u64) -> std::result::Result<(), Words> {
    if width == 0 || height == 0 {
        return Err(damaged());
    }
    if width * height > most {
        let millions = most / 1_000_000;
        return Err(Words::of("reason.too_many_pixels")
            .with("width", width)
            .with("height", height)
            .with("millions", millions));
    }
    Ok(())
}

/// Why a picture cannot be read, in a person's words; the decoders' own words help nobody who has photos.
fn reason(error: image::ImageError) -> Words {
    match error {
        image::ImageError::Unsupported(_) => Words::of("reason.unknown_kind"),
        image::ImageError::Limits(_) => Words::of("reason.too_large"),
        _ => damaged(),
    }
}

fn damaged() -> Words {
    Words::of("reason.damaged")
}

#[cfg(test)]
mod tests;
