//! Inverted dropout, of values and of gradients alike.

use super::Run;
use crate::backend::cpu::context::Context;
use crate::backend::cpu::operands::Operands;
use crate::error::Result;
use crate::kernel::Dropout;
use crate::rng::{Random, Stream};
use ndarray::{Zip, s};

impl Run for Dropout {
    fn run(&self, mut operands: Operands, context: &mut Context) -> Result<()> {
        let &Self { len, keep_prob, layer, accumulate } = self;
        let input = operands.elements(len)?;
        let output = operands.elements_mut(len)?;
        let random = Random::new(context.step.seed, Stream::Dropout, layer, context.step.step);
        let scale = 1.0 / keep_prob;
        context.pool.elementwise(output, |range, output| {
            let first = range.start;
            let input = input.slice(s![range]);
            Zip::indexed(output).and(input).for_each(|index, output, input| {
                let uniform = random.uniform((first + index) as u32);
                let kept = if uniform < keep_prob { input * scale } else { 0.0 };
                *output = if accumulate { *output + kept } else { kept };
            });
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::cpu::run_alone;

    #[test]
    fn drops_the_same_elements_both_ways_and_keeps_the_mean() {
        let dropped = |accumulate| {
            let mut output = vec![1.0; 4000];
            let kernel = Dropout { len: 4000, keep_prob: 0.5, layer: 0, accumulate };
            run_alone(kernel, 1, &[&[2.0; 4000]], &mut [&mut output]);
            output
        };
        let (once, added) = (dropped(false), dropped(true));
        assert!(once.iter().all(|&x| x == 0.0 || x == 4.0));
        assert!(once.iter().zip(&added).all(|(once, added)| once + 1.0 == *added));
        let kept = once.iter().filter(|&&x| x > 0.0).count();
        assert!((1800..2200).contains(&kept), "{kept} of 4000 kept");
    }
}
