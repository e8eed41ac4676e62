//! A small photo inside a text file: PNG (ISO/IEC 15948) as a data URL (RFC 2397).

use flate2::{Compression, Crc, write::ZlibEncoder};
use std::io::Write;

/// Colour type 2 of PNG: red, green and blue, eight bits each.
const RGB: u8 = 2;

/// The data URL of a photo, `[size, size, 4]` bytes, its alpha left out.
pub fn data_url(rgba: &[u8], size: usize) -> String {
    format!("data:image/png;base64,{}", base64(&png(rgba, size)))
}

fn png(rgba: &[u8], size: usize) -> Vec<u8> {
    let mut rows = ZlibEncoder::new(Vec::new(), Compression::best());
    for row in rgba.chunks_exact((4 * size).max(1)) {
        // Each row begins with its filter: none.
        let mut bytes = vec![0];
        bytes.extend(row.chunks_exact(4).flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]));
        // Writing to memory does not fail.
        let _ = rows.write_all(&bytes);
    }
    let mut header = Vec::new();
    header.extend((size as u32).to_be_bytes());
    header.extend((size as u32).to_be_bytes());
    header.extend([8, RGB, 0, 0, 0]);
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(&mut file, b"IHDR", &header);
    chunk(&mut file, b"IDAT", &rows.finish().unwrap_or_default());
    chunk(&mut file, b"IEND", &[]);
    file
}

fn chunk(file: &mut Vec<u8>, kind: &[u8; 4], data: &[u8]) {
    let mut sum = Crc::new();
    sum.update(kind);
    sum.update(data);
    file.extend((data.len() as u32).to_be_bytes());
    file.extend(kind);
    file.extend(data);
    file.extend(sum.sum().to_be_bytes());
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..4 {
            let value = (bits >> (18 - 6 * digit)) as usize & 63;
            text.push(if digit <= group.len() { char::from(DIGITS[value]) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_pads_as_rfc_4648_says() {
        let examples =
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")];
        for (bytes, text) in examples {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }

    #[cfg(feature = "cli")]
    #[test]
    fn a_decoder_reads_the_same_pixels() {
        let rgba: Vec<u8> =
            (0..7 * 7 * 4).map(|i| if i % 4 == 3 { 255 } else { i as u8 }).collect();
        let read = crate::data::decode::decode("a.png", &png(&rgba, 7)).unwrap();
        assert_eq!((read.width, read.height, read.rgba), (7, 7, rgba));
    }
}
