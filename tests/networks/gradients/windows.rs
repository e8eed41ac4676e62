//! Convolution and pooling at every stride, padding and kernel shape.

use super::check::{Network, check_gradients, conv};
use floret::kernel::Activation;
use floret::ops::Op;
use floret::ops::conv2d::Conv2d;
use floret::ops::pool2d::{Pool2d, PoolKind};
use floret::shape::{Padding, Shape, output_size};

const KERNEL_SIZES: [[usize; 2]; 9] =
    [[1, 1], [2, 2], [3, 3], [4, 4], [5, 5], [1, 7], [7, 1], [3, 1], [2, 3]];
const STRIDES: [[usize; 2]; 5] = [[1, 1], [2, 2], [3, 3], [1, 2], [4, 1]];
const SIZES: [[usize; 2]; 2] = [[8, 7], [7, 9]];

/// Calls `check` with every size, kernel size, stride and padding that leaves an output pixel; returns how many did.
fn for_every_window(check: impl Fn([usize; 2], [usize; 2], [usize; 2], Padding)) -> usize {
    let mut count = 0;
    for size in SIZES {
        for kernel_size in KERNEL_SIZES {
            for stride in STRIDES {
                for padding in [Padding::Same, Padding::Valid] {
                    let input = Shape::new(size[0], size[1], 1);
                    if !output_size(&input, kernel_size, stride, padding).contains(&0) {
                        check(size, kernel_size, stride, padding);
                        count += 1;
                    }
                }
            }
        }
    }
    count
}

#[test]
fn convolution() {
    let count = for_every_window(|size, kernel_size, stride, padding| {
        let mut network = Network::new(size[0], size[1], 2);
        // The first layer's activation is masked by the second one's backward kernel.
        let first = network.add(conv(1, 3, Activation::Tanh), &[0]);
        let op = Conv2d {
            kernel_size,
            stride,
            padding,
            out_channels: 2,
            groups: 1,
            activation: Activation::Sigmoid,
        };
        let second = network.add(Op::Conv2d(op), &[first]);
        check_gradients(&network.classify(second));
    });
    assert!(count > 150, "only {count} windows");
}

#[test]
fn grouped_convolution() {
    // Depthwise, several outputs for each input, and groups of several channels.
    for (groups, out_channels) in [(6, 6), (6, 12), (2, 4), (3, 3)] {
        let count = for_every_window(|size, kernel_size, stride, padding| {
            let mut network = Network::new(size[0], size[1], 2);
            let first = network.add(conv(1, 6, Activation::Tanh), &[0]);
            let activation = Activation::Sigmoid;
            let op = Conv2d { kernel_size, stride, padding, out_channels, groups, activation };
            let second = network.add(Op::Conv2d(op), &[first]);
            check_gradients(&network.classify(second));
        });
        assert!(count > 150, "only {count} windows");
    }
}

fn check_pooling(kind: PoolKind) {
    let count = for_every_window(|size, kernel_size, stride, padding| {
        let mut network = Network::new(size[0], size[1], 2);
        let op = Op::Pool2d(Pool2d { kind, kernel_size, stride, padding });
        let pooled = network.add(op, &[0]);
        check_gradients(&network.classify(pooled));
    });
    assert!(count > 150, "only {count} windows");
}

#[test]
fn max_pooling() {
    check_pooling(PoolKind::Max);
}

#[test]
fn average_pooling() {
    check_pooling(PoolKind::Average);
}

#[test]
fn odd_sizes_with_channels_that_fill_no_vector() {
    for channels in [1, 5, 9] {
        let mut network = Network::new(5, 3, channels);
        let stem = Conv2d {
            kernel_size: [3, 3],
            stride: [2, 2],
            padding: Padding::Same,
            out_channels: channels + 2,
            groups: 1,
            activation: Activation::Relu,
        };
        let features = network.add(Op::Conv2d(stem), &[0]);
        check_gradients(&network.classify(features));
    }
}
