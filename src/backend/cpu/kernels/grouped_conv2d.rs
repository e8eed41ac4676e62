//! Grouped convolution forward, and backward to its input and to its parameters.

mod weight_gradient;
mod window_sums;

use super::Run;
use super::conv2d::forward::FoldedNorm;
use crate::backend::cpu::context::Context;
use crate::backend::cpu::operands::{Operands, slice_of, slice_of_mut};
use crate::backend::cpu::scratch::grown;
use crate::backend::cpu::threads::Disjoint;
use crate::error::Result;
use crate::kernel::{
    Activation, GroupedConv2dBackwardInput, GroupedConv2dBackwardWeight, GroupedConv2dForward,
    GroupedConvolution,
};
use weight_gradient::WeightGradient;
use window_sums::{Finish, Geometry, WindowSums};

/// Output channels whose weight gradients are one task: a whole number of vectors on any processor.
const TASK_CHANNELS: usize = 16;

impl Run for GroupedConv2dForward {
    fn run(&self, mut operands: Operands, context: &mut Context) -> Result<()> {
        let &Self { convolution, activation, norm } = self;
        let input = operands.batch(convolution.input)?;
        let block = operands.grouped(&convolution)?;
        let norm = norm.map(|norm| FoldedNorm::take(norm, &mut operands)).transpose()?;
        let output = operands.batch_mut(convolution.output)?;
        let coefficients = &mut context.scratch.coefficients;
        let coefficients = grown(coefficients, 2 * convolution.output.channels);
        WindowSums {
            geometry: &Geometry::forward(&convolution),
            source: slice_of(input),
            weights: slice_of(block.kernel),
            finish: Finish::Forward {
                bias: slice_of(block.bias),
                activation,
                norm: norm.map(|norm| norm.coefficients(coefficients)),
            },
        }
        .run(slice_of_mut(output), context.pool);
        Ok(())
    }
}

impl Run for GroupedConv2dBackwardInput {
    fn run(&self, mut operands: Operands, context: &mut Context) -> Result<()> {
        let &Self { convolution, input_activation: activation, accumulate } = self;
        let grad_output = operands.batch(convolution.output)?;
        let block = operands.grouped(&convolution)?;
        let values = (activation != Activation::None)
            .then(|| operands.batch(convolution.input))
            .transpose()?;
        let grad_input = operands.batch_mut(convolution.input)?;
        let geometry = Geometry::backward(&convolution);
        let weights = slice_of(block.kernel);
        let transposed;
        WindowSums {
            source: slice_of(grad_output),
            weights: if geometry.is_depthwise() {
                weights
            } else {
                transposed = transposed_weights(&convolution, weights);
                &transposed
            },
            geometry: &geometry,
            finish: Finish::Gradient {
                activation,
                values: values.map_or(&[][..], slice_of),
                accumulate,
            },
        }
        .run(slice_of_mut(grad_input), context.pool);
        Ok(())
    }
}

/// The kernel with its last two axes exchanged in each group: `[height, width, output channels of a group, input channels]`.
fn transposed_weights(convolution: &GroupedConvolution, weights: &[f32]) -> Vec<f32> {
    let (ins, outs) = (convolution.group_inputs(), convolution.group_outputs());
    let (all_ins, all_outs) = (convolution.input.channels, convolution.output.channels);
    let mut transposed = vec![0.0; convolution.window.area() * outs * all_ins];
    for (index, &weight) in weights.iter().enumerate() {
        let (position, from) = (index / all_outs / ins, index / all_outs % ins);
        let (group, to) = (index % all_outs / outs, index % all_outs % outs);
        transposed[(position * outs + to) * all_ins + group * ins + from] = weight;
    }
    transposed
}

impl Run for GroupedConv2dBackwardWeight {
    fn run(&self, mut operands: Operands, context: &mut Context) -> Result<()> {
        let convolution = &self.convolution;
        let channels = convolution.output.channels;
        let input = slice_of(operands.batch(convolution.input)?);
        let grad_output = slice_of(operands.batch(convolution.output)?);
        let gradient = operands.grouped_mut(convolution)?;
        let kernel = slice_of_mut(gradient.kernel);
        kernel.fill(0.0);
        let kernel = &Disjoint::new(kernel);
        let bias = &Disjoint::new(slice_of_mut(gradient.bias));
        let (batch_size, instructions) = (context.step.batch_size, context.pool.instructions);
        context.pool.run(channels.div_ceil(TASK_CHANNELS), |task, _| {
            let first = task * TASK_CHANNELS;
            let channels = first..channels.min(first + TASK_CHANNELS);
            instructions.vectorize(WeightGradient {
                convolution,
                batch_size,
                input,
                grad_output,
                channels,
                kernel,
                bias,
            });
        });
        Ok(())
    }
}
