//! Grouped convolution: the convolution of each group by itself.

use super::windows;
use floret::kernel::{Activation, Convolution, GroupedConvolution};
use floret::shape::Shape;

/// Columns `first..first + count` of rows of `of`.
fn columns(rows: &[f64], of: usize, first: usize, count: usize) -> Vec<f64> {
    rows.chunks(of).flat_map(|row| row[first..first + count].iter().copied()).collect()
}

/// Writes columns from `first` on of rows of `of`.
fn put_columns(rows: &mut [f64], of: usize, first: usize, columns: &[f64], count: usize) {
    for (row, part) in rows.chunks_mut(of).zip(columns.chunks(count)) {
        row[first..first + count].copy_from_slice(part);
    }
}

/// One group of a convolution.
struct Group {
    convolution: Convolution,
    first_input: usize,
    first_output: usize,
}

fn groups(grouped: &GroupedConvolution) -> impl Iterator<Item = Group> {
    let (ins, outs) = (grouped.group_inputs(), grouped.group_outputs());
    let with = |shape: Shape, channels| Shape { channels, ..shape };
    let convolution = Convolution {
        input: with(grouped.input, ins),
        output: with(grouped.output, outs),
        window: grouped.window,
    };
    (0..grouped.groups).map(move |group| Group {
        convolution,
        first_input: group * ins,
        first_output: group * outs,
    })
}

/// The parameter block of one group.
fn block_of(group: &Group, grouped: &GroupedConvolution, block: &[f64]) -> Vec<f64> {
    let (outs, all) = (group.convolution.output.channels, grouped.output.channels);
    let mut own = columns(&block[..grouped.kernel_len()], all, group.first_output, outs);
    own.resize(group.convolution.bias_offset(), 0.0);
    own.extend(&block[grouped.bias_offset() + group.first_output..][..outs]);
    own
}

pub fn forward(
    grouped: &GroupedConvolution,
    activation: Activation,
    input: &[f64],
    block: &[f64],
    output: &mut [f64],
) {
    let (all_ins, all_outs) = (grouped.input.channels, grouped.output.channels);
    for group in groups(grouped) {
        let (ins, outs) = (grouped.group_inputs(), grouped.group_outputs());
        let own = columns(input, all_ins, group.first_input, ins);
        let mut made = vec![0.0; output.len() / grouped.groups];
        let block = block_of(&group, grouped, block);
        windows::conv2d_forward(&group.convolution, activation, &own, &block, &mut made);
        put_columns(output, all_outs, group.first_output, &made, outs);
    }
}

pub fn backward_input(
    grouped: &GroupedConvolution,
    grad_output: &[f64],
    block: &[f64],
) -> Vec<f64> {
    let (all_ins, all_outs) = (grouped.input.channels, grouped.output.channels);
    let batch_size = grad_output.len() / grouped.output.len();
    let mut grad_input = vec![0.0; batch_size * grouped.input.len()];
    for group in groups(grouped) {
        let (ins, outs) = (grouped.group_inputs(), grouped.group_outputs());
        let own = columns(grad_output, all_outs, group.first_output, outs);
        let block = block_of(&group, grouped, block);
        let made = windows::conv2d_backward_input(&group.convolution, &own, &block);
        put_columns(&mut grad_input, all_ins, group.first_input, &made, ins);
    }
    grad_input
}

pub fn backward_weight(
    grouped: &GroupedConvolution,
    input: &[f64],
    grad_output: &[f64],
    grad_block: &mut [f64],
) {
    let (all_ins, all_outs) = (grouped.input.channels, grouped.output.channels);
    grad_block.fill(0.0);
    for group in groups(grouped) {
        let (ins, outs) = (grouped.group_inputs(), grouped.group_outputs());
        let seen = columns(input, all_ins, group.first_input, ins);
        let gradient = columns(grad_output, all_outs, group.first_output, outs);
        let convolution = &group.convolution;
        let mut made = vec![0.0; convolution.block_len()];
        windows::conv2d_backward_weight(convolution, &seen, &gradient, &mut made);
        let (kernel, bias) = grad_block.split_at_mut(grouped.bias_offset());
        let (first, kernel_len) = (group.first_output, convolution.kernel_len());
        put_columns(
            &mut kernel[..grouped.kernel_len()],
            all_outs,
            first,
            &made[..kernel_len],
            outs,
        );
        bias[first..first + outs].copy_from_slice(&made[convolution.bias_offset()..]);
    }
}
