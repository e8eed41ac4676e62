//! Activations, batch normalisation, the orders of linear map, activation and normalisation, dense, dropout and noise.

use super::check::{Network, check_gradients, check_gradients_at, conv, dense};
use floret::kernel::Activation;
use floret::ops::Op;
use floret::ops::activation::ActivationOp;
use floret::ops::batch_norm::BatchNorm;
use floret::ops::dropout::Dropout;
use floret::ops::noise::Noise;

const ACTIVATIONS: [Activation; 4] =
    [Activation::None, Activation::Relu, Activation::Sigmoid, Activation::Tanh];

/// Orders in which a layer may run its linear map (L), activation (A) and batch normalisation (B).
const ACTIONS: [&str; 13] =
    ["L", "LA", "AL", "LB", "BL", "LAB", "LBA", "BAL", "BLA", "ALB", "ABL", "LABA", "BLAB"];

/// The ops of an `actions` string. With `fused`, an activation goes into the op before it where there is one.
fn actions(text: &str, fused: bool, rescale: bool, activation: Activation) -> Vec<Op> {
    let mut ops: Vec<Op> = Vec::new();
    for letter in text.chars() {
        match (letter, ops.last_mut()) {
            ('L', _) => ops.push(conv(3, 4, Activation::None)),
            ('B', _) => ops.push(Op::BatchNorm(BatchNorm::new(rescale, Activation::None))),
            ('A', Some(Op::Conv2d(op))) if fused => op.activation = activation,
            ('A', Some(Op::BatchNorm(op))) if fused => op.activation = activation,
            ('A', _) => ops.push(Op::Activation(ActivationOp { activation })),
            _ => unreachable!("actions are L, A and B"),
        }
    }
    ops
}

#[test]
fn every_order_of_actions() {
    for text in ACTIONS {
        for fused in [true, false] {
            for rescale in [true, false] {
                let mut network = Network::new(4, 3, 2);
                let mut ops = actions(text, fused, rescale, Activation::Relu);
                // Twice, so that every op also follows the last one.
                ops.extend(actions(text, fused, rescale, Activation::Relu));
                let last = network.chain(ops, 0);
                check_gradients(&network.classify(last));
            }
        }
    }
}

#[test]
fn every_activation_fused_and_alone() {
    for activation in ACTIVATIONS {
        for text in ["LA", "LABA", "LBA"] {
            for fused in [true, false] {
                let mut network = Network::new(4, 3, 2);
                let last = network.chain(actions(text, fused, true, activation), 0);
                check_gradients(&network.classify(last));
            }
        }
        let mut network = Network::new(4, 3, 2);
        let hidden = network.add(dense(6, activation), &[0]);
        let hidden = network.add(dense(5, activation), &[hidden]);
        check_gradients(&network.classify(hidden));
    }
}

#[test]
fn a_network_that_ends_in_an_activation() {
    for activation in ACTIVATIONS {
        let mut network = Network::new(3, 3, 2);
        network.add(dense(super::check::CLASSES, activation), &[0]);
        check_gradients(&network.graph);
    }
}

#[test]
fn batch_norm_of_one_sample_and_of_one_pixel() {
    for (side, batch_size) in [(3, 1), (1, 4)] {
        for rescale in [true, false] {
            let mut network = Network::new(side, side, 3);
            let norm = BatchNorm { epsilon: 1e-3, ..BatchNorm::new(rescale, Activation::Tanh) };
            let last = network.add(Op::BatchNorm(norm), &[0]);
            check_gradients_at(&network.classify(last), batch_size, batch_size);
        }
    }
}

#[test]
fn dropout_and_noise() {
    let mut network = Network::new(4, 3, 2);
    let ops = vec![
        Op::Noise(Noise { mean: 0.1, std: 0.5, ratio: 1.0 }),
        conv(3, 3, Activation::Relu),
        Op::Dropout(Dropout { keep_prob: 0.7 }),
        conv(3, 3, Activation::Tanh),
        Op::Noise(Noise { mean: 0.0, std: 0.3, ratio: 1.0 }),
        Op::Dropout(Dropout { keep_prob: 0.5 }),
    ];
    let last = network.chain(ops, 0);
    check_gradients(&network.classify(last));
}

#[test]
fn a_short_last_batch() {
    let mut network = Network::new(4, 3, 2);
    let mut ops = actions("LAB", true, true, Activation::Relu);
    ops.push(Op::Dropout(Dropout { keep_prob: 0.7 }));
    let last = network.chain(ops, 0);
    let graph = network.classify(last);
    check_gradients_at(&graph, 2, 5);
    check_gradients_at(&graph, 1, 5);
}
