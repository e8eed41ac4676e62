//! Batch normalisation: `input, moments, (block) → output`.

use super::workers::Workers;
use crate::kernel::{Activation, BatchNorm, StepInputs, round_up_to_row};

/// Rows of a task, whatever their channels.
pub(super) const ROWS: usize = 512;

pub(super) fn run(
    norm: &BatchNorm,
    step: &StepInputs,
    reads: &[&[f32]],
    writes: &mut [&mut [f32]],
    workers: &mut Workers,
) {
    let (input, moments) = (reads[0], reads[1]);
    let block = if norm.rescale { reads.get(2).copied() } else { None };
    let channels = norm.channels;
    let len = step.batch_size * norm.pixels * channels;
    // (input − mean) · inverse · scale + shift = input · factor + offset
    let mut factors = std::mem::take(&mut workers.shared);
    let (factor, offset) = super::workers::grown(&mut factors, 2 * channels).split_at_mut(channels);
    for channel in 0..channels {
        let affine = Affine::new(moments, block, channels, channel);
        factor[channel] = affine.inverse * affine.scale;
        offset[channel] = affine.shift - affine.mean * factor[channel];
    }
    let (factor, offset) = (&*factor, &*offset);
    workers.chunks(&mut writes[0][..len], ROWS * channels, |range, output| {
        let rows = output.chunks_exact_mut(channels).zip(input[range].chunks_exact(channels));
        for (output, input) in rows {
            let affine = factor.iter().zip(offset);
            for ((y, &x), (&factor, &offset)) in output.iter_mut().zip(input).zip(affine) {
                *y = x * factor + offset;
            }
            activate(norm.activation, output);
        }
    });
    workers.shared = factors;
}

/// Applies an activation in place.
pub(super) fn activate(activation: Activation, numbers: &mut [f32]) {
    match activation {
        Activation::None => {}
        Activation::Relu => numbers.iter_mut().for_each(|x| *x = Activation::Relu.apply(*x)),
        other => numbers.iter_mut().for_each(|x| *x = other.apply(*x)),
    }
}

/// The numbers of one channel.
#[derive(Debug, Clone, Copy)]
pub(super) struct Affine {
    pub(super) mean: f32,
    pub(super) inverse: f32,
    pub(super) scale: f32,
    pub(super) shift: f32,
}

impl Affine {
    /// Of `channel`; scale 1 and shift 0 where there is no block.
    pub(super) fn new(
        moments: &[f32],
        block: Option<&[f32]>,
        channels: usize,
        channel: usize,
    ) -> Self {
        let second = round_up_to_row(channels);
        Self {
            mean: moments[channel],
            inverse: moments[second + channel],
            scale: block.map_or(1.0, |block| block[channel]),
            shift: block.map_or(0.0, |block| block[second + channel]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_shifts_and_activates() {
        let norm = BatchNorm {
            pixels: 2,
            channels: 2,
            epsilon: 0.0,
            momentum: 0.1,
            rescale: true,
            activation: Activation::Relu,
        };
        let (mut moments, mut block) = ([0.0; 66], [0.0; 66]);
        (moments[0], moments[64], block[0], block[64]) = (1.0, 0.5, 4.0, 1.0);
        (moments[1], moments[65], block[1], block[65]) = (0.0, 1.0, -1.0, 0.0);
        let mut output = [0.0; 4];
        let step = crate::cpu::test_step(1);
        let reads: [&[f32]; 3] = [&[2.0, 3.0, 0.0, -3.0], &moments, &block];
        run(&norm, &step, &reads, &mut [&mut output], &mut Workers::new(1));
        assert_eq!(output, [3.0, 0.0, 0.0, 3.0]);
    }
}
