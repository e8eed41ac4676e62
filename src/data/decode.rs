//! Photo files to pixels, for the terminal; the page leaves this to the browser.

use super::image_kind::{ImageKind, sniff};
use crate::error::{Error, Result};
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};
use std::io::Cursor;

/// The most pixels a photo may have; four times what large cameras make.
pub const LARGEST_PIXELS: u64 = 200_000_000;

/// The most bytes that decoding one photo may take.
const LARGEST_ALLOCATION: u64 = 1 << 30;

/// A decoded photo, upright.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// `[height, width, 4]` bytes: straight alpha, row by row.
    pub rgba: Vec<u8>,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

/// Decodes a JPEG, PNG or WebP file and turns it upright as its EXIF data say. `name` is for error messages.
///
/// # Errors
/// [`Error::Photo`] if it is no such file, is damaged, or is too large.
pub fn decode(name: &str, bytes: &[u8]) -> Result<Picture> {
    let wrong = |reason: String| Error::Photo { name: name.into(), reason };
    let format = match sniff(bytes).map_err(|reason| wrong(reason.into()))? {
        ImageKind::Jpeg => ImageFormat::Jpeg,
        ImageKind::Png => ImageFormat::Png,
        ImageKind::WebP => ImageFormat::WebP,
    };
    let damaged = |error: image::ImageError| wrong(format!("damaged ({error})"));
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    limits.max_alloc = Some(LARGEST_ALLOCATION);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(damaged)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > LARGEST_PIXELS {
        return Err(wrong(format!(
            "{width} × {height} pixels, at most {LARGEST_PIXELS} can be read"
        )));
    }
    let orientation = decoder.orientation().map_err(damaged)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(damaged)?;
    picture.apply_orientation(orientation);
    let rgba = picture.into_rgba8();
    let (width, height) = (rgba.width() as usize, rgba.height() as usize);
    Ok(Picture { rgba: rgba.into_raw(), width, height })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A wide picture, red on the left and blue on the right, in a format.
    fn encoded(format: ImageFormat) -> Vec<u8> {
        let picture = image::RgbImage::from_fn(32, 16, |x, _| {
            image::Rgb(if x < 16 { [250, 10, 10] } else { [10, 10, 250] })
        });
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    /// The JPEG with an EXIF segment that states an orientation.
    fn with_orientation(jpeg: &[u8], orientation: u8) -> Vec<u8> {
        let tiff = [
            b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".as_slice(),
            &[orientation, 0, 0, 0, 0, 0, 0, 0],
        ]
        .concat();
        let length = (tiff.len() as u16 + 2).to_be_bytes();
        [&jpeg[..2], b"\xff\xe1", &length, &tiff, &jpeg[2..]].concat()
    }

    fn is_red(picture: &Picture, x: usize, y: usize) -> bool {
        let pixel = &picture.rgba[4 * (y * picture.width + x)..][..4];
        assert_eq!(pixel[3], 255);
        pixel[0] > 200 && pixel[2] < 60
    }

    #[test]
    fn reads_three_formats() {
        for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
            let picture = decode("x", &encoded(format)).unwrap();
            assert_eq!((picture.width, picture.height), (32, 16), "{format:?}");
            assert!(is_red(&picture, 2, 8) && !is_red(&picture, 29, 8), "{format:?}");
        }
    }

    #[test]
    fn photos_are_turned_upright() {
        let jpeg = encoded(ImageFormat::Jpeg);
        // Orientation 6: turn right, so that the left side comes up; 3: upside down; 8: turn left.
        let right = decode("x", &with_orientation(&jpeg, 6)).unwrap();
        assert_eq!((right.width, right.height), (16, 32));
        assert!(is_red(&right, 8, 2) && !is_red(&right, 8, 29));
        let down = decode("x", &with_orientation(&jpeg, 3)).unwrap();
        assert!(!is_red(&down, 2, 8) && is_red(&down, 29, 8));
        let left = decode("x", &with_orientation(&jpeg, 8)).unwrap();
        assert!(!is_red(&left, 8, 2) && is_red(&left, 8, 29));
    }

    #[test]
    fn damaged_and_foreign_files_are_told_apart() {
        let error = decode("a/b.txt", b"text").unwrap_err();
        assert_eq!(error.to_string(), "photo a/b.txt: not an image");
        for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
            let bytes = encoded(format);
            let error = decode("x", &bytes[..20]).unwrap_err();
            assert!(error.to_string().starts_with("photo x: damaged"), "{error}");
        }
    }

    #[test]
    fn a_header_that_claims_a_huge_picture_is_refused() {
        let mut png = encoded(ImageFormat::Png);
        png[16..24].copy_from_slice(&[0, 1, 0, 0, 0, 1, 0, 0]);
        assert!(matches!(decode("x", &png), Err(Error::Photo { .. })));
    }
}
