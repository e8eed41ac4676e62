//! Cases of grouped convolution: depthwise, with several channels a group, and with several outputs for each input.

use super::windows::{block, window};
use super::{Case, Draw, Family, activation, channels, draw, family, normalization};
use floret::kernel::{
    Activation, BatchNorm, GroupedConv2dBackwardInput, GroupedConv2dBackwardWeight,
    GroupedConv2dForward, GroupedConvolution, Kernel,
};
use floret::shape::{Padding, Shape, Window};
use proptest::prelude::*;

fn convolution() -> impl Strategy<Value = GroupedConvolution> {
    let of = |size: [usize; 2], channels| Shape::new(size[0], size[1], channels);
    let depthwise = (window(), channels(), 1..=3_usize);
    let depthwise =
        depthwise.prop_map(move |((size, window, out), groups, multiple)| GroupedConvolution {
            input: of(size, groups),
            output: of(out, groups * multiple),
            window,
            groups,
        });
    let some = (window(), 1..=5_usize, 1..=9_usize, 1..=9_usize);
    let some = some.prop_map(move |((size, window, out), groups, ins, outs)| GroupedConvolution {
        input: of(size, groups * ins),
        output: of(out, groups * outs),
        window,
        groups,
    });
    // Rows that are longer than what is computed at once.
    let large = (20..=40_usize, 1..=2_usize, channels(), prop::sample::select(vec![3, 5]));
    let large = large.prop_map(move |(size, stride, groups, kernel_size)| GroupedConvolution {
        input: of([size, size + 3], groups),
        output: of([size / stride, (size + 3) / stride], groups),
        window: Window::new([kernel_size; 2], [stride; 2], Padding::Same),
        groups,
    });
    prop_oneof![3 => depthwise, 2 => some, 1 => large]
}

fn random_block(convolution: &GroupedConvolution, draw: &Draw) -> Vec<f32> {
    let kernel = draw.numbers(10, convolution.kernel_len());
    block(convolution.bias_offset(), kernel, draw.numbers(11, convolution.output.channels))
}

fn forward() -> impl Strategy<Value = Case> {
    let norm = prop::option::of(normalization::norm());
    let drawn = (convolution(), activation(), norm, draw());
    drawn.prop_map(|(convolution, activation, norm, draw)| {
        let (output, batch_size) = (convolution.output, draw.batch_size());
        let norm = norm.map(|norm| BatchNorm {
            pixels: output.pixels(),
            channels: output.channels,
            ..norm
        });
        let mut reads = vec![
            draw.numbers(0, batch_size * convolution.input.len()),
            random_block(&convolution, &draw),
        ];
        if let Some(norm) = norm {
            reads.push(normalization::moments(&norm, &draw, 30));
            reads.extend(normalization::block(&norm, &draw));
        }
        Case {
            kernel: Kernel::GroupedConv2dForward(GroupedConv2dForward {
                convolution,
                activation,
                norm,
            }),
            step: draw.step,
            reads,
            writes: vec![draw.target(1, batch_size * output.len(), false)],
        }
    })
}

fn backward_input() -> impl Strategy<Value = Case> {
    (convolution(), activation(), any::<bool>(), draw()).prop_map(
        |(convolution, input_activation, accumulate, draw)| {
            let batch_size = draw.batch_size();
            let input_len = batch_size * convolution.input.len();
            let mut reads = vec![
                draw.numbers(0, batch_size * convolution.output.len()),
                random_block(&convolution, &draw),
            ];
            if input_activation != Activation::None {
                reads.push(draw.outputs(2, input_len, input_activation));
            }
            Case {
                kernel: Kernel::GroupedConv2dBackwardInput(GroupedConv2dBackwardInput {
                    convolution,
                    input_activation,
                    accumulate,
                }),
                step: draw.step,
                reads,
                writes: vec![draw.target(1, input_len, accumulate)],
            }
        },
    )
}

fn backward_weight() -> impl Strategy<Value = Case> {
    (convolution(), draw()).prop_map(|(convolution, draw)| {
        let batch_size = draw.batch_size();
        let kernel = draw.target(0, convolution.kernel_len(), false);
        let bias = draw.target(0, convolution.output.channels, false);
        Case {
            kernel: Kernel::GroupedConv2dBackwardWeight(GroupedConv2dBackwardWeight {
                convolution,
            }),
            step: draw.step,
            reads: vec![
                draw.numbers(0, batch_size * convolution.input.len()),
                draw.numbers(1, batch_size * convolution.output.len()),
            ],
            writes: vec![block(convolution.bias_offset(), kernel, bias)],
        }
    })
}

pub fn families() -> Vec<Family> {
    vec![
        family("grouped_conv2d_forward", forward()),
        family("grouped_conv2d_backward_input", backward_input()),
        family("grouped_conv2d_backward_weight", backward_weight()),
    ]
}
