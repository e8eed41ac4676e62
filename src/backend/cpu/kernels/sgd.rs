//! Stochastic gradient descent with momentum: `gradients, flags → weights, first moment`.

use crate::backend::cpu::threads::{Disjoint, ELEMENTWISE_CHUNK, Workers};
use crate::kernel::{ROW, StepInputs};

pub(crate) fn run(
    len: usize,
    momentum: f32,
    step: &StepInputs,
    reads: &[&[f32]],
    writes: &mut [&mut [f32]],
    workers: &mut Workers,
) {
    let (gradients, flags) = (reads[0], reads[1]);
    let [weights, moments] = writes else { return };
    let moments = Disjoint::new(moments);
    workers.chunks(&mut weights[..len], ELEMENTWISE_CHUNK, |range, weights| {
        // SAFETY: chunks do not overlap.
        let moments = unsafe { moments.slice(range.clone()) };
        let rows = weights.chunks_mut(ROW).zip(moments.chunks_mut(ROW));
        let flags = flags[2 * range.start / ROW..].chunks_exact(2);
        for (((weights, moments), gradients), flags) in
            rows.zip(gradients[range].chunks(ROW)).zip(flags)
        {
            let rate = step.learning_rate * flags[0];
            let decay = 1.0 - rate * step.weight_decay * flags[1];
            for ((weight, moment), gradient) in weights.iter_mut().zip(moments).zip(gradients) {
                *moment = momentum * *moment + gradient;
                *weight = *weight * decay - rate * *moment;
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn momentum_carries_over() {
        let step = StepInputs { learning_rate: 0.1, ..crate::backend::cpu::test_step(1) };
        let (mut weights, mut moments) = ([1.0; ROW], [2.0; ROW]);
        let reads: [&[f32]; 2] = [&[1.0; ROW], &[1.0, 1.0]];
        run(ROW, 0.5, &step, &reads, &mut [&mut weights, &mut moments], &mut Workers::new(1));
        assert_eq!((weights[0], moments[0]), (0.8, 2.0));
    }
}
