//! Exponential moving average: `weights → averaged weights`.

use crate::backend::cpu::threads::Workers;
use crate::kernel::StepInputs;

pub(crate) fn run(
    len: usize,
    decay: f32,
    step: &StepInputs,
    reads: &[&[f32]],
    writes: &mut [&mut [f32]],
    workers: &mut Workers,
) {
    let weights = reads[0];
    let steps = step.step as f32;
    let pace = 1.0 - decay.min((1.0 + steps) / (10.0 + steps));
    workers.elementwise(&mut writes[0][..len], |range, averages| {
        for (average, weight) in averages.iter_mut().zip(&weights[range]) {
            *average += pace * (weight - *average);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn early_steps_move_faster() {
        for (step, expected) in [(0, 0.9), (1_000_000, 0.1)] {
            let step = StepInputs { step, ..crate::backend::cpu::test_step(1) };
            let mut averages = [0.0];
            run(1, 0.9, &step, &[&[1.0]], &mut [&mut averages], &mut Workers::new(1));
            assert!((averages[0] - expected).abs() < 1e-6, "{}", averages[0]);
        }
    }
}
