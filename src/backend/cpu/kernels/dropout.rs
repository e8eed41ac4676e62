//! Inverted dropout, of values and of gradients alike: `input → output`.

use crate::backend::cpu::threads::Workers;
use crate::kernel::StepInputs;
use crate::rng::{Random, Stream};

pub(crate) fn run(
    (len, keep_prob, layer): (usize, f32, u32),
    accumulate: bool,
    step: &StepInputs,
    reads: &[&[f32]],
    writes: &mut [&mut [f32]],
    workers: &mut Workers,
) {
    let input = reads[0];
    let random = Random::new(step.seed, Stream::Dropout, layer, step.step);
    let scale = 1.0 / keep_prob;
    workers.elementwise(&mut writes[0][..len * step.batch_size], |range, output| {
        let indices = range.clone().map(|index| random.uniform(index as u32));
        for ((output, input), uniform) in output.iter_mut().zip(&input[range]).zip(indices) {
            let kept = if uniform < keep_prob { input * scale } else { 0.0 };
            *output = if accumulate { *output + kept } else { kept };
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drops_the_same_numbers_both_ways_and_keeps_the_mean() {
        let step = crate::backend::cpu::test_step(1);
        let dropped = |accumulate| {
            let mut output = vec![1.0; 4000];
            let writes: &mut [&mut [f32]] = &mut [&mut output];
            let input: &[f32] = &[2.0; 4000];
            run((4000, 0.5, 0), accumulate, &step, &[input], writes, &mut Workers::new(2));
            output
        };
        let (once, added) = (dropped(false), dropped(true));
        assert!(once.iter().all(|&x| x == 0.0 || x == 4.0));
        assert!(once.iter().zip(&added).all(|(once, added)| once + 1.0 == *added));
        let kept = once.iter().filter(|&&x| x > 0.0).count();
        assert!((1800..2200).contains(&kept), "{kept} of 4000 kept");
    }
}
