//! Average pooling: `input → output`.

use super::max_pool_forward::Reach;
use super::workers::Workers;
use crate::kernel::{Pooling, StepInputs};

pub(super) fn run(
    pooling: &Pooling,
    step: &StepInputs,
    reads: &[&[f32]],
    writes: &mut [&mut [f32]],
    workers: &mut Workers,
) {
    let input = reads[0];
    let (sample_len, len) = (pooling.input.len(), pooling.output.len());
    let channels = pooling.output.channels;
    let row_len = pooling.output.width * channels;
    workers.chunks(&mut writes[0][..len * step.batch_size], row_len, |range, output| {
        let row = range.start / row_len;
        let (sample, i) = (row / pooling.output.height, row % pooling.output.height);
        let input = &input[sample * sample_len..(sample + 1) * sample_len];
        for (j, output) in output.chunks_exact_mut(channels).enumerate() {
            let reach = Reach::new(&pooling.input, &pooling.window, i, j);
            let share = 1.0 / reach.count() as f32;
            output.fill(0.0);
            reach.for_each(|_, pixel| {
                let input = &input[pixel * channels..(pixel + 1) * channels];
                output.iter_mut().zip(input).for_each(|(sum, value)| *sum += value);
            });
            output.iter_mut().for_each(|sum| *sum *= share);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::{Padding, Shape, Window};

    #[test]
    fn divides_by_the_real_pixels() {
        let pooling = Pooling {
            input: Shape::new(1, 4, 1),
            output: Shape::new(1, 2, 1),
            window: Window::new([1, 3], [1, 2], Padding::Same),
        };
        let mut output = [9.0; 2];
        let step = crate::cpu::test_step(1);
        let reads: [&[f32]; 1] = [&[1.0, 2.0, 3.0, 7.0]];
        run(&pooling, &step, &reads, &mut [&mut output], &mut Workers::new(1));
        assert_eq!(output, [1.5, 4.0]);
    }
}
