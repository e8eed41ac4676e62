//! Additive normal noise: `input → output`.

use crate::backend::cpu::threads::Workers;
use crate::kernel::StepInputs;
use crate::rng::{Random, Stream};

/// The noise and the probability that a batch gets it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NormalNoise {
    pub(crate) mean: f32,
    pub(crate) std: f32,
    pub(crate) ratio: f32,
}

pub(crate) fn run(
    len: usize,
    noise: NormalNoise,
    layer: u32,
    step: &StepInputs,
    reads: &[&[f32]],
    writes: &mut [&mut [f32]],
    workers: &mut Workers,
) {
    let input = reads[0];
    let sequence = |layer| Random::new(step.seed, Stream::Noise, layer, step.step);
    let noisy = sequence(layer.wrapping_add(1 << 16)).uniform(0) < noise.ratio;
    let random = sequence(layer);
    workers.elementwise(&mut writes[0][..len * step.batch_size], |range, output| {
        output.copy_from_slice(&input[range.clone()]);
        if noisy {
            for (output, index) in output.iter_mut().zip(range) {
                *output += noise.mean + noise.std * random.normal(index as u32);
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_of_0_adds_nothing_and_of_1_adds_the_mean() {
        let step = crate::backend::cpu::test_step(1);
        for (ratio, expected) in [(0.0, 1.0), (1.0, 4.0)] {
            let mut output = [0.0; 8];
            let noise = NormalNoise { mean: 3.0, std: 0.0, ratio };
            let writes: &mut [&mut [f32]] = &mut [&mut output];
            run(8, noise, 0, &step, &[&[1.0; 8]], writes, &mut Workers::new(1));
            assert_eq!(output, [expected; 8]);
        }
    }
}
