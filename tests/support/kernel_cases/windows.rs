//! Cases of convolution and pooling.

use super::{Draw, Family, activation, channels, draw, family, normalization};
use crate::kernel_cases::Case;
use floret::kernel::{
    Activation, AvgPoolBackward, AvgPoolForward, BatchNorm, Conv2dBackwardInput,
    Conv2dBackwardWeight, Conv2dForward, Convolution, Kernel, MaxPoolBackward, MaxPoolForward,
    Pooling, StepInputs,
};
use floret::shape::{Padding, Shape, Window, output_size};
use proptest::prelude::*;

/// An input size, a window over it and the output size.
pub(super) fn window() -> impl Strategy<Value = ([usize; 2], Window, [usize; 2])> {
    let pair = |from: Vec<usize>| {
        (prop::sample::select(from.clone()), prop::sample::select(from)).prop_map(|(a, b)| [a, b])
    };
    let sizes = (1..=13_usize, 1..=13_usize).prop_map(|(height, width)| [height, width]);
    let kernel_size = prop_oneof![
        3 => pair(vec![1, 3, 5]),
        1 => pair(vec![1, 2, 4, 7]),
        1 => Just([1, 7]),
        1 => Just([7, 1]),
        1 => Just([1, 1]),
    ];
    let padding = prop::sample::select(vec![Padding::Same, Padding::Valid]);
    (sizes, kernel_size, pair(vec![1, 1, 2, 2, 3, 4]), padding).prop_filter_map(
        "at least one output pixel",
        |(size, kernel_size, stride, padding)| {
            let input = Shape::new(size[0], size[1], 1);
            let output = output_size(&input, kernel_size, stride, padding);
            let window = Window::new(kernel_size, stride, padding);
            (!output.contains(&0)).then_some((size, window, output))
        },
    )
}

fn shape(size: [usize; 2], channels: usize) -> Shape {
    Shape::new(size[0], size[1], channels)
}

fn convolution() -> impl Strategy<Value = Convolution> {
    let sliding = (window(), channels(), channels()).prop_map(|((size, window, out), from, to)| {
        Convolution { input: shape(size, from), output: shape(out, to), window }
    });
    let dense = (1..=300_usize, 1..=70_usize).prop_map(|(from, to)| Convolution {
        input: Shape::vector(from),
        output: Shape::vector(to),
        window: Window::new([1, 1], [1, 1], Padding::Same),
    });
    // More pixels than a tile or a task holds.
    let large = (20..=40_usize, 20..=40_usize, 1..=2_usize, channels()).prop_map(
        |(height, width, stride, channels)| Convolution {
            input: Shape::new(height, width, 3),
            output: Shape::new(height / stride, width / stride, channels),
            window: Window::new([3, 3], [stride; 2], Padding::Same),
        },
    );
    prop_oneof![12 => sliding, 2 => dense, 1 => large]
}

fn pooling() -> impl Strategy<Value = Pooling> {
    (window(), channels()).prop_map(|((size, window, out), channels)| Pooling {
        input: shape(size, channels),
        output: shape(out, channels),
        window,
    })
}

/// Kernel and bias, zeros between.
pub(super) fn block(bias_offset: usize, kernel: Vec<f32>, bias: Vec<f32>) -> Vec<f32> {
    let mut block = kernel;
    block.resize(bias_offset, 0.0);
    block.extend(bias);
    block
}

fn random_block(convolution: &Convolution, draw: &Draw) -> Vec<f32> {
    let kernel = draw.numbers(10, convolution.kernel_len());
    block(convolution.bias_offset(), kernel, draw.numbers(11, convolution.output.channels))
}

fn conv2d_forward() -> impl Strategy<Value = Case> {
    let norm = prop::option::of(normalization::norm());
    let drawn = (convolution(), activation(), norm, draw());
    drawn.prop_map(|(convolution, activation, norm, draw)| {
        forward_case(convolution, activation, norm, &draw)
    })
}

/// The norm gets the convolution's extents.
fn forward_case(
    convolution: Convolution,
    activation: Activation,
    norm: Option<BatchNorm>,
    draw: &Draw,
) -> Case {
    let batch_size = draw.batch_size();
    let output = convolution.output;
    let norm = norm.map(|norm| {
        let (pixels, channels) = (output.pixels(), output.channels);
        BatchNorm { pixels, channels, ..norm }
    });
    let mut reads = vec![
        draw.numbers(0, batch_size * convolution.input.len()),
        random_block(&convolution, draw),
    ];
    if let Some(norm) = norm {
        reads.push(normalization::moments(&norm, draw, 30));
        reads.extend(normalization::block(&norm, draw));
    }
    Case {
        kernel: Kernel::Conv2dForward(Conv2dForward { convolution, activation, norm }),
        step: draw.step,
        reads,
        writes: vec![draw.target(1, batch_size * output.len(), false)],
    }
}

fn conv2d_backward_input() -> impl Strategy<Value = Case> {
    (convolution(), activation(), any::<bool>(), draw()).prop_map(
        |(convolution, input_activation, accumulate, draw)| {
            backward_input_case(convolution, input_activation, accumulate, &draw)
        },
    )
}

fn backward_input_case(
    convolution: Convolution,
    input_activation: Activation,
    accumulate: bool,
    draw: &Draw,
) -> Case {
    let batch_size = draw.batch_size();
    let input_len = batch_size * convolution.input.len();
    let mut reads = vec![
        draw.numbers(0, batch_size * convolution.output.len()),
        random_block(&convolution, draw),
    ];
    if input_activation != Activation::None {
        reads.push(draw.outputs(2, input_len, input_activation));
    }
    Case {
        kernel: Kernel::Conv2dBackwardInput(Conv2dBackwardInput {
            convolution,
            input_activation,
            accumulate,
        }),
        step: draw.step,
        reads,
        writes: vec![draw.target(1, input_len, accumulate)],
    }
}

/// Convolutions of many channels over few pixels, whose sums an executor may cut into parts.
pub fn with_long_sums() -> Vec<Case> {
    let draw = |batch_size| Draw {
        step: StepInputs { batch_size, step: 0, seed: 1, learning_rate: 0.1, weight_decay: 0.0 },
        seed: 5,
    };
    let window = |stride| Window::new([3, 3], [stride; 2], Padding::Same);
    let whole = Convolution {
        input: Shape::new(8, 8, 256),
        output: Shape::new(8, 8, 256),
        window: window(1),
    };
    let strided = Convolution {
        input: Shape::new(15, 15, 256),
        output: Shape::new(8, 8, 512),
        window: window(2),
    };
    let norm = BatchNorm {
        pixels: 0,
        channels: 0,
        epsilon: 1e-5,
        momentum: 0.1,
        rescale: true,
        activation: Activation::Relu,
    };
    vec![
        forward_case(whole, Activation::Relu, None, &draw(8)),
        forward_case(whole, Activation::None, Some(norm), &draw(8)),
        backward_input_case(whole, Activation::Relu, true, &draw(8)),
        backward_input_case(strided, Activation::None, false, &draw(4)),
    ]
}

fn conv2d_backward_weight() -> impl Strategy<Value = Case> {
    (convolution(), draw()).prop_map(|(convolution, draw)| {
        let batch_size = draw.batch_size();
        let kernel = draw.target(0, convolution.kernel_len(), false);
        let bias = draw.target(0, convolution.output.channels, false);
        Case {
            kernel: Kernel::Conv2dBackwardWeight(Conv2dBackwardWeight { convolution }),
            step: draw.step,
            reads: vec![
                draw.numbers(0, batch_size * convolution.input.len()),
                draw.numbers(1, batch_size * convolution.output.len()),
            ],
            writes: vec![block(convolution.bias_offset(), kernel, bias)],
        }
    })
}

/// Few different numbers, so that windows hold equal ones.
fn with_ties(draw: &Draw, operand: u32, len: usize) -> Vec<f32> {
    draw.numbers(operand, len).into_iter().map(|x| (4.0 * x).round() / 4.0).collect()
}

fn max_pool_forward() -> impl Strategy<Value = Case> {
    (pooling(), draw()).prop_map(|(pooling, draw)| max_pool_case(pooling, &draw))
}

fn max_pool_case(pooling: Pooling, draw: &Draw) -> Case {
    let output_len = draw.batch_size() * pooling.output.len();
    Case {
        kernel: Kernel::MaxPoolForward(MaxPoolForward { pooling }),
        step: draw.step,
        reads: vec![with_ties(draw, 0, draw.batch_size() * pooling.input.len())],
        writes: vec![draw.target(1, output_len, false), draw.target(2, output_len, false)],
    }
}

fn max_pool_backward() -> impl Strategy<Value = Case> {
    (pooling(), any::<bool>(), draw()).prop_map(|(pooling, accumulate, draw)| {
        let indices = max_pool_case(pooling, &draw).expected().swap_remove(1);
        Case {
            kernel: Kernel::MaxPoolBackward(MaxPoolBackward { pooling, accumulate }),
            step: draw.step,
            reads: vec![
                draw.numbers(3, indices.len()),
                indices.iter().map(|&index| index as f32).collect(),
            ],
            writes: vec![draw.target(4, draw.batch_size() * pooling.input.len(), accumulate)],
        }
    })
}

fn avg_pool_forward() -> impl Strategy<Value = Case> {
    (pooling(), draw()).prop_map(|(pooling, draw)| Case {
        kernel: Kernel::AvgPoolForward(AvgPoolForward { pooling }),
        step: draw.step,
        reads: vec![draw.numbers(0, draw.batch_size() * pooling.input.len())],
        writes: vec![draw.target(1, draw.batch_size() * pooling.output.len(), false)],
    })
}

fn avg_pool_backward() -> impl Strategy<Value = Case> {
    (pooling(), any::<bool>(), draw()).prop_map(|(pooling, accumulate, draw)| Case {
        kernel: Kernel::AvgPoolBackward(AvgPoolBackward { pooling, accumulate }),
        step: draw.step,
        reads: vec![draw.numbers(0, draw.batch_size() * pooling.output.len())],
        writes: vec![draw.target(1, draw.batch_size() * pooling.input.len(), accumulate)],
    })
}

pub fn families() -> Vec<Family> {
    vec![
        family("conv2d_forward", conv2d_forward()),
        family("conv2d_backward_input", conv2d_backward_input()),
        family("conv2d_backward_weight", conv2d_backward_weight()),
        family("max_pool_forward", max_pool_forward()),
        family("max_pool_backward", max_pool_backward()),
        family("avg_pool_forward", avg_pool_forward()),
        family("avg_pool_backward", avg_pool_backward()),
    ]
}
