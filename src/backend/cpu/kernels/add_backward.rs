//! Gradient of a tiled summand: `grad_output → grad_second`.

use crate::backend::cpu::threads::Workers;
use crate::kernel::{StepInputs, TiledAdd};

pub(crate) fn run(
    add: &TiledAdd,
    accumulate: bool,
    step: &StepInputs,
    reads: &[&[f32]],
    writes: &mut [&mut [f32]],
    workers: &mut Workers,
) {
    let grad_output = reads[0];
    let repeats = add.channels / add.tile;
    let len = step.batch_size * add.pixels * add.tile;
    let chunk = (crate::backend::cpu::threads::ELEMENTWISE_CHUNK / add.tile).max(1) * add.tile;
    workers.chunks(&mut writes[0][..len], chunk, |range, output| {
        let gradients = &grad_output[range.start * repeats..range.end * repeats];
        if !accumulate {
            output.fill(0.0);
        }
        let pixels = output.chunks_exact_mut(add.tile).zip(gradients.chunks_exact(add.channels));
        for (output, gradient) in pixels {
            for tile in gradient.chunks_exact(add.tile) {
                for (sum, gradient) in output.iter_mut().zip(tile) {
                    *sum += gradient;
                }
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_the_tiles() {
        let add = TiledAdd { pixels: 2, channels: 2, tile: 1 };
        let step = crate::backend::cpu::test_step(1);
        for (accumulate, expected) in [(false, [3.0, 7.0]), (true, [4.0, 8.0])] {
            let mut output = [1.0; 2];
            let reads: [&[f32]; 1] = [&[1.0, 2.0, 3.0, 4.0]];
            run(&add, accumulate, &step, &reads, &mut [&mut output], &mut Workers::new(1));
            assert_eq!(output, expected);
        }
    }
}
