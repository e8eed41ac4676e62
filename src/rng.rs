//! Counter-based random numbers: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
//!
//! A number is a pure function of seed, stream, substream, step and index, so both executors shuffle, augment and drop
//! out alike, and a checkpoint stores a counter instead of a state. Only 32-bit integers: WGSL has no others.

/// The purpose of a stream of random numbers; two purposes never share numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Stream {
    /// Weight initialisation: substream = parameter number, index = element.
    Initialisation = 0,
    /// Order of the training photos: step = epoch.
    Shuffle = 1,
    /// Augmentation: step = epoch, substream = photo number in the epoch.
    Augmentation = 2,
    /// Dropout: substream = layer number, step = training step, index = element of the batch.
    Dropout = 3,
    /// Additive noise layers: as dropout.
    Noise = 4,
    /// Assignment of photos to splits.
    Split = 5,
    /// Drawn flowers.
    Drawing = 6,
    /// Test data.
    Test = 7,
}

const MULTIPLIER_0: u32 = 0xD251_1F53;
const MULTIPLIER_1: u32 = 0xCD9E_8D57;
const WEYL_0: u32 = 0x9E37_79B9;
const WEYL_1: u32 = 0xBB67_AE85;

/// One block of four random words for a 128-bit counter and a 64-bit key.
pub fn philox4x32(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for round in 0..10 {
        if round > 0 {
            key[0] = key[0].wrapping_add(WEYL_0);
            key[1] = key[1].wrapping_add(WEYL_1);
        }
        let product_0 = u64::from(MULTIPLIER_0) * u64::from(counter[0]);
        let product_1 = u64::from(MULTIPLIER_1) * u64::from(counter[2]);
        counter = [
            (product_1 >> 32) as u32 ^ counter[1] ^ key[0],
            product_1 as u32,
            (product_0 >> 32) as u32 ^ counter[3] ^ key[1],
            product_0 as u32,
        ];
    }
    counter
}

/// A sequence of random numbers addressed by index; cheap to make, holds no state.
///
/// ```
/// use floret::rng::{Random, Stream};
/// let random = Random::new(1, Stream::Dropout, 3, 0);
/// assert_eq!(random.uniform(7), Random::new(1, Stream::Dropout, 3, 0).uniform(7));
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Random {
    key: [u32; 2],
    step: u32,
    substream: u32,
    stream: u32,
}

impl Random {
    /// The sequence of `seed` for a purpose, a part of it (`substream`) and a moment (`step`).
    pub fn new(seed: u64, stream: Stream, substream: u32, step: u32) -> Self {
        Self { key: [seed as u32, (seed >> 32) as u32], step, substream, stream: stream as u32 }
    }

    /// The `index`-th random word: lane `index % 4` of block `index / 4`, counter `[block, step, substream, stream]`.
    pub fn word(&self, index: u32) -> u32 {
        philox4x32([index / 4, self.step, self.substream, self.stream], self.key)
            [(index % 4) as usize]
    }

    /// Uniform in `[0, 1)`, with 24 bits.
    pub fn uniform(&self, index: u32) -> f32 {
        unit(self.word(index))
    }

    /// Standard normal by Box and Muller, from words `2 · index` and `2 · index + 1`.
    pub fn normal(&self, index: u32) -> f32 {
        let block = philox4x32([index / 2, self.step, self.substream, self.stream], self.key);
        let lane = 2 * (index % 2) as usize;
        let radius = (-2.0 * (1.0 - unit(block[lane])).ln()).sqrt();
        radius * (std::f32::consts::TAU * unit(block[lane + 1])).cos()
    }

    /// Uniform in `0..bound` (bound > 0); the bias of at most `bound / 2³²` is of no matter here.
    pub fn below(&self, index: u32, bound: u32) -> u32 {
        ((u64::from(self.word(index)) * u64::from(bound)) >> 32) as u32
    }

    /// Shuffles in place (Fisher and Yates), drawing words from `first_index` on.
    pub fn shuffle<T>(&self, items: &mut [T], first_index: u32) {
        for last in (1..items.len()).rev() {
            let index = first_index + (items.len() - 1 - last) as u32;
            items.swap(last, self.below(index, last as u32 + 1) as usize);
        }
    }
}

fn unit(word: u32) -> f32 {
    (word >> 8) as f32 * (1.0 / 16_777_216.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn matches_the_published_vectors() {
        // Random123's kat_vectors, philox4x32 10.
        assert_eq!(
            philox4x32([0; 4], [0; 2]),
            [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]
        );
        assert_eq!(
            philox4x32([u32::MAX; 4], [u32::MAX; 2]),
            [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
        );
        assert_eq!(
            philox4x32(
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0]
            ),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    #[test]
    fn normal_numbers_have_mean_0_and_variance_1() {
        let random = Random::new(5, Stream::Test, 0, 0);
        let numbers: Vec<f64> = (0..20_000).map(|i| f64::from(random.normal(i))).collect();
        let mean = numbers.iter().sum::<f64>() / 20_000.0;
        let variance = numbers.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 20_000.0;
        assert!(
            mean.abs() < 0.02 && (variance - 1.0).abs() < 0.03,
            "mean {mean}, variance {variance}"
        );
    }

    #[test]
    fn shuffle_is_a_permutation_that_depends_on_the_seed() {
        let shuffled = |seed| {
            let mut items: Vec<u32> = (0..100).collect();
            Random::new(seed, Stream::Shuffle, 0, 0).shuffle(&mut items, 0);
            items
        };
        let (one, two) = (shuffled(1), shuffled(2));
        assert_ne!(one, two);
        assert_eq!(one, shuffled(1));
        let mut sorted = one;
        sorted.sort_unstable();
        assert_eq!(sorted, (0..100).collect::<Vec<_>>());
    }
}
