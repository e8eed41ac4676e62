//! Graphs that branch and join: add with and without tiling, concatenation, values read twice, frozen parts.

use super::check::{Network, check_gradients, check_plan, conv, dense};
use floret::kernel::Activation;
use floret::ops::Op;
use floret::ops::activation::ActivationOp;
use floret::ops::add::Add;
use floret::ops::batch_norm::BatchNorm;
use floret::ops::concat::Concat;
use floret::ops::conv2d::Conv2d;
use floret::ops::dropout::Dropout;
use floret::ops::noise::Noise;
use floret::ops::pool2d::{Pool2d, PoolKind};
use floret::plan::{Optimizer, PlanOptions, Source};
use floret::shape::Padding;

fn add(activation: Activation) -> Op {
    Op::Add(Add { activation })
}

fn pool(kind: PoolKind, size: usize, stride: usize) -> Op {
    let padding = Padding::Same;
    Op::Pool2d(Pool2d { kind, kernel_size: [size; 2], stride: [stride; 2], padding })
}

fn strided(out_channels: usize) -> Op {
    Op::Conv2d(Conv2d {
        kernel_size: [3, 3],
        stride: [2, 2],
        padding: Padding::Same,
        out_channels,
        groups: 1,
        activation: Activation::Relu,
    })
}

fn norm(rescale: bool, activation: Activation) -> Op {
    Op::BatchNorm(BatchNorm::new(rescale, activation))
}

#[test]
fn add_of_a_value_that_two_layers_read() {
    for activation in [Activation::None, Activation::Relu, Activation::Sigmoid] {
        for first_activation in [Activation::None, Activation::Tanh] {
            let mut network = Network::new(4, 4, 2);
            let x = network.add(conv(3, 4, first_activation), &[0]);
            let branch =
                network.chain(vec![conv(3, 4, Activation::Relu), norm(false, Activation::None)], x);
            let sum = network.add(add(activation), &[branch, x]);
            check_gradients(&network.classify(sum));
        }
    }
}

#[test]
fn add_with_tiling() {
    // The summand's path ends in nothing, an activation, or the input itself.
    for last in [None, Some(Activation::None), Some(Activation::Relu)] {
        let mut network = Network::new(4, 4, 2);
        let branch = network.chain(vec![strided(6), conv(3, 6, Activation::Relu)], 0);
        let mut summand = network.add(pool(PoolKind::Average, 2, 2), &[0]);
        if let Some(activation) = last {
            summand = network.add(conv(1, 3, activation), &[summand]);
        }
        let sum = network.add(add(Activation::Relu), &[branch, summand]);
        let sum = network.add(norm(true, Activation::None), &[sum]);
        check_gradients(&network.classify(sum));
    }
}

#[test]
fn add_of_three_and_of_a_value_to_itself() {
    let mut network = Network::new(4, 4, 2);
    let x = network.add(conv(3, 4, Activation::Tanh), &[0]);
    let twice = network.add(add(Activation::None), &[x, x]);
    let other = network.add(conv(1, 4, Activation::Sigmoid), &[x]);
    let three = network.add(add(Activation::None), &[twice, other]);
    let three = network.add(add(Activation::Relu), &[three, x]);
    check_gradients(&network.classify(three));
}

#[test]
fn add_whose_summands_nobody_else_reads() {
    // Its gradient is handed on to both; each has an activation of its own.
    let mut network = Network::new(4, 4, 2);
    let first = network.add(conv(3, 4, Activation::Relu), &[0]);
    let second = network.chain(
        vec![
            conv(1, 4, Activation::Tanh),
            Op::Activation(ActivationOp { activation: Activation::Relu }),
        ],
        0,
    );
    let sum = network.add(add(Activation::None), &[first, second]);
    let sum = network.add(conv(1, 2, Activation::Relu), &[sum]);
    check_gradients(&network.classify(sum));
}

#[test]
fn a_chain_of_residual_blocks() {
    let mut network = Network::new(6, 6, 2);
    let mut x = network.chain(
        vec![
            conv(3, 2, Activation::Relu),
            norm(false, Activation::None),
            pool(PoolKind::Max, 3, 2),
        ],
        0,
    );
    for _ in 0..2 {
        let lab = vec![conv(3, 2, Activation::Relu), norm(false, Activation::None)];
        let branch = network.chain([lab.clone(), lab].concat(), x);
        x = network.add(add(Activation::None), &[branch, x]);
    }
    let branch = network.chain(vec![strided(4), norm(false, Activation::None)], x);
    let summand = network.add(pool(PoolKind::Average, 2, 2), &[x]);
    let sum = network.add(add(Activation::Relu), &[branch, summand]);
    check_gradients(&network.classify(sum));
}

#[test]
fn parallel_in_serial_in_parallel() {
    let mut network = Network::new(5, 4, 2);
    let stem = network.add(conv(3, 3, Activation::Relu), &[0]);
    let one = network.add(conv(1, 2, Activation::Relu), &[stem]);
    let head =
        network.chain(vec![conv(1, 2, Activation::Tanh), norm(false, Activation::Relu)], stem);
    let wide = network.add(
        Op::Conv2d(Conv2d {
            kernel_size: [1, 3],
            stride: [1, 1],
            padding: Padding::Same,
            out_channels: 2,
            groups: 1,
            activation: Activation::Sigmoid,
        }),
        &[head],
    );
    let tall = network.add(
        Op::Conv2d(Conv2d {
            kernel_size: [3, 1],
            stride: [1, 1],
            padding: Padding::Same,
            out_channels: 1,
            groups: 1,
            activation: Activation::Relu,
        }),
        &[head],
    );
    let inner = network.add(Op::Concat(Concat), &[wide, tall]);
    let pooled =
        network.chain(vec![pool(PoolKind::Average, 3, 1), conv(1, 2, Activation::Relu)], stem);
    // The stem itself is a branch too, and so is a dropped-out one.
    let dropped = network.add(Op::Dropout(Dropout { keep_prob: 0.6 }), &[stem]);
    let outer = network.add(Op::Concat(Concat), &[one, inner, pooled, stem, dropped]);
    let last = network.add(pool(PoolKind::Max, 3, 2), &[outer]);
    check_gradients(&network.classify(last));
}

#[test]
fn concatenation_of_one_value_with_itself() {
    let mut network = Network::new(3, 3, 2);
    let x = network.add(conv(1, 2, Activation::Tanh), &[0]);
    let both = network.add(Op::Concat(Concat), &[x, x]);
    check_gradients(&network.classify(both));
}

#[test]
fn every_op_on_a_value_that_another_layer_reads_too() {
    let ops = [
        conv(3, 4, Activation::Relu),
        norm(true, Activation::Relu),
        norm(false, Activation::None),
        pool(PoolKind::Max, 3, 1),
        pool(PoolKind::Average, 3, 1),
        Op::Activation(ActivationOp { activation: Activation::Sigmoid }),
        Op::Dropout(Dropout { keep_prob: 0.7 }),
        Op::Noise(Noise { mean: 0.0, std: 0.1, ratio: 1.0 }),
    ];
    for first in &ops {
        for second in &ops {
            let mut network = Network::new(4, 3, 2);
            let x = network.add(conv(3, 4, Activation::Relu), &[0]);
            let one = network.add(first.clone(), &[x]);
            let two = network.add(second.clone(), &[x]);
            let sum = network.add(add(Activation::None), &[one, two]);
            check_gradients(&network.classify(sum));
        }
    }
}

#[test]
fn a_frozen_base_leaves_the_head_its_gradients() {
    let mut network = Network::new(4, 4, 2);
    let base = network.chain(
        vec![
            conv(3, 4, Activation::Relu),
            norm(true, Activation::None),
            Op::Dropout(Dropout { keep_prob: 0.7 }),
            conv(3, 4, Activation::Relu),
        ],
        0,
    );
    let base = network.add(Op::Dropout(Dropout { keep_prob: 0.7 }), &[base]);
    let branch = network.add(conv(3, 4, Activation::Relu), &[base]);
    let sum = network.add(add(Activation::Relu), &[branch, base]);
    let hidden = network.add(dense(5, Activation::Tanh), &[sum]);
    let graph = network.classify(hidden);
    for train_from in 0..=graph.output() + 1 {
        for keep in [vec![], vec![base], vec![0]] {
            let options = PlanOptions {
                train_from,
                keep,
                ..PlanOptions::training(2, Source::Tensor, Optimizer::ADAM)
            };
            check_plan(&graph, 2, &options);
        }
    }
}
