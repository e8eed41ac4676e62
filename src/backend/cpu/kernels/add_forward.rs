//! Sum with a tiled second summand: `first, second → output`.

use crate::backend::cpu::kernels::batch_norm::normalize::activate;
use crate::backend::cpu::threads::Workers;
use crate::kernel::{Activation, StepInputs, TiledAdd};

pub(crate) fn run(
    add: &TiledAdd,
    activation: Activation,
    step: &StepInputs,
    reads: &[&[f32]],
    writes: &mut [&mut [f32]],
    workers: &mut Workers,
) {
    let (first, second) = (reads[0], reads[1]);
    let repeats = add.channels / add.tile;
    let len = step.batch_size * add.pixels * add.channels;
    let chunk =
        (crate::backend::cpu::threads::ELEMENTWISE_CHUNK / add.channels).max(1) * add.channels;
    workers.chunks(&mut writes[0][..len], chunk, |range, output| {
        let second = &second[range.start / repeats..range.end / repeats];
        let first = &first[range];
        if repeats == 1 {
            for ((sum, a), b) in output.iter_mut().zip(first).zip(second) {
                *sum = a + b;
            }
        } else {
            let pixels = output.chunks_exact_mut(add.channels).zip(second.chunks_exact(add.tile));
            for ((output, second), first) in pixels.zip(first.chunks_exact(add.channels)) {
                let tiles = output.chunks_exact_mut(add.tile).zip(first.chunks_exact(add.tile));
                for (output, first) in tiles {
                    for ((sum, a), b) in output.iter_mut().zip(first).zip(second) {
                        *sum = a + b;
                    }
                }
            }
        }
        activate(activation, output);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_the_second_summand() {
        let add = TiledAdd { pixels: 2, channels: 2, tile: 1 };
        let mut output = [9.0; 4];
        let step = crate::backend::cpu::test_step(1);
        let reads: [&[f32]; 2] = [&[1.0, 2.0, 3.0, 4.0], &[10.0, -20.0]];
        run(&add, Activation::Relu, &step, &reads, &mut [&mut output], &mut Workers::new(1));
        assert_eq!(output, [11.0, 12.0, 0.0, 0.0]);
    }
}
