//! The optimizers, and the moving average of weights.

use super::Run;
use crate::backend::cpu::context::Context;
use crate::backend::cpu::operands::{Operands, slice_of, slice_of_mut};
use crate::backend::cpu::threads::ELEMENTWISE_CHUNK;
use crate::error::Result;
use crate::kernel::{Adam, AverageWeights, ROW, Sgd, StepInputs};
use ndarray::{ArrayView1, ArrayViewMut2, Zip, s};
use std::ops::Range;

/// Rows of an arena in a chunk.
const CHUNK_ROWS: usize = ELEMENTWISE_CHUNK / ROW;

/// The optimizer's factors for one row of an arena, from the row's flags.
struct RowStep {
    /// The learning rate.
    rate: f32,
    /// The factor that weight decay leaves of a weight.
    kept: f32,
}

/// Returns the steps of some rows.
fn row_steps<'a>(
    step: &StepInputs,
    flags: ArrayView1<'a, f32>,
    rows: Range<usize>,
) -> impl Iterator<Item = RowStep> + 'a {
    let StepInputs { learning_rate, weight_decay, .. } = *step;
    slice_of(flags)[2 * rows.start..2 * rows.end].chunks_exact(2).map(move |flags| {
        let rate = learning_rate * flags[0];
        RowStep { rate, kept: 1.0 - rate * weight_decay * flags[1] }
    })
}

/// Takes an arena of `len` elements to be written, a row of it on each row.
fn rows_mut<'a>(operands: &mut Operands<'a, '_>, len: usize) -> Result<ArrayViewMut2<'a, f32>> {
    let arena = slice_of_mut(operands.arena_mut(len)?);
    let rows = ArrayViewMut2::from_shape([len / ROW, ROW], arena);
    rows.map_err(|error| crate::backend::cpu::internal(error.to_string()))
}

impl Run for Adam {
    fn run(&self, mut operands: Operands, context: &mut Context) -> Result<()> {
        let &Self { len, beta1, beta2, epsilon } = self;
        let step = context.step;
        let gradients = slice_of(operands.arena(len)?);
        let flags = operands.arena(2 * len / ROW)?;
        let weights = rows_mut(&mut operands, len)?;
        let first = rows_mut(&mut operands, len)?;
        let second = rows_mut(&mut operands, len)?;
        let correction = |beta: f32| {
            let steps = i32::try_from(step.step.saturating_add(1)).unwrap_or(i32::MAX);
            (1.0 / (1.0 - f64::from(beta).powi(steps))) as f32
        };
        let (first_correction, second_correction) = (correction(beta1), correction(beta2));
        context.pool.chunks([weights, first, second], CHUNK_ROWS, |rows, arenas| {
            let gradients = gradients[rows.start * ROW..rows.end * ROW].chunks_exact(ROW);
            let [weights, first, second] =
                arenas.map(|arena| slice_of_mut(arena).chunks_exact_mut(ROW));
            let rows = row_steps(step, flags, rows).zip(gradients);
            for (((weights, first), second), (RowStep { rate, kept }, gradients)) in
                weights.zip(first).zip(second).zip(rows)
            {
                for (((weight, first), second), &gradient) in
                    weights.iter_mut().zip(first).zip(second).zip(gradients)
                {
                    *first += (1.0 - beta1) * (gradient - *first);
                    *second += (1.0 - beta2) * (gradient * gradient - *second);
                    let root = (*second * second_correction).sqrt() + epsilon;
                    *weight = *weight * kept - rate * (*first * first_correction) / root;
                }
            }
        });
        Ok(())
    }
}

impl Run for Sgd {
    fn run(&self, mut operands: Operands, context: &mut Context) -> Result<()> {
        let &Self { len, momentum } = self;
        let step = context.step;
        let gradients = slice_of(operands.arena(len)?);
        let flags = operands.arena(2 * len / ROW)?;
        let weights = rows_mut(&mut operands, len)?;
        let moments = rows_mut(&mut operands, len)?;
        context.pool.chunks([weights, moments], CHUNK_ROWS, |rows, arenas| {
            let gradients = gradients[rows.start * ROW..rows.end * ROW].chunks_exact(ROW);
            let [weights, moments] = arenas.map(|arena| slice_of_mut(arena).chunks_exact_mut(ROW));
            let rows = row_steps(step, flags, rows).zip(gradients);
            for ((weights, moments), (RowStep { rate, kept }, gradients)) in
                weights.zip(moments).zip(rows)
            {
                for ((weight, moment), gradient) in weights.iter_mut().zip(moments).zip(gradients) {
                    *moment = momentum * *moment + gradient;
                    *weight = *weight * kept - rate * *moment;
                }
            }
        });
        Ok(())
    }
}

impl Run for AverageWeights {
    fn run(&self, mut operands: Operands, context: &mut Context) -> Result<()> {
        let weights = operands.arena(self.len)?;
        let averages = operands.arena_mut(self.len)?;
        let steps = context.step.step as f32;
        let pace = 1.0 - self.decay.min((1.0 + steps) / (10.0 + steps));
        context.pool.elementwise(averages, |range, averages| {
            Zip::from(averages).and(weights.slice(s![range])).for_each(|average, weight| {
                *average += pace * (weight - *average);
            });
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::cpu::{Workers, run_kernel, test_step};

    fn run(
        kernel: impl Into<crate::kernel::Kernel>,
        step: StepInputs,
        reads: &[&[f32]],
        writes: &mut [&mut [f32]],
    ) {
        run_kernel(&kernel.into(), &step, reads, writes, &mut Workers::new(1)).unwrap();
    }

    #[test]
    fn the_first_step_of_adam_has_the_length_of_the_learning_rate() {
        let step = StepInputs { learning_rate: 0.1, weight_decay: 0.5, ..test_step(1) };
        let mut weights = [1.0; 2 * ROW];
        let (mut first, mut second) = ([0.0; 2 * ROW], [0.0; 2 * ROW]);
        let mut gradients = [0.0; 2 * ROW];
        (gradients[0], gradients[1], gradients[ROW]) = (3.0, -7.0, 1.0);
        // The second row is frozen.
        let reads: [&[f32]; 2] = [&gradients, &[1.0, 1.0, 0.0, 1.0]];
        let kernel = Adam { len: 2 * ROW, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
        run(kernel, step, &reads, &mut [&mut weights, &mut first, &mut second]);
        assert!((weights[0] - 0.85).abs() < 1e-6 && (weights[1] - 1.05).abs() < 1e-6);
        assert_eq!(weights[ROW], 1.0);
        assert!((first[0] - 0.3).abs() < 1e-6 && (second[1] - 0.049).abs() < 1e-6);
    }

    #[test]
    fn momentum_carries_over() {
        let step = StepInputs { learning_rate: 0.1, ..test_step(1) };
        let (mut weights, mut moments) = ([1.0; ROW], [2.0; ROW]);
        let reads: [&[f32]; 2] = [&[1.0; ROW], &[1.0, 1.0]];
        let kernel = Sgd { len: ROW, momentum: 0.5 };
        run(kernel, step, &reads, &mut [&mut weights, &mut moments]);
        assert_eq!((weights[0], moments[0]), (0.8, 2.0));
    }

    #[test]
    fn early_steps_move_the_average_faster() {
        for (step, expected) in [(0, 0.9), (1_000_000, 0.1)] {
            let step = StepInputs { step, ..test_step(1) };
            let mut averages = [0.0];
            run(AverageWeights { len: 1, decay: 0.9 }, step, &[&[1.0]], &mut [&mut averages]);
            assert!((averages[0] - expected).abs() < 1e-6, "{}", averages[0]);
        }
    }
}
