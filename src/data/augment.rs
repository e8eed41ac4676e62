//! Augmentation: a random view of a stored photo, as numbers that the `prepare_batch` kernel carries out.
//!
//! Every draw is a pure function of seed, epoch and the sample's position in the epoch, so that both executors and a
//! resumed run see the same views.

use crate::error::{Error, Result, Words};
use crate::rng::{Random, Stream};
use serde::{Deserialize, Serialize};

/// Words of randomness set aside for one view; a mixup partner draws from the next ones.
const WORDS_PER_VIEW: u32 = 16;
/// Tries of Jöhnk's method before mixup falls back to the photo alone; fewer than one in ten thousand do.
const MIXUP_TRIES: u32 = 16;
/// Rec. 601 weights of red, green and blue in brightness.
const LUMA: [f32; 3] = [0.299, 0.587, 0.114];

/// How much the training photos are varied. Every range is symmetric and 0 means off.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Augmentation {
    /// Mirrors every other photo left to right.
    pub flip: bool,
    /// The smallest part of the photo's area that a crop keeps, in (0, 1]; 1 keeps the whole frame.
    pub crop_area_min: f32,
    /// The widest ratio of a crop's sides, at least 1; drawn log-uniformly down to its inverse.
    pub crop_aspect_max: f32,
    /// The largest turn to either side, in degrees.
    pub rotation: f32,
    /// Pixels are multiplied by a factor in `1 ± brightness`; in [0, 1].
    pub brightness: f32,
    /// Distances from mid-grey are multiplied by a factor in `1 ± contrast`; in [0, 1].
    pub contrast: f32,
    /// Distances from the pixel's own grey are multiplied by a factor in `1 ± saturation`; in [0, 1].
    pub saturation: f32,
    /// Side of a grey square somewhere in the view, as a part of the input's side (DeVries and Taylor, "Improved
    /// regularization of convolutional neural networks with cutout", 2017); in [0, 1).
    pub cutout: f32,
    /// α of the distribution Beta(α, α) of mixup weights (Zhang et al., "mixup: beyond empirical risk minimization",
    /// ICLR 2018); in [0, 1].
    pub mixup: f32,
}

impl Default for Augmentation {
    fn default() -> Self {
        Self::none()
    }
}

impl Augmentation {
    /// Every photo as it is.
    pub fn none() -> Self {
        Self {
            flip: false,
            crop_area_min: 1.0,
            crop_aspect_max: 1.0,
            rotation: 0.0,
            brightness: 0.0,
            contrast: 0.0,
            saturation: 0.0,
            cutout: 0.0,
            mixup: 0.0,
        }
    }

    /// The variation of the modern recipe: random resized crops, mirroring, a little colour. Ten epochs are too few
    /// for more to pay; docs/accuracy.md has what was tried.
    pub fn standard() -> Self {
        Self {
            flip: true,
            crop_area_min: 0.4,
            crop_aspect_max: 4.0 / 3.0,
            brightness: 0.15,
            contrast: 0.15,
            saturation: 0.15,
            ..Self::none()
        }
    }

    /// Checks every setting's range.
    ///
    /// # Errors
    /// [`Error::Setting`] for the first one outside it.
    pub fn check(&self) -> Result<()> {
        let settings = [
            ("crop_area_min", self.crop_area_min, 0.01, 1.0),
            ("crop_aspect_max", self.crop_aspect_max, 1.0, 10.0),
            ("rotation", self.rotation, 0.0, 180.0),
            ("brightness", self.brightness, 0.0, 1.0),
            ("contrast", self.contrast, 0.0, 1.0),
            ("saturation", self.saturation, 0.0, 1.0),
            ("cutout", self.cutout, 0.0, 0.9),
            ("mixup", self.mixup, 0.0, 1.0),
        ];
        for (name, value, low, high) in settings {
            if !(low..=high).contains(&value) {
                return Err(Error::setting(
                    Words::of("name.augmentation").with("name", name),
                    Words::of("expected.range").with("low", low).with("high", high),
                    value,
                ));
            }
        }
        Ok(())
    }

    /// The view of the photo at `position` of an epoch, from `stored_size` to `input_size` pixels a side.
    pub fn view(&self, draw: &Draw, stored_size: usize, input_size: usize) -> SampleTransform {
        let uniform = |index: u32| draw.random.uniform(draw.first_word + index);
        let around_one = |index: u32, range: f32| 1.0 + range * (2.0 * uniform(index) - 1.0);

        let area = self.crop_area_min + (1.0 - self.crop_area_min) * uniform(0);
        let aspect = (self.crop_aspect_max.ln() * (2.0 * uniform(1) - 1.0)).exp();
        let crop = [(area * aspect).sqrt().min(1.0), (area / aspect).sqrt().min(1.0)];
        let centre =
            [0, 1].map(|axis| crop[axis] / 2.0 + (1.0 - crop[axis]) * uniform(2 + axis as u32));
        let mirror = if self.flip && uniform(4) < 0.5 { -1.0 } else { 1.0 };
        let angle = (self.rotation * (2.0 * uniform(5) - 1.0)).to_radians();
        let matrix = matrix(crop, centre, mirror, angle, stored_size as f32, input_size as f32);

        let colour = colour(
            around_one(6, self.brightness),
            around_one(7, self.contrast),
            around_one(8, self.saturation),
        );
        let cutout = if self.cutout > 0.0 {
            let side = input_size as f32;
            let half = self.cutout * side / 2.0;
            let [x, y] = [uniform(9) * side, uniform(10) * side];
            let edge = |at: f32| at.round().clamp(0.0, side);
            [edge(x - half), edge(y - half), edge(x + half), edge(y + half)]
        } else {
            [0.0; 4]
        };
        SampleTransform { matrix, colour, cutout }
    }

    /// The partner that is mixed into the photo at `position` of an epoch of `photos` photos, if mixup is on and the
    /// partner weighs anything.
    pub fn mix(&self, seed: u64, epoch: u32, position: usize, photos: usize) -> Option<Mix> {
        if self.mixup <= 0.0 || photos == 0 {
            return None;
        }
        let random = Random::new(seed, Stream::Augmentation, position as u32, epoch);
        let first = 2 * WORDS_PER_VIEW;
        let partner = random.below(first, photos as u32) as usize;
        // Jöhnk's method: Beta(α, α) from two uniform numbers to the power of 1/α whose sum is at most 1.
        for attempt in 0..MIXUP_TRIES {
            let power = |index: u32| {
                f64::from(random.uniform(first + 1 + 2 * attempt + index))
                    .powf(1.0 / f64::from(self.mixup))
            };
            let (x, y) = (power(0), power(1));
            if x + y > 0.0 && x + y <= 1.0 {
                // The smaller part is the partner's; which photo comes first is a coin's toss anyway.
                let weight = (x / (x + y)).min(y / (x + y)) as f32;
                return (weight > 0.0).then_some(Mix { partner, weight });
            }
        }
        None
    }
}

/// The random numbers of one view.
#[derive(Debug, Clone, Copy)]
pub struct Draw {
    random: Random,
    first_word: u32,
}

impl Draw {
    /// For the photo at `position` of an epoch.
    pub fn photo(seed: u64, epoch: u32, position: usize) -> Self {
        Self {
            random: Random::new(seed, Stream::Augmentation, position as u32, epoch),
            first_word: 0,
        }
    }

    /// For the photo that is mixed into the one at `position` of an epoch.
    pub fn partner(seed: u64, epoch: u32, position: usize) -> Self {
        Self { first_word: WORDS_PER_VIEW, ..Self::photo(seed, epoch, position) }
    }
}

/// Another photo mixed into a sample, pixels and target alike.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mix {
    /// The partner's position in the epoch.
    pub partner: usize,
    /// The partner's weight, in (0, 0.5]; the photo itself weighs the rest.
    pub weight: f32,
}

/// How one sample is made from one stored photo.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SampleTransform {
    /// From the centre of an output pixel to the stored photo, in pixels: the value at output column `x`, row `y` is
    /// sampled linearly, edges repeated, at column `(x + ½)·m₀ + (y + ½)·m₁ + m₂ − ½`, row `(x + ½)·m₃ + (y + ½)·m₄ + m₅ − ½`.
    pub matrix: [f32; 6],
    /// 3 × 4, row by row: applied to `[red, green, blue, 1]` after normalisation (`pixel / 127.5 − 1`); not clamped.
    pub colour: [f32; 12],
    /// Left, top, right, bottom in output pixels: whole pixels from left up to but without right become 0 (mid-grey).
    pub cutout: [f32; 4],
}

impl SampleTransform {
    /// The whole frame, colours as they are.
    pub fn plain(stored_size: usize, input_size: usize) -> Self {
        Augmentation::none().view(&Draw::photo(0, 0, 0), stored_size, input_size)
    }

    /// The whole frame, left and right swapped: the second look of an evaluation that averages both.
    pub fn mirrored(stored_size: usize, input_size: usize) -> Self {
        let plain = Self::plain(stored_size, input_size);
        let [scale, _, _, d, e, f] = plain.matrix;
        Self { matrix: [-scale, 0.0, stored_size as f32, d, e, f], ..plain }
    }

    /// The middle of this view: `part` of each side of it.
    pub fn middle(&self, part: f32, stored_size: usize) -> Self {
        let centre = stored_size as f32 / 2.0;
        let [a, b, c, d, e, f] = self.matrix;
        let towards = |at: f32| centre + (at - centre) * part;
        let matrix = [a * part, b * part, towards(c), d * part, e * part, towards(f)];
        Self { matrix, ..*self }
    }

    /// Matrix, colour and cutout, one after another.
    pub fn numbers(&self) -> [f32; 22] {
        let mut numbers = [0.0; 22];
        numbers[..6].copy_from_slice(&self.matrix);
        numbers[6..18].copy_from_slice(&self.colour);
        numbers[18..].copy_from_slice(&self.cutout);
        numbers
    }
}

/// Output pixels → the crop: mirrored and turned about its centre. `crop` and `centre` are parts of the stored frame.
fn matrix(
    crop: [f32; 2],
    centre: [f32; 2],
    mirror: f32,
    angle: f32,
    stored: f32,
    input: f32,
) -> [f32; 6] {
    let (sin, cos) = if angle == 0.0 { (0.0, 1.0) } else { angle.sin_cos() };
    let scale = [crop[0] * stored / input, crop[1] * stored / input];
    let (a, b) = (scale[0] * cos * mirror, -scale[0] * sin);
    let (d, e) = (scale[1] * sin * mirror, scale[1] * cos);
    let half = input / 2.0;
    [a, b, centre[0] * stored - (a + b) * half, d, e, centre[1] * stored - (d + e) * half]
}

/// Brightness, then contrast, then saturation, on normalised values: `pixel · f` is `value · f + f − 1`.
fn colour(brightness: f32, contrast: f32, saturation: f32) -> [f32; 12] {
    let mut rows = [0.0; 12];
    for (row, numbers) in rows.chunks_exact_mut(4).enumerate() {
        for (column, number) in numbers[..3].iter_mut().enumerate() {
            let own = if row == column { saturation } else { 0.0 };
            *number = brightness * contrast * (own + (1.0 - saturation) * LUMA[column]);
        }
        // Saturation leaves greys alone, and the shift of brightness is one.
        numbers[3] = contrast * (brightness - 1.0);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDENTITY: [f32; 12] = [1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0];

    fn map(matrix: &[f32; 6], x: f32, y: f32) -> [f32; 2] {
        let [a, b, c, d, e, f] = *matrix;
        [x * a + y * b + c, x * d + y * e + f]
    }

    #[test]
    fn none_is_the_whole_frame() {
        for position in 0..5 {
            let view = Augmentation::none().view(&Draw::photo(3, 1, position), 80, 64);
            assert_eq!(view.matrix, [1.25, 0.0, 0.0, 0.0, 1.25, 0.0]);
            assert_eq!((view.colour, view.cutout), (IDENTITY, [0.0; 4]));
            assert_eq!(view, SampleTransform::plain(80, 64));
        }
    }

    #[test]
    fn mirrored_swaps_left_and_right() {
        let mirrored = SampleTransform::mirrored(80, 64);
        assert_eq!(map(&mirrored.matrix, 0.0, 0.0), [80.0, 0.0]);
        assert_eq!(map(&mirrored.matrix, 64.0, 64.0), [0.0, 80.0]);
    }

    #[test]
    fn the_middle_is_about_the_centre() {
        let middle = SampleTransform::plain(80, 64).middle(0.75, 80);
        assert_eq!(map(&middle.matrix, 32.0, 32.0), [40.0, 40.0]);
        assert_eq!(map(&middle.matrix, 0.0, 64.0), [10.0, 70.0]);
        let middle = SampleTransform::mirrored(80, 64).middle(0.75, 80);
        assert_eq!(map(&middle.matrix, 0.0, 64.0), [70.0, 70.0]);
        assert_eq!(SampleTransform::plain(80, 64).middle(1.0, 80), SampleTransform::plain(80, 64));
    }

    #[test]
    fn standard_crops_stay_inside_the_photo() {
        let mut mirrored = 0;
        for position in 0..500 {
            let view = Augmentation::standard().view(&Draw::photo(1, 2, position), 80, 64);
            for corner in [(0.0, 0.0), (64.0, 0.0), (0.0, 64.0), (64.0, 64.0)] {
                let at = map(&view.matrix, corner.0, corner.1);
                assert!(at.iter().all(|v| (-1e-3..=80.001).contains(v)), "{at:?}");
            }
            let area = view.matrix[0].abs() * view.matrix[4] * 64.0 * 64.0 / (80.0 * 80.0);
            assert!((0.3..=1.0001).contains(&area), "{area}");
            mirrored += usize::from(view.matrix[0] < 0.0);
        }
        assert!((200..300).contains(&mirrored), "{mirrored}");
    }

    #[test]
    fn rotation_keeps_the_centre_and_lengths() {
        let turned = Augmentation { rotation: 30.0, ..Augmentation::none() };
        let view = turned.view(&Draw::photo(1, 0, 0), 64, 64);
        let [x, y] = map(&view.matrix, 32.0, 32.0);
        assert!((x - 32.0).abs() < 1e-4 && (y - 32.0).abs() < 1e-4);
        let [a, b, _, d, e, _] = view.matrix;
        assert!((a * e - b * d - 1.0).abs() < 1e-5 && b != 0.0);
    }

    #[test]
    fn colour_matches_its_definition() {
        let matrix = colour(1.2, 0.8, 0.5);
        let pixel: [f32; 3] = [200.0, 100.0, 50.0];
        let contrasted = pixel.map(|p| (p * 1.2 - 127.5) * 0.8 + 127.5);
        let grey: f32 = contrasted.iter().zip(LUMA).map(|(p, weight)| p * weight).sum();
        for (row, p) in matrix.chunks_exact(4).zip(contrasted) {
            let expected = (grey + 0.5 * (p - grey)) / 127.5 - 1.0;
            let dot: f32 = (0..3).map(|i| row[i] * (pixel[i] / 127.5 - 1.0)).sum();
            assert!((dot + row[3] - expected).abs() < 1e-5);
        }
    }

    #[test]
    fn cutout_has_its_size_where_it_is_inside() {
        let cut = Augmentation { cutout: 0.25, ..Augmentation::none() };
        let mut inside = 0;
        for position in 0..100 {
            let [left, top, right, bottom] = cut.view(&Draw::photo(1, 0, position), 80, 64).cutout;
            assert!(0.0 <= left && left <= right && right <= 64.0, "{left} {right}");
            assert!(0.0 <= top && top <= bottom && bottom <= 64.0);
            inside += usize::from(right - left == 16.0 && bottom - top == 16.0);
        }
        assert!(inside > 20, "{inside}");
    }

    #[test]
    fn mixup_weights_follow_beta() {
        let mixed = Augmentation { mixup: 0.2, ..Augmentation::standard() };
        let weights: Vec<f32> = (0..4000)
            .filter_map(|position| mixed.mix(1, 0, position, 100))
            .inspect(|mix| assert!(mix.partner < 100 && mix.weight > 0.0 && mix.weight <= 0.5))
            .map(|mix| mix.weight)
            .collect();
        let mean = weights.iter().sum::<f32>() / 4000.0;
        // E[min(λ, 1 − λ)] of Beta(0.2, 0.2), from a million draws elsewhere.
        assert!((mean - 0.101).abs() < 0.01, "{mean}");
        assert_eq!(Augmentation::none().mix(1, 0, 0, 100), None);
        assert_eq!(mixed.mix(1, 0, 0, 0), None);
    }

    #[test]
    fn draws_depend_on_seed_epoch_and_position() {
        let view = |draw: Draw| Augmentation::standard().view(&draw, 80, 64);
        let first = view(Draw::photo(1, 0, 0));
        assert_eq!(first, view(Draw::photo(1, 0, 0)));
        for other in [
            Draw::photo(2, 0, 0),
            Draw::photo(1, 1, 0),
            Draw::photo(1, 0, 1),
            Draw::partner(1, 0, 0),
        ] {
            assert_ne!(first, view(other));
        }
    }

    #[test]
    fn settings_out_of_range_are_refused() {
        Augmentation::none().check().unwrap();
        Augmentation::standard().check().unwrap();
        for wrong in [
            Augmentation { crop_area_min: 0.0, ..Augmentation::none() },
            Augmentation { rotation: f32::NAN, ..Augmentation::none() },
            Augmentation { mixup: 1.5, ..Augmentation::none() },
        ] {
            assert!(matches!(wrong.check(), Err(Error::Setting { .. })), "{wrong:?}");
        }
    }
}
