//! Max pooling backward: `grad_output, indices → grad_input`.

use crate::backend::cpu::threads::Workers;
use crate::kernel::{Pooling, StepInputs};

pub(crate) fn run(
    pooling: &Pooling,
    accumulate: bool,
    step: &StepInputs,
    reads: &[&[f32]],
    writes: &mut [&mut [f32]],
    workers: &mut Workers,
) {
    let (grad_output, indices) = (reads[0], reads[1]);
    let (input, output, window) = (pooling.input, pooling.output, &pooling.window);
    let channels = input.channels;
    let grad_input = &mut writes[0][..input.len() * step.batch_size];
    workers.chunks(grad_input, input.len(), |range, grad_input| {
        if !accumulate {
            grad_input.fill(0.0);
        }
        let first = range.start / input.len() * output.len();
        let numbers = first..first + output.len();
        let gradients = grad_output[numbers.clone()].chunks_exact(channels);
        for (pixel, (gradients, indices)) in
            gradients.zip(indices[numbers].chunks_exact(channels)).enumerate()
        {
            let (i, j) = (pixel / output.width, pixel % output.width);
            let [top, left] = [window.start(0, i), window.start(1, j)];
            for (channel, (gradient, index)) in gradients.iter().zip(indices).enumerate() {
                let position = *index as usize;
                let y = top + (position / window.kernel_size[1]) as isize;
                let x = left + (position % window.kernel_size[1]) as isize;
                let pixel = y * input.width as isize + x;
                grad_input[pixel as usize * channels + channel] += gradient;
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::{Padding, Shape, Window};

    #[test]
    fn gradients_go_where_the_largest_were() {
        let pooling = Pooling {
            input: Shape::new(1, 4, 1),
            output: Shape::new(1, 2, 1),
            window: Window::new([1, 3], [1, 2], Padding::Same),
        };
        let step = crate::backend::cpu::test_step(1);
        for (accumulate, expected) in [(false, [0., 30., 0., 0.]), (true, [1., 31., 1., 1.])] {
            let mut grad_input = [1.0; 4];
            let reads: [&[f32]; 2] = [&[10.0, 20.0], &[2.0, 0.0]];
            let writes: &mut [&mut [f32]] = &mut [&mut grad_input];
            run(&pooling, accumulate, &step, &reads, writes, &mut Workers::new(1));
            assert_eq!(grad_input, expected);
        }
    }
}
