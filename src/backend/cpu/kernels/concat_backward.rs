//! Gradient of one part of a concatenation: `grad_whole → grad_part`.

use crate::backend::cpu::kernels::short_copy::short_copy;
use crate::backend::cpu::threads::{ELEMENTWISE_CHUNK, Workers};
use crate::kernel::{Part, StepInputs};

pub(crate) fn run(
    part: &Part,
    accumulate: bool,
    step: &StepInputs,
    reads: &[&[f32]],
    writes: &mut [&mut [f32]],
    workers: &mut Workers,
) {
    let whole = reads[0];
    let len = step.batch_size * part.pixels * part.count;
    let chunk = (ELEMENTWISE_CHUNK / part.count).max(1) * part.count;
    workers.chunks(&mut writes[0][..len], chunk, |range, output| {
        let start = range.start / part.count * part.channels;
        let pixels = output.chunks_exact_mut(part.count);
        for (output, whole) in pixels.zip(whole[start..].chunks_exact(part.channels)) {
            let gradients = &whole[part.first..part.first + part.count];
            if !accumulate {
                short_copy(gradients, output);
                continue;
            }
            for (output, &gradient) in output.iter_mut().zip(gradients) {
                *output += gradient;
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_its_channels_only() {
        let part = Part { pixels: 2, channels: 3, first: 1, count: 2 };
        let step = crate::backend::cpu::test_step(1);
        let whole: Vec<f32> = (0..6).map(|x| x as f32).collect();
        for (accumulate, expected) in [(false, [1., 2., 4., 5.]), (true, [2., 3., 5., 6.])] {
            let mut output = [1.0; 4];
            let writes: &mut [&mut [f32]] = &mut [&mut output];
            run(&part, accumulate, &step, &[&whole], writes, &mut Workers::new(1));
            assert_eq!(output, expected);
        }
    }
}
