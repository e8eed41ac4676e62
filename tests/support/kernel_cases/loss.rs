//! Cases of softmax and its loss.

use super::{Case, Draw, Family, draw, family};
use floret::kernel::{Kernel, METRICS, Softmax, SoftmaxCrossEntropy};
use proptest::prelude::*;

fn classes() -> impl Strategy<Value = usize> {
    prop_oneof![4 => 1..=20_usize, 1 => prop::sample::select(vec![64, 65, 200, 1000])]
}

/// From nearly even logits to ones that leave all but one probability at 0.
fn spread() -> impl Strategy<Value = f32> {
    prop::sample::select(vec![0.1_f32, 4.0, 150.0])
}

/// Distributions that sum to 1, each with its weight behind it; one in three is of one class alone.
fn targets(classes: usize, draw: &Draw) -> Vec<f32> {
    let mut targets = Vec::new();
    for sample in 0..draw.batch_size() as u32 {
        let mut target = draw.between(100 + sample, classes, 0.1, 1.0);
        let sum: f32 = target.iter().sum();
        target.iter_mut().for_each(|t| *t /= sum);
        if sample % 3 == 0 {
            let class = (draw.seed % classes as u64) as usize;
            target.fill(0.0);
            target[class] = 1.0;
        }
        targets.extend(target);
        targets.extend(draw.between(200 + sample, 1, 0.0, 2.0));
    }
    targets
}

fn softmax_cross_entropy() -> impl Strategy<Value = Case> {
    (classes(), spread(), draw()).prop_map(|(classes, spread, draw)| {
        let len = draw.batch_size() * classes;
        Case {
            kernel: Kernel::SoftmaxCrossEntropy(SoftmaxCrossEntropy { classes }),
            step: draw.step,
            reads: vec![draw.between(0, len, -spread, spread), targets(classes, &draw)],
            writes: vec![
                draw.target(1, len, false),
                draw.target(2, len, false),
                draw.between(3, METRICS, 0.0, 2.0),
            ],
        }
    })
}

fn softmax() -> impl Strategy<Value = Case> {
    (classes(), spread(), draw()).prop_map(|(classes, spread, draw)| {
        let len = draw.batch_size() * classes;
        Case {
            kernel: Kernel::Softmax(Softmax { classes }),
            step: draw.step,
            reads: vec![draw.between(0, len, -spread, spread)],
            writes: vec![draw.target(1, len, false)],
        }
    })
}

pub fn families() -> Vec<Family> {
    vec![family("softmax_cross_entropy", softmax_cross_entropy()), family("softmax", softmax())]
}
