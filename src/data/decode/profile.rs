//! Colour profiles (ICC.1) of cameras and screens: three curves and a matrix, or one curve for grey, to sRGB.
//!
//! Profiles of printers and scanners, which are tables, are left alone: their pictures are taken as sRGB.

use std::sync::OnceLock;

/// From the connection space of profiles (XYZ under the light D50) to linear sRGB.
const XYZ_TO_SRGB: [[f64; 3]; 3] = [
    [3.133_856_1, -1.616_866_7, -0.490_614_6],
    [-0.978_768_4, 1.916_141_5, 0.033_454_0],
    [0.071_945_3, -0.228_991_4, 1.405_242_7],
];

/// The number that stands for full light in linear tables.
const FULL: f64 = 65535.0;

/// Bits behind the point of the matrix.
const FRACTION: u32 = 14;

/// Colours that differ by no more than this many levels are the same to the eye.
const SAME: u8 = 2;

/// A way from the colours of a profile to sRGB, in whole numbers.
pub struct Profile {
    /// Light of each of the 256 levels of red, green and blue, 0 to 65535.
    curves: [Vec<i32>; 3],
    /// Linear red, green and blue of the profile to those of sRGB, with [`FRACTION`] bits behind the point.
    matrix: [[i32; 3]; 3],
}

impl Profile {
    /// Reads a profile; none where it is sRGB, is of another kind, or is damaged: then colours stay as they are.
    pub fn read(icc: &[u8]) -> Option<Self> {
        let profile = match icc.get(16..20)? {
            b"RGB " => {
                let primaries = [b"rXYZ", b"gXYZ", b"bXYZ"].map(|tag| colour(tag_of(icc, tag)?));
                let curves = [b"rTRC", b"gTRC", b"bTRC"].map(|tag| curve(tag_of(icc, tag)?));
                let [Some(red), Some(green), Some(blue)] = primaries else { return None };
                let [Some(r), Some(g), Some(b)] = curves else { return None };
                let entry = |row: usize, primary: [f64; 3]| -> i32 {
                    let sum: f64 = (0..3).map(|i| XYZ_TO_SRGB[row][i] * primary[i]).sum();
                    (sum * f64::from(1 << FRACTION)).round() as i32
                };
                let row = |row| [entry(row, red), entry(row, green), entry(row, blue)];
                Self { curves: [r, g, b], matrix: [row(0), row(1), row(2)] }
            }
            b"GRAY" => {
                let grey = curve(tag_of(icc, b"kTRC")?)?;
                let one = 1 << FRACTION;
                let matrix = [[one, 0, 0], [0, one, 0], [0, 0, one]];
                Self { curves: [grey.clone(), grey.clone(), grey], matrix }
            }
            _ => return None,
        };
        (!profile.is_srgb()).then_some(profile)
    }

    /// Converts pixels, `[.., 4]` bytes of red, green, blue and alpha, to sRGB where they lie.
    pub fn to_srgb(&self, rgba: &mut [u8]) {
        let bytes = srgb_bytes();
        for pixel in rgba.chunks_exact_mut(4) {
            let colour = self.convert([pixel[0], pixel[1], pixel[2]], bytes);
            pixel[..3].copy_from_slice(&colour);
        }
    }

    fn convert(&self, colour: [u8; 3], bytes: &[u8]) -> [u8; 3] {
        let light = [0, 1, 2].map(|i| i64::from(self.curves[i][usize::from(colour[i])]));
        self.matrix.map(|row| {
            let sum: i64 = (0..3).map(|i| i64::from(row[i]) * light[i]).sum();
            let rounded = (sum + (1 << (FRACTION - 1))) >> FRACTION;
            bytes[rounded.clamp(0, FULL as i64) as usize]
        })
    }

    /// Whether no colour changes to the eye.
    fn is_srgb(&self) -> bool {
        let bytes = srgb_bytes();
        let levels = [0, 36, 73, 109, 146, 182, 219, 255];
        let colours = levels.iter().flat_map(|&r| levels.iter().map(move |&g| (r, g)));
        colours.flat_map(|(r, g)| levels.iter().map(move |&b| [r, g, b])).all(|colour| {
            let converted = self.convert(colour, bytes);
            (0..3).all(|i| converted[i].abs_diff(colour[i]) <= SAME)
        })
    }
}

/// The level of sRGB for each amount of light.
fn srgb_bytes() -> &'static [u8] {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    BYTES.get_or_init(|| {
        let level = |light: f64| match light {
            light if light <= 0.003_130_8 => 12.92 * light,
            light => 1.055 * light.powf(1.0 / 2.4) - 0.055,
        };
        (0..=FULL as u32).map(|i| (255.0 * level(f64::from(i) / FULL)).round() as u8).collect()
    })
}

/// The content of a tag.
fn tag_of<'a>(icc: &'a [u8], name: &[u8; 4]) -> Option<&'a [u8]> {
    let count = word(icc, 128)?.min(256);
    (0..count as usize).find_map(|i| {
        let entry = icc.get(132 + 12 * i..)?.get(..12)?;
        if !entry.starts_with(name) {
            return None;
        }
        let start = word(entry, 4)? as usize;
        icc.get(start..start.checked_add(word(entry, 8)? as usize)?)
    })
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..)?.get(..4)?.try_into().ok()?))
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..)?.get(..2)?.try_into().ok()?))
}

/// A number with 16 bits behind the point.
fn fixed(bytes: &[u8], at: usize) -> Option<f64> {
    Some(f64::from(word(bytes, at)? as i32) / 65536.0)
}

fn colour(tag: &[u8]) -> Option<[f64; 3]> {
    tag.starts_with(b"XYZ ").then_some(())?;
    Some([fixed(tag, 8)?, fixed(tag, 12)?, fixed(tag, 16)?])
}

/// The light of each of 256 levels.
fn curve(tag: &[u8]) -> Option<Vec<i32>> {
    let light: Box<dyn Fn(f64) -> f64> =
        match tag.get(..4)? {
            b"curv" => match word(tag, 8)? as usize {
                0 => Box::new(|level| level),
                1 => {
                    let gamma = f64::from(half(tag, 12)?) / 256.0;
                    Box::new(move |level| level.powf(gamma))
                }
                count => {
                    let entries = tag.get(12..)?.get(..count.checked_mul(2)?)?;
                    let at = move |i: usize| half(entries, 2 * i).map_or(0.0, f64::from) / FULL;
                    Box::new(move |level| {
                        let place = level * (count - 1) as f64;
                        let before = (place as usize).min(count - 2);
                        let part = place - before as f64;
                        at(before) * (1.0 - part) + at(before + 1) * part
                    })
                }
            },
            b"para" => {
                let p = |i: usize| fixed(tag, 12 + 4 * i);
                let [g, mut a, mut b, mut c, mut d, mut e, mut f] =
                    [p(0)?, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0];
                let kind = half(tag, 8)?;
                if kind > 0 {
                    (a, b) = (p(1)?, p(2)?);
                }
                match kind {
                    0 => {}
                    1 => d = -b / a,
                    2 => (c, d, e, f) = (0.0, -b / a, p(3)?, p(3)?),
                    3 => (c, d) = (p(3)?, p(4)?),
                    4 => (c, d, e, f) = (p(3)?, p(4)?, p(5)?, p(6)?),
                    _ => return None,
                }
                Box::new(move |level| {
                    if level >= d { (a * level + b).max(0.0).powf(g) + e } else { c * level + f }
                })
            }
            _ => return None,
        };
    Some(
        (0..256)
            .map(|i| (light(f64::from(i) / 255.0) * FULL).clamp(0.0, FULL).round() as i32)
            .collect(),
    )
}
