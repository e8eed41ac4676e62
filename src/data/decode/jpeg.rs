//! JPEG, whole by `zune-jpeg`, or scaled down to a half, a quarter or an eighth while decoding by `jpeg-decoder`.

use super::profile::Profile;
use super::{LARGEST_PIXELS, LARGEST_SCALED_PIXELS, Raw, budget, check_pixels, damaged};
use crate::error::Words;
use image::metadata::Orientation;
use image::{DynamicImage, RgbaImage};
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

/// Decodes a JPEG; it may come smaller, though with at least `least` pixels along both axes.
pub fn decode(bytes: &[u8], least: usize) -> Result<Raw, Words> {
    let options = DecoderOptions::default()
        .set_strict_mode(false)
        .set_max_width(usize::from(u16::MAX))
        .set_max_height(usize::from(u16::MAX))
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(|_| damaged())?;
    let (width, height) = decoder.dimensions().ok_or_else(damaged)?;
    let orientation = decoder
        .exif()
        .and_then(|exif| Orientation::from_exif_chunk(exif))
        .unwrap_or(Orientation::NoTransforms);
    let inks = matches!(decoder.input_colorspace(), Some(ColorSpace::CMYK | ColorSpace::YCCK));
    // A profile of printing inks says nothing of the red, green and blue that the inks have become.
    let icc = if inks { None } else { decoder.icc_profile() };
    let profile = icc.and_then(|icc| Profile::read(&icc));
    let raw = |image| Raw {
        image: DynamicImage::ImageRgba8(image),
        original: [width, height],
        orientation,
        profile,
    };
    let pixels = width as u64 * height as u64;
    if let Some(eighths) = scale(width, height, least) {
        check_pixels(width as u64, height as u64, LARGEST_SCALED_PIXELS)?;
        // A progressive photo's coefficients are all there before the first of its pixels.
        let _held = budget::hold(pixels * 6);
        if let Some(image) = scaled(bytes, [width, height].map(|side| scaled_side(side, eighths))) {
            return Ok(raw(image));
        }
    }
    check_pixels(width as u64, height as u64, LARGEST_PIXELS)?;
    let _held = budget::hold(pixels * 8);
    // Not straight to RGBA: the decoder's vector path for that order puts the channels elsewhere.
    let rgb = decoder.decode().map_err(|_| damaged())?;
    Ok(raw(
        rgba(rgb.chunks_exact(3).map(|p| [p[0], p[1], p[2]]), width, height).ok_or_else(damaged)?
    ))
}

/// The smallest scale, in eighths, that leaves `least` pixels along both axes; none if the whole picture is wanted.
fn scale(width: usize, height: usize, least: usize) -> Option<usize> {
    [1, 2, 4].into_iter().find(|&eighths| scaled_side(width.min(height), eighths) >= least)
}

fn scaled_side(side: usize, eighths: usize) -> usize {
    (side * eighths).div_ceil(8)
}

/// The picture at this size; none where this decoder cannot read it, though the other one may.
fn scaled(bytes: &[u8], [width, height]: [usize; 2]) -> Option<RgbaImage> {
    use jpeg_decoder::{Decoder, PixelFormat};
    let mut decoder = Decoder::new(bytes);
    let side = |side: usize| u16::try_from(side).ok();
    let (width, height) = decoder.scale(side(width)?, side(height)?).ok()?;
    let (width, height) = (usize::from(width), usize::from(height));
    let pixels = decoder.decode().ok()?;
    match decoder.info()?.pixel_format {
        PixelFormat::RGB24 => {
            rgba(pixels.chunks_exact(3).map(|p| [p[0], p[1], p[2]]), width, height)
        }
        PixelFormat::L8 => rgba(pixels.iter().map(|&grey| [grey; 3]), width, height),
        PixelFormat::CMYK32 => {
            let inks = pixels.chunks_exact(4);
            rgba(inks.map(|p| [0, 1, 2].map(|i| without(p[i], p[3]))), width, height)
        }
        PixelFormat::L16 => None,
    }
}

/// Light that an ink and black leave of white.
fn without(ink: u8, black: u8) -> u8 {
    let product = u32::from(255 - ink) * u32::from(255 - black) + 128;
    ((product + (product >> 8)) >> 8) as u8
}

fn rgba(
    pixels: impl ExactSizeIterator<Item = [u8; 3]>,
    width: usize,
    height: usize,
) -> Option<RgbaImage> {
    let mut bytes = vec![255; 4 * pixels.len()];
    for (rgba, rgb) in bytes.chunks_exact_mut(4).zip(pixels) {
        rgba[..3].copy_from_slice(&rgb);
    }
    RgbaImage::from_raw(u32::try_from(width).ok()?, u32::try_from(height).ok()?, bytes)
}
