//! What every decoder makes of small samples, natively and as WebAssembly alike.

use super::*;

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// 61 × 43, chroma at half the resolution.
const BASELINE: &[u8] = include_bytes!("samples/baseline.jpg");
/// 61 × 43, in several scans.
const PROGRESSIVE: &[u8] = include_bytes!("samples/progressive.jpg");
/// 40 × 64.
const GREY: &[u8] = include_bytes!("samples/grey.jpg");
/// 48 × 32 in printing inks, as brightness, two colours and black (YCCK).
const INKS: &[u8] = include_bytes!("samples/inks.jpg");
/// 61 × 43.
const LOSSY_WEBP: &[u8] = include_bytes!("samples/lossy.webp");
/// 33 × 21.
const LOSSLESS_WEBP: &[u8] = include_bytes!("samples/lossless.webp");
/// 24 × 16, a red and then a blue picture.
const ANIMATED: &[u8] = include_bytes!("samples/animated.gif");
/// 4032 × 3024, twelve megapixels as telephones make them.
const PHONE: &[u8] = include_bytes!("samples/phone.jpg");

/// A wide picture, red on the left and blue on the right, in a format.
fn encoded(format: ImageFormat) -> Vec<u8> {
    let picture = image::RgbImage::from_fn(32, 16, |x, _| {
        image::Rgb(if x < 16 { [250, 10, 10] } else { [10, 10, 250] })
    });
    written(&DynamicImage::ImageRgb8(picture), format)
}

fn written(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// The JPEG with a segment of data about it.
fn with_segment(jpeg: &[u8], marker: u8, content: &[u8]) -> Vec<u8> {
    let length = (content.len() as u16 + 2).to_be_bytes();
    [&jpeg[..2], &[0xff, marker], &length, content, &jpeg[2..]].concat()
}

/// The JPEG with an EXIF segment that states an orientation.
fn with_orientation(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let tiff = [
        b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".as_slice(),
        &[orientation, 0, 0, 0, 0, 0, 0, 0],
    ];
    with_segment(jpeg, 0xe1, &tiff.concat())
}

/// The JPEG with a colour profile.
fn with_profile(jpeg: &[u8], icc: &[u8]) -> Vec<u8> {
    with_segment(jpeg, 0xe2, &[b"ICC_PROFILE\0\x01\x01", icc].concat())
}

/// A colour profile of these tags.
fn profile(space: &[u8; 4], tags: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
    let mut icc = vec![0; 132 + 12 * tags.len()];
    icc[16..20].copy_from_slice(space);
    icc[36..40].copy_from_slice(b"acsp");
    icc[128..132].copy_from_slice(&(tags.len() as u32).to_be_bytes());
    for (i, (name, content)) in tags.iter().enumerate() {
        let place = [icc.len() as u32, content.len() as u32].map(u32::to_be_bytes);
        let entry = [name.as_slice(), &place[0], &place[1]].concat();
        icc[132 + 12 * i..][..12].copy_from_slice(&entry);
        icc.extend(content);
    }
    icc
}

fn fixed(value: f64) -> [u8; 4] {
    ((value * 65536.0).round() as i32).to_be_bytes()
}

fn primary(xyz: [f64; 3]) -> Vec<u8> {
    [b"XYZ \0\0\0\0".as_slice(), &xyz.map(fixed).concat()].concat()
}

/// The curve of sRGB as five parameters.
fn srgb_curve() -> Vec<u8> {
    let parameters = [2.4, 1.0 / 1.055, 0.055 / 1.055, 1.0 / 12.92, 0.04045].map(fixed).concat();
    [b"para\0\0\0\0\0\x03\0\0".as_slice(), &parameters].concat()
}

fn rgb_profile(primaries: [[f64; 3]; 3]) -> Vec<u8> {
    let [red, green, blue] = primaries.map(primary);
    let tags: [(&[u8; 4], Vec<u8>); 6] = [
        (b"rXYZ", red),
        (b"gXYZ", green),
        (b"bXYZ", blue),
        (b"rTRC", srgb_curve()),
        (b"gTRC", srgb_curve()),
        (b"bTRC", srgb_curve()),
    ];
    profile(b"RGB ", &tags)
}

/// Display P3, as newer telephones write it.
fn display_p3() -> Vec<u8> {
    rgb_profile([
        [0.51512, 0.2412, -0.00105],
        [0.29198, 0.69225, 0.04189],
        [0.1571, 0.06657, 0.78407],
    ])
}

fn srgb() -> Vec<u8> {
    rgb_profile([
        [0.43607, 0.22249, 0.01392],
        [0.38515, 0.71687, 0.09708],
        [0.14307, 0.06061, 0.7141],
    ])
}

fn pixel(picture: &Picture, x: usize, y: usize) -> [u8; 4] {
    picture.rgba[4 * (y * picture.width + x)..][..4].try_into().unwrap()
}

fn is_red(picture: &Picture, x: usize, y: usize) -> bool {
    let [red, _, blue, alpha] = pixel(picture, x, y);
    assert_eq!(alpha, 255);
    red > 200 && blue < 60
}

#[test]
fn reads_six_formats() {
    use ImageFormat::{Bmp, Gif, Jpeg, Png, Tiff, WebP};
    for format in [Jpeg, Png, WebP, Gif, Bmp, Tiff] {
        let picture = decode("x", &encoded(format)).unwrap();
        assert_eq!((picture.width, picture.height), (32, 16), "{format:?}");
        assert!(is_red(&picture, 2, 8) && !is_red(&picture, 29, 8), "{format:?}");
    }
}

/// The same numbers natively and as WebAssembly: a model then answers alike in the page and in the terminal.
#[test]
fn photos_give_the_same_bytes_everywhere() {
    let deep =
        image::ImageBuffer::from_fn(37, 23, |x, y| image::Luma([(x * 1700 + y * 91) as u16]));
    let deep = written(&DynamicImage::ImageLuma16(deep), ImageFormat::Png);
    let clear = image::RgbaImage::from_fn(29, 31, |x, y| {
        image::Rgba([x as u8 * 8, y as u8 * 8, 99, (x * y) as u8])
    });
    let clear = written(&DynamicImage::ImageRgba8(clear), ImageFormat::Png);
    let mut straight_inks = INKS.to_vec();
    assert_eq!(straight_inks[17], 2, "the kind of colours in the segment of Adobe");
    straight_inks[17] = 0;
    let phone = with_profile(&with_orientation(PHONE, 6), &display_p3());
    let samples: [(&str, &[u8], usize, &str); 14] = [
        ("baseline", BASELINE, 80, "1dcb3610329b3c0c"),
        ("scaled to a half", BASELINE, 10, "ef897e4b19bd69de"),
        ("scaled to an eighth", BASELINE, 2, "c3087169c7d615df"),
        ("progressive", PROGRESSIVE, 80, "58a54dbea035613a"),
        ("progressive scaled", PROGRESSIVE, 4, "1ecf96c45f85306d"),
        ("grey", GREY, 20, "42b64d2006bc4678"),
        ("grey scaled", GREY, 5, "d8d6a00c173df861"),
        ("YCCK", INKS, 40, "4e5c466f0660dcaf"),
        ("CMYK scaled", &straight_inks, 4, "111f896165c3d8d7"),
        ("lossy WebP", LOSSY_WEBP, 80, "c63b65752a862d2b"),
        ("lossless WebP", LOSSLESS_WEBP, 80, "e5684a2085750d73"),
        ("16 bits", &deep, 80, "740e9bdb5f3b6509"),
        ("alpha", &clear, 80, "b2918824d2f47866"),
        ("a telephone's", &phone, 280, "e59bcd32ac1ca0cc"),
    ];
    let hash = |bytes: &[u8]| blake3::hash(bytes).to_hex()[..16].to_string();
    let found = samples.map(|(name, bytes, size, _)| {
        let kept = decode_kept(name, bytes, size).unwrap();
        (name, hash(&kept.pixels))
    });
    let expected = samples.map(|(name, _, _, hash)| (name, hash.to_string()));
    assert_eq!(found, expected);
}

#[test]
fn photos_are_turned_upright() {
    let jpeg = encoded(ImageFormat::Jpeg);
    // Orientation 6: turn right, so that the left side comes up; 3: upside down; 8: turn left.
    let right = decode("x", &with_orientation(&jpeg, 6)).unwrap();
    assert_eq!((right.width, right.height, right.original), (16, 32, [16, 32]));
    assert!(is_red(&right, 8, 2) && !is_red(&right, 8, 29));
    let down = decode("x", &with_orientation(&jpeg, 3)).unwrap();
    assert!(!is_red(&down, 2, 8) && is_red(&down, 29, 8));
    let left = decode("x", &with_orientation(&jpeg, 8)).unwrap();
    assert!(!is_red(&left, 8, 2) && is_red(&left, 8, 29));
}

#[test]
fn a_large_photo_is_scaled_while_decoding_and_looks_the_same() {
    let kept = decode_kept("x", &with_orientation(PHONE, 6), 120).unwrap();
    assert_eq!((kept.width, kept.height), (3024, 4032));
    let whole = decode("x", &with_orientation(PHONE, 6)).unwrap();
    assert_eq!((whole.width, whole.height), (3024, 4032));
    let pixels = resize(&whole.rgba, whole.width, whole.height, 120).unwrap();
    let differences = pixels.iter().zip(&kept.pixels).map(|(a, b)| a.abs_diff(*b));
    let mean = differences.clone().map(f64::from).sum::<f64>() / pixels.len() as f64;
    let most = differences.max().unwrap_or(0);
    assert!(mean < 1.0 && most <= 4, "{mean} on average, {most} at most");
}

#[test]
fn photos_near_the_size_that_is_kept_are_decoded_whole() {
    let picture = decode("x", BASELINE).unwrap();
    for size in [80, 22, 16] {
        let whole = resize(&picture.rgba, 61, 43, size).unwrap();
        assert_eq!(decode_kept("x", BASELINE, size).unwrap().pixels, whole, "{size}");
    }
}

#[test]
fn inks_become_light() {
    // What another program reads there: no cyan, 223 magenta, 192 yellow, 99 black; 149, 6, 194 and 126.
    for (x, y, light) in [(10, 10, [156, 20, 39]), (40, 25, [54, 126, 31])] {
        let found = pixel(&decode("x", INKS).unwrap(), x, y);
        for (found, expected) in found.iter().zip(light) {
            assert!(found.abs_diff(expected) <= 4, "{found:?}");
        }
    }
}

#[test]
fn colours_are_converted_from_the_profile() {
    let jpeg = encoded(ImageFormat::Jpeg);
    let plain = decode("x", &jpeg).unwrap();
    assert_eq!(decode("x", &with_profile(&jpeg, &srgb())).unwrap(), plain);
    assert_eq!(decode("x", &with_profile(&jpeg, &srgb()[..150])).unwrap(), plain);
    assert_eq!(decode("x", &with_profile(&jpeg, b"no profile")).unwrap(), plain);
    // A mixed colour of Display P3 in sRGB, by the matrices of both.
    let orange = image::RgbImage::from_pixel(16, 16, image::Rgb([200, 120, 60]));
    let mut bytes = Cursor::new(Vec::new());
    image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 100)
        .encode_image(&DynamicImage::ImageRgb8(orange))
        .unwrap();
    let picture = decode("x", &with_profile(&bytes.into_inner(), &display_p3())).unwrap();
    let found = pixel(&picture, 8, 8);
    for (channel, expected) in [(0, 213), (1, 115), (2, 42)] {
        assert!(found[channel].abs_diff(expected) <= 3, "{found:?}");
    }
}

#[test]
fn grey_is_converted_by_its_curve() {
    let linear = profile(b"GRAY", &[(b"kTRC", b"curv\0\0\0\0\0\0\0\0".to_vec())]);
    let grey = image::GrayImage::from_pixel(16, 16, image::Luma([55]));
    let jpeg = written(&DynamicImage::ImageLuma8(grey), ImageFormat::Jpeg);
    let picture = decode("x", &with_profile(&jpeg, &linear)).unwrap();
    // 55 of 255 of the light is the middle grey of sRGB.
    assert!(pixel(&picture, 8, 8)[0].abs_diff(128) <= 2, "{:?}", pixel(&picture, 8, 8));
}

#[test]
fn of_an_animation_the_first_picture_is_read() {
    assert!(is_red(&decode("x", ANIMATED).unwrap(), 12, 8));
}

#[test]
fn damaged_and_foreign_files_are_told_apart() {
    let error = decode("a/b.txt", b"text").unwrap_err();
    assert_eq!(error.to_string(), "photo a/b.txt: not an image");
    let error = decode("x", b"\0\0\0\x1cftypavif\0\0\0\0").unwrap_err();
    assert_eq!(error.to_string(), "photo x: an AVIF; save it as JPEG or PNG");
    use ImageFormat::{Bmp, Gif, Jpeg, Png, Tiff, WebP};
    for format in [Jpeg, Png, WebP, Gif, Bmp, Tiff] {
        let bytes = encoded(format);
        let error = decode("x", &bytes[..20]).unwrap_err();
        assert_eq!(error.to_string(), "photo x: damaged or not complete", "{format:?}");
    }
}

#[test]
fn a_header_that_claims_a_huge_picture_is_refused() {
    let mut png = encoded(ImageFormat::Png);
    png[16..24].copy_from_slice(&[0, 1, 0, 0, 0, 1, 0, 0]);
    assert!(matches!(decode("x", &png), Err(Error::Photo { .. })));
    let mut jpeg = encoded(ImageFormat::Jpeg);
    let frame = jpeg.windows(2).position(|marker| marker == [0xff, 0xc0]).unwrap();
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0xff; 4]);
    for size in [8, 280] {
        let error = decode_kept("x", &jpeg, size).unwrap_err().to_string();
        assert!(error.contains("at most"), "{error}");
    }
}

#[test]
fn damage_anywhere_never_ends_the_program() {
    let mut dice = 1u32;
    for sample in [BASELINE, PROGRESSIVE, GREY, INKS, LOSSY_WEBP, LOSSLESS_WEBP, ANIMATED] {
        for _ in 0..40 {
            let mut bytes = sample.to_vec();
            for _ in 0..3 {
                dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let at = dice as usize % bytes.len();
                bytes[at] = (dice >> 24) as u8;
            }
            for size in [2, 80] {
                // Either is right: what matters is that it returns.
                let _ = decode_kept("x", &bytes, size);
            }
        }
    }
}
