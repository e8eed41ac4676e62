//! Pictures that show no flower: what a classifier of flowers should answer "none of these" to.

use super::canvas::Canvas;
use super::dice::Dice;
use super::{check_size, scenery, textures, things};
use crate::error::{Error, Result, Words};

/// The numbers of these pictures start behind those of the flowers, so that no two share their random numbers.
const FIRST_NUMBER: u32 = 1000;

type Painter = fn(usize, &mut Dice) -> Canvas;

/// Each kind with what paints it: first those that outlier scores learn from, then those that they are judged on.
const PAINTERS: [(&str, Painter); 14] = [
    ("checks", textures::checks),
    ("clouds", textures::clouds),
    ("page", textures::page),
    ("scenery", scenery::background),
    ("face", things::face),
    ("car", things::car),
    ("cup", things::cup),
    ("fruit", things::fruit),
    ("stripes", textures::stripes),
    ("bricks", textures::bricks),
    ("cat", things::cat),
    ("house", things::house),
    ("ball", things::ball),
    ("tree", things::tree),
];

/// Kinds that an outlier score may learn from.
pub const LEARNED_OTHERS: [&str; 8] = names(0);

/// Kinds that it is judged on, and never sees before.
pub const HELD_OUT_OTHERS: [&str; 6] = names(8);

const fn names<const COUNT: usize>(first: usize) -> [&'static str; COUNT] {
    let mut names = [""; COUNT];
    let mut number = 0;
    while number < COUNT {
        names[number] = PAINTERS[first + number].0;
        number += 1;
    }
    names
}

/// Draws the `index`-th picture of a kind of [`LEARNED_OTHERS`] or [`HELD_OUT_OTHERS`]: `[size, size, 4]` RGBA bytes, opaque.
///
/// # Errors
/// [`Error::Unknown`] if there is no such kind, [`Error::Setting`] if the size is not in `8..=LARGEST_SIZE`.
pub fn draw_other(seed: u64, kind: &str, index: u32, size: usize) -> Result<Vec<u8>> {
    let known = || PAINTERS.iter().map(|(name, _)| *name);
    let number = known()
        .position(|name| name == kind)
        .ok_or_else(|| Error::unknown(Words::of("what.drawn_picture"), kind, known()))?;
    check_size(size)?;
    let mut dice = Dice::new(seed, FIRST_NUMBER + number as u32, index);
    let mut canvas = PAINTERS[number].1(size, &mut dice);
    scenery::light(&mut canvas, &mut dice);
    Ok(canvas.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_a_function_of_seed_kind_and_index() {
        for (kind, _) in PAINTERS {
            let picture = draw_other(1, kind, 0, 24).unwrap();
            assert_eq!(picture.len(), 24 * 24 * 4, "{kind}");
            assert_eq!(picture, draw_other(1, kind, 0, 24).unwrap());
            assert_ne!(picture, draw_other(2, kind, 0, 24).unwrap());
            assert_ne!(picture, draw_other(1, kind, 1, 24).unwrap());
        }
    }

    #[test]
    fn every_kind_has_contrast() {
        for (kind, _) in PAINTERS.into_iter().filter(|(kind, _)| *kind != "scenery") {
            for index in 0..5 {
                let picture = draw_other(3, kind, index, 32).unwrap();
                let values: Vec<f64> =
                    picture.chunks_exact(4).map(|pixel| f64::from(pixel[1])).collect();
                let mean = values.iter().sum::<f64>() / values.len() as f64;
                let deviation = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>()
                    / values.len() as f64)
                    .sqrt();
                assert!(deviation > 4.0, "{kind} {index}: {deviation}");
            }
        }
    }

    #[test]
    fn wrong_names_and_sizes_are_refused() {
        let error = draw_other(1, "hause", 0, 32).unwrap_err();
        assert_eq!(error.to_string(), "unknown drawn picture `hause`; did you mean `house`?");
        assert!(matches!(draw_other(1, "house", 0, 1), Err(Error::Setting { .. })));
    }
}
