//! Batch normalisation: `input, moments, (block) → output`.

use crate::backend::cpu::reduce::channel_sums::chunk_rows;
use crate::backend::cpu::reduce::pixel_runs::{repeat_channels, run_pixels};
use crate::backend::cpu::threads::{Workers, grown};
use crate::kernel::{Activation, BatchNorm, StepInputs, round_up_to_row};

pub(crate) fn run(
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
    let mut shared = std::mem::take(&mut workers.shared);
    let runs = grown(&mut shared, 2 * run_pixels(channels) * channels);
    let [factors, offsets] = repeat_channels(channels, runs, |channel| {
        Affine::new(moments, block, channels, channel).factor_and_offset()
    });
    workers.chunks(&mut writes[0][..len], chunk_rows(channels) * channels, |range, output| {
        let runs = output.chunks_mut(factors.len()).zip(input[range].chunks(factors.len()));
        for (output, input) in runs {
            let affine = factors.iter().zip(offsets);
            for ((y, &x), (&factor, &offset)) in output.iter_mut().zip(input).zip(affine) {
                *y = x * factor + offset;
            }
            activate(norm.activation, output);
        }
    });
    workers.shared = shared;
}

/// Applies an activation in place.
pub(crate) fn activate(activation: Activation, numbers: &mut [f32]) {
    match activation {
        Activation::None => {}
        Activation::Relu => numbers.iter_mut().for_each(|x| *x = Activation::Relu.apply(*x)),
        other => numbers.iter_mut().for_each(|x| *x = other.apply(*x)),
    }
}

/// The numbers of one channel.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Affine {
    pub(crate) mean: f32,
    pub(crate) inverse: f32,
    pub(crate) scale: f32,
    pub(crate) shift: f32,
}

impl Affine {
    /// Of `channel`; scale 1 and shift 0 where there is no block.
    pub(crate) fn new(
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

    /// `[f, o]` such that the output before the activation is `input · f + o`.
    pub(crate) fn factor_and_offset(&self) -> [f32; 2] {
        let factor = self.inverse * self.scale;
        [factor, self.shift - self.mean * factor]
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
        let step = crate::backend::cpu::test_step(1);
        let reads: [&[f32]; 3] = [&[2.0, 3.0, 0.0, -3.0], &moments, &block];
        run(&norm, &step, &reads, &mut [&mut output], &mut Workers::new(1));
        assert_eq!(output, [3.0, 0.0, 0.0, 3.0]);
    }
}
