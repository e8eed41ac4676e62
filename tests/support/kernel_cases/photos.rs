//! Cases of batches made from stored photos.

use super::{Case, Draw, Family, draw, family};
use floret::kernel::{CONTRIBUTION, Kernel, PrepareBatch};
use floret::rng::{Random, Stream};
use floret::shape::Shape;
use proptest::prelude::*;

const SLOTS: u32 = 3;

/// Random bytes, four to a number.
fn page_of_photos(stored_size: usize, draw: &Draw) -> Vec<f32> {
    let random = Random::new(draw.seed, Stream::Test, 300, 0);
    let pixels = SLOTS * (stored_size * stored_size) as u32;
    (0..pixels).map(|pixel| f32::from_bits(random.word(pixel))).collect()
}

/// One photo's way into a sample, from page 0 or 1: a tilted, shifted, perhaps mirrored view, now and then beyond the edge.
fn contribution(number: u32, stored_size: usize, output: Shape, draw: &Draw) -> Vec<f32> {
    let random = Random::new(draw.seed, Stream::Test, 400 + number, 0);
    let between = |index: u32, low: f32, high: f32| low + (high - low) * random.uniform(index);
    let stored = stored_size as f32;
    let scale = [stored / output.width as f32, stored / output.height as f32];
    let mut numbers = vec![
        random.below(0, 2) as f32,
        random.below(1, SLOTS) as f32,
        if random.below(2, 4) == 0 { 0.0 } else { between(3, 0.1, 1.0) },
    ];
    for (axis, scale) in scale.into_iter().enumerate() {
        let first = 10 + 3 * axis as u32;
        numbers.push(scale * between(first, -1.2, 1.2));
        numbers.push(scale * between(first + 1, -0.5, 0.5));
        numbers.push(stored * between(first + 2, -0.2, 1.2));
    }
    numbers.extend((20..32).map(|index| between(index, -1.0, 1.0)));
    let cut = |index, side: usize| random.below(index, side as u32 + 1) as f32;
    let (x, y) = (cut(40, output.width), cut(41, output.height));
    numbers.extend([x, y, cut(42, output.width), cut(43, output.height)]);
    numbers.resize(CONTRIBUTION, 0.0);
    numbers
}

fn prepare_batch() -> impl Strategy<Value = Case> {
    (0..2_u32, 1..=9_usize, 1..=9_usize, 1..=9_usize, draw()).prop_map(
        |(page, stored_size, height, width, draw)| {
            let output = Shape::new(height, width, 3);
            let contributions = 0..2 * draw.batch_size() as u32;
            Case {
                kernel: Kernel::PrepareBatch(PrepareBatch { page, stored_size, output }),
                step: draw.step,
                reads: vec![
                    page_of_photos(stored_size, &draw),
                    contributions
                        .flat_map(|number| contribution(number, stored_size, output, &draw))
                        .collect(),
                ],
                writes: vec![draw.target(0, draw.batch_size() * output.len(), page > 0)],
            }
        },
    )
}

pub fn families() -> Vec<Family> {
    vec![family("prepare_batch", prepare_batch())]
}
