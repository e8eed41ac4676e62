//! Batches for runs of ten steps: photos of equal squares, whose runs stay together on any executor. On pixel noise they
//! drift apart, since now and then a ReLU's input lies so near zero that rounding decides its sign.

use floret::rng::{Random, Stream};
use floret::shape::Shape;

/// Side of the squares, in pixels; `tests/golden/pytorch.py` draws the same photos.
pub const BLOCK: usize = 16;

/// The photos of a step, `[samples, height, width, 3]`, from −1 to 1.
pub fn photos(samples: usize, input: Shape, seed: u64, step: u32) -> Vec<f32> {
    let random = Random::new(seed, Stream::Test, step, 0);
    let (rows, columns) = (input.height / BLOCK, input.width / BLOCK);
    let mut numbers = Vec::with_capacity(samples * input.len());
    for sample in 0..samples {
        for y in 0..input.height {
            for x in 0..input.width {
                let block = (sample * rows + y / BLOCK) * columns + x / BLOCK;
                let colour = (0..3).map(|channel| (block * 3 + channel) as u32);
                numbers.extend(colour.map(|index| 2.0 * random.uniform(index) - 1.0));
            }
        }
    }
    numbers
}

/// Their target distributions, weight 1 behind each.
pub fn targets(samples: usize, classes: usize, seed: u64, step: u32) -> Vec<f32> {
    let random = Random::new(seed, Stream::Test, 1000 + step, 0);
    let mut targets = vec![0.0; samples * (classes + 1)];
    for (sample, target) in targets.chunks_mut(classes + 1).enumerate() {
        target[random.below(sample as u32, classes as u32) as usize] = 1.0;
        target[classes] = 1.0;
    }
    targets
}
