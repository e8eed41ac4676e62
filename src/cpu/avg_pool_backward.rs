//! Average pooling backward: `grad_output → grad_input`.

use super::max_pool_forward::Reach;
use super::workers::Workers;
use crate::kernel::{Pooling, StepInputs};

pub(super) fn run(
    pooling: &Pooling,
    accumulate: bool,
    step: &StepInputs,
    reads: &[&[f32]],
    writes: &mut [&mut [f32]],
    workers: &mut Workers,
) {
    let grad_output = reads[0];
    let (input, output) = (pooling.input, pooling.output);
    let channels = input.channels;
    let grad_input = &mut writes[0][..input.len() * step.batch_size];
    workers.chunks(grad_input, input.len(), |range, grad_input| {
        if !accumulate {
            grad_input.fill(0.0);
        }
        let first = range.start / input.len() * output.len();
        let gradients = grad_output[first..first + output.len()].chunks_exact(channels);
        for (pixel, gradients) in gradients.enumerate() {
            let (i, j) = (pixel / output.width, pixel % output.width);
            let reach = Reach::new(&input, &pooling.window, i, j);
            let share = 1.0 / reach.count() as f32;
            reach.for_each(|_, pixel| {
                let sums = &mut grad_input[pixel * channels..(pixel + 1) * channels];
                sums.iter_mut().zip(gradients).for_each(|(sum, g)| *sum += share * g);
            });
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::{Padding, Shape, Window};

    #[test]
    fn shares_gradients_among_the_real_pixels() {
        let pooling = Pooling {
            input: Shape::new(1, 4, 1),
            output: Shape::new(1, 2, 1),
            window: Window::new([1, 3], [1, 2], Padding::Same),
        };
        let step = crate::cpu::test_step(1);
        for (accumulate, expected) in [(false, [5., 9., 4., 4.]), (true, [6., 10., 5., 5.])] {
            let mut grad_input = [1.0; 4];
            let reads: [&[f32]; 1] = [&[10.0, 12.0]];
            let writes: &mut [&mut [f32]] = &mut [&mut grad_input];
            run(&pooling, accumulate, &step, &reads, writes, &mut Workers::new(1));
            assert_eq!(grad_input, expected);
        }
    }
}
