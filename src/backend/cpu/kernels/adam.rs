//! Adam with decoupled weight decay: `gradients, flags → weights, first moment, second moment`.

use crate::backend::cpu::threads::{Disjoint, ELEMENTWISE_CHUNK, Workers};
use crate::kernel::{ROW, StepInputs};

/// Decay of the moments, and the number that keeps the root from zero.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Decay {
    pub(crate) beta1: f32,
    pub(crate) beta2: f32,
    pub(crate) epsilon: f32,
}

pub(crate) fn run(
    len: usize,
    Decay { beta1, beta2, epsilon }: Decay,
    step: &StepInputs,
    reads: &[&[f32]],
    writes: &mut [&mut [f32]],
    workers: &mut Workers,
) {
    let (gradients, flags) = (reads[0], reads[1]);
    let [weights, first, second] = writes else { return };
    let correction = |beta: f32| {
        let steps = i32::try_from(step.step.saturating_add(1)).unwrap_or(i32::MAX);
        1.0 - f64::from(beta).powi(steps)
    };
    let first_correction = (1.0 / correction(beta1)) as f32;
    let second_correction = (1.0 / correction(beta2)) as f32;
    let (first, second) = (Disjoint::new(first), Disjoint::new(second));
    workers.chunks(&mut weights[..len], ELEMENTWISE_CHUNK, |range, weights| {
        // SAFETY: chunks do not overlap.
        let (first, second) = unsafe { (first.slice(range.clone()), second.slice(range.clone())) };
        let rows = weights.chunks_mut(ROW).zip(first.chunks_mut(ROW)).zip(second.chunks_mut(ROW));
        let flags = flags[2 * range.start / ROW..].chunks_exact(2);
        for ((((weights, first), second), gradients), flags) in
            rows.zip(gradients[range].chunks(ROW)).zip(flags)
        {
            let rate = step.learning_rate * flags[0];
            let decay = 1.0 - rate * step.weight_decay * flags[1];
            for (((weight, first), second), &gradient) in
                weights.iter_mut().zip(first).zip(second).zip(gradients)
            {
                *first += (1.0 - beta1) * (gradient - *first);
                *second += (1.0 - beta2) * (gradient * gradient - *second);
                let root = (*second * second_correction).sqrt() + epsilon;
                *weight = *weight * decay - rate * (*first * first_correction) / root;
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_step_has_the_length_of_the_learning_rate() {
        let step = StepInputs {
            learning_rate: 0.1,
            weight_decay: 0.5,
            ..crate::backend::cpu::test_step(1)
        };
        let mut weights = [1.0; 2 * ROW];
        let (mut first, mut second) = ([0.0; 2 * ROW], [0.0; 2 * ROW]);
        let mut gradients = [0.0; 2 * ROW];
        (gradients[0], gradients[1], gradients[ROW]) = (3.0, -7.0, 1.0);
        // The second row is frozen.
        let reads: [&[f32]; 2] = [&gradients, &[1.0, 1.0, 0.0, 1.0]];
        let decay = Decay { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
        let writes: &mut [&mut [f32]] = &mut [&mut weights, &mut first, &mut second];
        run(2 * ROW, decay, &step, &reads, writes, &mut Workers::new(1));
        assert!((weights[0] - 0.85).abs() < 1e-6 && (weights[1] - 1.05).abs() < 1e-6);
        assert_eq!(weights[ROW], 1.0);
        assert!((first[0] - 0.3).abs() < 1e-6 && (second[1] - 0.049).abs() < 1e-6);
    }
}
