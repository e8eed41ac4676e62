//! Convolution and pooling.

use super::apply;
use floret::kernel::{Activation, Convolution, Pooling};
use floret::shape::{Shape, Window};

/// One output pixel of one sample, and the real input pixels under its window.
struct Place {
    output_pixel: usize,
    /// Position in the window (`row · kernel width + column`) and the pixel of the batch there.
    covered: Vec<(usize, usize)>,
}

/// All windows of a batch; pixels are numbered over the whole batch.
fn places(input: Shape, output: Shape, window: &Window, batch_size: usize) -> Vec<Place> {
    let mut places = Vec::new();
    for sample in 0..batch_size {
        for row in 0..output.height {
            for column in 0..output.width {
                let mut covered = Vec::new();
                for position in 0..window.kernel_size[0] * window.kernel_size[1] {
                    let (down, right) =
                        (position / window.kernel_size[1], position % window.kernel_size[1]);
                    let y = (row * window.stride[0] + down) as isize - window.offset[0];
                    let x = (column * window.stride[1] + right) as isize - window.offset[1];
                    let inside = (0..input.height as isize).contains(&y)
                        && (0..input.width as isize).contains(&x);
                    if inside {
                        let pixel = (sample * input.height + y as usize) * input.width + x as usize;
                        covered.push((position, pixel));
                    }
                }
                let output_pixel = (sample * output.height + row) * output.width + column;
                places.push(Place { output_pixel, covered });
            }
        }
    }
    places
}

fn conv_places(convolution: &Convolution, batch_size: usize) -> Vec<Place> {
    places(convolution.input, convolution.output, &convolution.window, batch_size)
}

/// Where the kernel's number for a window position, input channel and output channel lies: HWIO.
fn tap(convolution: &Convolution, position: usize, from: usize, to: usize) -> usize {
    (position * convolution.input.channels + from) * convolution.output.channels + to
}

pub fn conv2d_forward(
    convolution: &Convolution,
    activation: Activation,
    input: &[f64],
    block: &[f64],
    output: &mut [f64],
) {
    let (ins, outs) = (convolution.input.channels, convolution.output.channels);
    for place in conv_places(convolution, output.len() / convolution.output.len()) {
        for to in 0..outs {
            let mut sum = block[convolution.bias_offset() + to];
            for &(position, pixel) in &place.covered {
                for from in 0..ins {
                    sum += input[pixel * ins + from] * block[tap(convolution, position, from, to)];
                }
            }
            output[place.output_pixel * outs + to] = apply(activation, sum);
        }
    }
}

pub fn conv2d_backward_input(
    convolution: &Convolution,
    grad_output: &[f64],
    block: &[f64],
) -> Vec<f64> {
    let (ins, outs) = (convolution.input.channels, convolution.output.channels);
    let batch_size = grad_output.len() / convolution.output.len();
    let mut grad_input = vec![0.0; batch_size * convolution.input.len()];
    for place in conv_places(convolution, batch_size) {
        for &(position, pixel) in &place.covered {
            for from in 0..ins {
                for to in 0..outs {
                    grad_input[pixel * ins + from] += grad_output[place.output_pixel * outs + to]
                        * block[tap(convolution, position, from, to)];
                }
            }
        }
    }
    grad_input
}

pub fn conv2d_backward_weight(
    convolution: &Convolution,
    input: &[f64],
    grad_output: &[f64],
    grad_block: &mut [f64],
) {
    let (ins, outs) = (convolution.input.channels, convolution.output.channels);
    grad_block.fill(0.0);
    for place in conv_places(convolution, grad_output.len() / convolution.output.len()) {
        for to in 0..outs {
            let gradient = grad_output[place.output_pixel * outs + to];
            grad_block[convolution.bias_offset() + to] += gradient;
            for &(position, pixel) in &place.covered {
                for from in 0..ins {
                    grad_block[tap(convolution, position, from, to)] +=
                        input[pixel * ins + from] * gradient;
                }
            }
        }
    }
}

fn pool_places(pooling: &Pooling, batch_size: usize) -> Vec<Place> {
    places(pooling.input, pooling.output, &pooling.window, batch_size)
}

pub fn max_pool_forward(pooling: &Pooling, input: &[f64], writes: &mut [Vec<f64>]) {
    let channels = pooling.input.channels;
    for place in pool_places(pooling, input.len() / pooling.input.len()) {
        for channel in 0..channels {
            let values = place
                .covered
                .iter()
                .map(|&(position, pixel)| (input[pixel * channels + channel], position));
            let best = values.reduce(|best, other| if other.0 > best.0 { other } else { best });
            let best = best.expect("every window covers a real pixel");
            writes[0][place.output_pixel * channels + channel] = best.0;
            writes[1][place.output_pixel * channels + channel] = best.1 as f64;
        }
    }
}

pub fn max_pool_backward(pooling: &Pooling, grad_output: &[f64], indices: &[f64]) -> Vec<f64> {
    let channels = pooling.input.channels;
    let batch_size = grad_output.len() / pooling.output.len();
    let mut grad_input = vec![0.0; batch_size * pooling.input.len()];
    for place in pool_places(pooling, batch_size) {
        for channel in 0..channels {
            let index = place.output_pixel * channels + channel;
            for &(position, pixel) in &place.covered {
                if position as f64 == indices[index] {
                    grad_input[pixel * channels + channel] += grad_output[index];
                }
            }
        }
    }
    grad_input
}

pub fn avg_pool_forward(pooling: &Pooling, input: &[f64]) -> Vec<f64> {
    let channels = pooling.input.channels;
    let batch_size = input.len() / pooling.input.len();
    let mut output = vec![0.0; batch_size * pooling.output.len()];
    for place in pool_places(pooling, batch_size) {
        for channel in 0..channels {
            let sum: f64 =
                place.covered.iter().map(|(_, pixel)| input[pixel * channels + channel]).sum();
            output[place.output_pixel * channels + channel] = sum / place.covered.len() as f64;
        }
    }
    output
}

pub fn avg_pool_backward(pooling: &Pooling, grad_output: &[f64]) -> Vec<f64> {
    let channels = pooling.input.channels;
    let batch_size = grad_output.len() / pooling.output.len();
    let mut grad_input = vec![0.0; batch_size * pooling.input.len()];
    for place in pool_places(pooling, batch_size) {
        for channel in 0..channels {
            for (_, pixel) in &place.covered {
                grad_input[pixel * channels + channel] += grad_output
                    [place.output_pixel * channels + channel]
                    / place.covered.len() as f64;
            }
        }
    }
    grad_input
}
