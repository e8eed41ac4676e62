//! Cases of optimizers and the moving average of weights.

use super::{Case, Draw, Family, draw, family};
use floret::kernel::{Adam, AverageWeights, Kernel, ROW, Sgd};
use proptest::prelude::*;

fn rows() -> impl Strategy<Value = usize> {
    1..=40_usize
}

/// Frozen, slowed and free rows, with and without decay.
fn flags(rows: usize, draw: &Draw) -> Vec<f32> {
    let halves = |x: f32| (x * 2.99).floor() / 2.0;
    let rates = draw.between(50, rows, 0.0, 1.0).into_iter().map(halves);
    let decays = draw.numbers(51, rows).into_iter().map(|x| f32::from(u8::from(x > 0.0)));
    rates.zip(decays).flat_map(|(rate, decay)| [rate, decay]).collect()
}

fn adam() -> impl Strategy<Value = Case> {
    let betas = (0.0..0.95_f32, prop::sample::select(vec![0.9_f32, 0.99, 0.999]));
    (rows(), betas, draw()).prop_map(|(rows, (beta1, beta2), draw)| {
        let len = rows * ROW;
        Case {
            kernel: Kernel::Adam(Adam { len, beta1, beta2, epsilon: 1e-8 }),
            step: draw.step,
            reads: vec![draw.numbers(0, len), flags(rows, &draw)],
            writes: vec![
                draw.numbers(1, len),
                draw.numbers(2, len),
                draw.between(3, len, 0.0, 1.0),
            ],
        }
    })
}

fn sgd() -> impl Strategy<Value = Case> {
    let momentum = prop_oneof![Just(0.0_f32), Just(0.9)];
    (rows(), momentum, draw()).prop_map(|(rows, momentum, draw)| {
        let len = rows * ROW;
        Case {
            kernel: Kernel::Sgd(Sgd { len, momentum }),
            step: draw.step,
            reads: vec![draw.numbers(0, len), flags(rows, &draw)],
            writes: vec![draw.numbers(1, len), draw.numbers(2, len)],
        }
    })
}

fn average_weights() -> impl Strategy<Value = Case> {
    // Statistics are not a whole number of rows.
    (1..=2000_usize, 0.1..0.999_f32, draw()).prop_map(|(len, decay, draw)| Case {
        kernel: Kernel::AverageWeights(AverageWeights { len, decay }),
        step: draw.step,
        reads: vec![draw.numbers(0, len)],
        writes: vec![draw.numbers(1, len)],
    })
}

pub fn families() -> Vec<Family> {
    vec![family("adam", adam()), family("sgd", sgd()), family("average_weights", average_weights())]
}
