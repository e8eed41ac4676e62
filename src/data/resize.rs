//! The one resizer, for page and terminal alike: any RGBA picture to a square of RGBA bytes.
//!
//! Both axes are scaled independently (squeezed, as the textbook does). The filter is a triangle: one source pixel wide
//! on each side when enlarging, one target pixel wide when shrinking, so that shrinking averages instead of skipping.
//! Sums are f32 in a fixed order, so every machine gets the same bytes. Transparent pixels lie on white.

use crate::error::{Error, Result, Words};
use serde::{Deserialize, Serialize};

/// The largest side that [`resize`] makes, in pixels.
pub const LARGEST_SIZE: usize = 2048;

/// Pixels a side of a stored photo for a network with that input: a quarter more, rounded up to a multiple of 4, so
/// that crops and rotations have pixels to draw on (64 → 80, 96 → 120).
pub const fn stored_size(input_size: usize) -> usize {
    (input_size + input_size.div_ceil(4)).div_ceil(4) * 4
}

/// How a picture is fitted to the square.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fit {
    /// Both axes scaled independently; nothing is cut off.
    Squeeze,
}

/// The filter that weighs source pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Filter {
    /// Linear interpolation, widened when shrinking.
    Triangle,
}

/// What happens to a picture before the network sees it; written in the model file, so that a model sees the same
/// pixels everywhere. A policy this program does not know fails to deserialise.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Preprocessing {
    /// How the picture is fitted to the square.
    pub resize: Fit,
    /// The filter of the resizer.
    pub filter: Filter,
    /// Pixels a side of the stored photo.
    pub stored_size: usize,
    /// Pixels a side of the network's input, sampled linearly from the stored photo.
    pub input_size: usize,
    /// Each channel enters as `pixel / divisor + offset`, pixels being 0…255.
    pub divisor: f32,
    /// See `divisor`.
    pub offset: f32,
}

impl Preprocessing {
    /// The policy for a network with `input_size × input_size` pixels: values from −1 to 1.
    pub fn new(input_size: usize) -> Self {
        Self {
            resize: Fit::Squeeze,
            filter: Filter::Triangle,
            stored_size: stored_size(input_size),
            input_size,
            divisor: 127.5,
            offset: -1.0,
        }
    }

    /// Checks that a photo is square RGBA of the stored size.
    ///
    /// # Errors
    /// [`Error::Shape`] where it is not.
    pub fn check_stored(&self, photo: &[u8]) -> Result<()> {
        let bytes = 4 * self.stored_size.pow(2);
        if photo.len() == bytes {
            return Ok(());
        }
        let [expected, found] = [bytes, photo.len()].map(|n| Words::of("words.bytes").with("n", n));
        Err(Error::Shape { place: Words::of("place.stored_photo"), expected, found })
    }
}

/// The pixels of a picture, fitted to `size × size`: RGBA bytes, row by row, opaque.
///
/// `rgba` holds `height × width` pixels with straight (not premultiplied) alpha.
///
/// # Errors
/// [`Error::Shape`] if `rgba` is no picture of that size or has no pixels, [`Error::Setting`] if `size` is not in
/// `1..=LARGEST_SIZE`.
///
/// ```
/// let grey = floret::data::resize::resize(&[0, 0, 0, 255, 255, 255, 255, 255], 2, 1, 1)?;
/// assert_eq!(grey, [128, 128, 128, 255]);
/// # Ok::<(), floret::error::Error>(())
/// ```
pub fn resize(rgba: &[u8], width: usize, height: usize, size: usize) -> Result<Vec<u8>> {
    let pixels = width.checked_mul(height).and_then(|pixels| pixels.checked_mul(4));
    if pixels != Some(rgba.len()) || rgba.is_empty() {
        return Err(Error::Shape {
            place: Words::of("place.resize"),
            expected: Words::of("expected.rgba").with("height", height).with("width", width),
            found: Words::of("words.bytes").with("n", rgba.len()),
        });
    }
    if size == 0 || size > LARGEST_SIZE {
        return Err(Error::setting(
            Words::of("name.stored_size"),
            Words::of("expected.pixels").with("low", 1u32).with("high", LARGEST_SIZE),
            size,
        ));
    }
    let columns = taps(width, size);
    let rows = taps(height, size);
    let mut source = vec![[0.0f32; 4]; width];
    let mut squeezed = vec![[0.0f32; 4]; size];
    let mut sums = vec![[0.0f32; 4]; size * size];
    let mut first_open = 0;
    for (y, line) in rgba.chunks_exact(4 * width).enumerate() {
        while first_open < size && rows[first_open].end() <= y {
            first_open += 1;
        }
        load_line(line, &mut source);
        shrink_line(&source, &columns, &mut squeezed);
        for (row, tap) in rows.iter().enumerate().skip(first_open) {
            if tap.start > y {
                break;
            }
            // Starts and ends of taps both grow with the row, so this one is open.
            let weight = tap.weights[y - tap.start];
            for (sum, value) in sums[row * size..][..size].iter_mut().zip(&squeezed) {
                for channel in 0..4 {
                    sum[channel] += weight * value[channel];
                }
            }
        }
    }
    let byte = |value: f32| (value + 0.5).clamp(0.0, 255.0) as u8;
    Ok(sums.iter().flat_map(|&[r, g, b, _]| [byte(r), byte(g), byte(b), 255]).collect())
}

/// The source pixels of one target pixel along one axis.
struct Tap {
    start: usize,
    weights: Vec<f32>,
}

impl Tap {
    fn end(&self) -> usize {
        self.start + self.weights.len()
    }
}

/// The taps of all target pixels; weights of each sum to 1. Computed in f64 from the four basic operations alone, so
/// that every machine gets the same ones.
fn taps(source: usize, target: usize) -> Vec<Tap> {
    let scale = source as f64 / target as f64;
    let support = scale.max(1.0);
    (0..target)
        .map(|i| {
            let centre = (i as f64 + 0.5) * scale;
            let start = ((centre - support + 0.5).max(0.0) as usize).min(source - 1);
            let end = ((centre + support + 0.5) as usize).clamp(start + 1, source);
            let weight = |x: usize| (1.0 - ((x as f64 + 0.5 - centre) / support).abs()).max(0.0);
            let total: f64 = (start..end).map(weight).sum();
            Tap { start, weights: (start..end).map(|x| (weight(x) / total) as f32).collect() }
        })
        .collect()
}

/// One line as numbers 0…255, laid on white.
fn load_line(line: &[u8], source: &mut [[f32; 4]]) {
    for (pixel, value) in line.chunks_exact(4).zip(source) {
        *value = [pixel[0].into(), pixel[1].into(), pixel[2].into(), 255.0];
        if pixel[3] < 255 {
            let alpha = f32::from(pixel[3]) / 255.0;
            *value = value.map(|v| v * alpha + 255.0 * (1.0 - alpha));
        }
    }
}

fn shrink_line(source: &[[f32; 4]], taps: &[Tap], squeezed: &mut [[f32; 4]]) {
    for (tap, value) in taps.iter().zip(squeezed) {
        let mut sum = [0.0f32; 4];
        for (weight, pixel) in tap.weights.iter().zip(&source[tap.start..]) {
            for channel in 0..4 {
                sum[channel] += weight * pixel[channel];
            }
        }
        *value = sum;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn grey(values: &[u8]) -> Vec<u8> {
        values.iter().flat_map(|&v| [v, v, v, 255]).collect()
    }

    fn reds(rgba: &[u8]) -> Vec<u8> {
        rgba.chunks_exact(4).map(|pixel| pixel[0]).collect()
    }

    #[test]
    fn the_same_size_changes_nothing() {
        let picture: Vec<u8> = (0..64u8).map(|i| if i % 4 == 3 { 255 } else { i * 3 }).collect();
        assert_eq!(resize(&picture, 4, 4, 4).unwrap(), picture);
    }

    #[test]
    fn golden_shrinking() {
        // 4 → 2: weights 3/7, 3/7, 1/7 about each centre, cut at the edge.
        let line = grey(&[0, 70, 140, 210].repeat(4));
        assert_eq!(reds(&resize(&line, 4, 4, 2).unwrap()), [50, 160, 50, 160]);
        // 8 → 2 across, 2 → 2 down: weights 5, 7, 7, 5, 3, 1 of 28.
        let line = grey(&[0, 10, 20, 30, 40, 50, 60, 70, 0, 10, 20, 30, 40, 50, 60, 70]);
        assert_eq!(reds(&resize(&line, 8, 2, 2).unwrap()), [19, 51, 19, 51]);
    }

    #[test]
    fn golden_enlarging_is_linear_interpolation() {
        let picture = grey(&[0, 100, 0, 100]);
        let row = [0, 25, 75, 100];
        assert_eq!(reds(&resize(&picture, 2, 2, 4).unwrap()), row.repeat(4));
    }

    #[test]
    fn axes_are_squeezed_apart() {
        // A wide picture: left half black, right half white.
        let picture = grey(&[0, 0, 0, 0, 255, 255, 255, 255]);
        let square = reds(&resize(&picture, 8, 1, 4).unwrap());
        assert!(square.chunks_exact(4).all(|row| row == &square[..4]));
        assert!(square[0] < 5 && square[3] > 250, "{square:?}");
    }

    #[test]
    fn transparent_pixels_lie_on_white() {
        assert_eq!(resize(&[0, 0, 0, 0], 1, 1, 1).unwrap(), [255, 255, 255, 255]);
        assert_eq!(resize(&[0, 100, 200, 51], 1, 1, 1).unwrap(), [204, 224, 244, 255]);
    }

    #[test]
    fn wrong_sizes_are_refused() {
        assert!(matches!(resize(&[], 0, 0, 4), Err(Error::Shape { .. })));
        assert!(matches!(resize(&[0; 8], 1, 1, 4), Err(Error::Shape { .. })));
        assert!(matches!(resize(&[0; 4], usize::MAX, 2, 4), Err(Error::Shape { .. })));
        assert!(matches!(resize(&[0; 4], 1, 1, 0), Err(Error::Setting { .. })));
        assert!(matches!(resize(&[0; 4], 1, 1, 1 << 20), Err(Error::Setting { .. })));
    }

    #[test]
    fn the_margin_is_a_quarter() {
        assert_eq!([64, 96, 224, 1, 299].map(stored_size), [80, 120, 280, 4, 376]);
    }

    #[test]
    fn an_unknown_policy_is_refused() {
        let json = serde_json::to_string(&Preprocessing::new(64)).unwrap();
        assert_eq!(serde_json::from_str::<Preprocessing>(&json).unwrap(), Preprocessing::new(64));
        assert!(serde_json::from_str::<Preprocessing>(&json.replace("squeeze", "crop")).is_err());
    }

    proptest! {
        #[test]
        fn an_even_picture_stays_even(
            width in 1usize..300, height in 1usize..300, size in 1usize..100, value: u8,
        ) {
            let square = resize(&grey(&vec![value; width * height]), width, height, size).unwrap();
            prop_assert_eq!(square, grey(&vec![value; size * size]));
        }

        #[test]
        fn mirroring_commutes(values in proptest::collection::vec(0u8..=255, 21), size in 1usize..9) {
            let mirrored: Vec<u8> = values.iter().rev().copied().collect();
            let straight = reds(&resize(&grey(&values), 21, 1, size).unwrap());
            let back = reds(&resize(&grey(&mirrored), 21, 1, size).unwrap());
            // Sums run the other way round, so the last bit of a byte may differ.
            for (a, b) in straight[..size].iter().zip(back[..size].iter().rev()) {
                prop_assert!(a.abs_diff(*b) <= 1);
            }
        }
    }
}
