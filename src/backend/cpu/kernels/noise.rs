//! Additive normal noise for whole batches.

use super::Run;
use crate::backend::cpu::context::Context;
use crate::backend::cpu::operands::Operands;
use crate::error::Result;
use crate::kernel::Noise;
use crate::rng::{Random, Stream};
use ndarray::{Zip, s};

impl Run for Noise {
    fn run(&self, mut operands: Operands, context: &mut Context) -> Result<()> {
        let &Self { len, mean, std, ratio, layer } = self;
        let input = operands.elements(len)?;
        let output = operands.elements_mut(len)?;
        let sequence =
            |layer| Random::new(context.step.seed, Stream::Noise, layer, context.step.step);
        let is_noisy = sequence(layer.wrapping_add(1 << 16)).uniform(0) < ratio;
        let random = sequence(layer);
        context.pool.elementwise(output, |range, mut output| {
            let first = range.start;
            output.assign(&input.slice(s![range]));
            if is_noisy {
                Zip::indexed(output).for_each(|index, output| {
                    *output += mean + std * random.normal((first + index) as u32);
                });
            }
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::cpu::run_alone;

    #[test]
    fn a_ratio_of_0_adds_nothing_and_of_1_adds_the_mean() {
        for (ratio, expected) in [(0.0, 1.0), (1.0, 4.0)] {
            let mut output = [0.0; 8];
            let kernel = Noise { len: 8, mean: 3.0, std: 0.0, ratio, layer: 0 };
            run_alone(kernel, 1, &[&[1.0; 8]], &mut [&mut output]);
            assert_eq!(output, [expected; 8]);
        }
    }
}
