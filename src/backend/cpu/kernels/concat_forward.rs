//! One part of a concatenation: `part → whole`.

use crate::backend::cpu::kernels::short_copy::short_copy;
use crate::backend::cpu::threads::{ELEMENTWISE_CHUNK, Workers};
use crate::kernel::{Part, StepInputs};

pub(crate) fn run(
    part: &Part,
    step: &StepInputs,
    reads: &[&[f32]],
    writes: &mut [&mut [f32]],
    workers: &mut Workers,
) {
    let input = reads[0];
    let len = step.batch_size * part.pixels * part.channels;
    let chunk = (ELEMENTWISE_CHUNK / part.channels).max(1) * part.channels;
    workers.chunks(&mut writes[0][..len], chunk, |range, whole| {
        let start = range.start / part.channels * part.count;
        let pixels = whole.chunks_exact_mut(part.channels);
        for (whole, input) in pixels.zip(input[start..].chunks_exact(part.count)) {
            short_copy(input, &mut whole[part.first..part.first + part.count]);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_its_channels_only() {
        let part = Part { pixels: 2, channels: 3, first: 1, count: 1 };
        let mut whole = [0.0; 6];
        let step = crate::backend::cpu::test_step(1);
        run(&part, &step, &[&[1.0, 2.0]], &mut [&mut whole], &mut Workers::new(1));
        assert_eq!(whole, [0.0, 1.0, 0.0, 0.0, 2.0, 0.0]);
    }
}
