//! Softmax, and with cross-entropy the loss.

use super::Run;
use crate::backend::cpu::context::Context;
use crate::backend::cpu::operands::Operands;
use crate::error::Result;
use crate::kernel::{METRICS, Softmax, SoftmaxCrossEntropy};
use ndarray::{ArrayView1, ArrayViewMut1, Zip, s};

impl Run for Softmax {
    fn run(&self, mut operands: Operands, _context: &mut Context) -> Result<()> {
        let logits = operands.pixels(1, self.classes)?;
        let mut probabilities = operands.pixels_mut(1, self.classes)?;
        Zip::from(logits.rows()).and(probabilities.rows_mut()).for_each(|logits, probabilities| {
            softmax(logits, probabilities);
        });
        Ok(())
    }
}

impl Run for SoftmaxCrossEntropy {
    fn run(&self, mut operands: Operands, context: &mut Context) -> Result<()> {
        let classes = self.classes;
        let logits = operands.pixels(1, classes)?;
        let targets = operands.pixels(1, classes + 1)?;
        let mut grad_logits = operands.pixels_mut(1, classes)?;
        let mut probabilities = operands.pixels_mut(1, classes)?;
        let mut metrics = operands.arena_mut(METRICS)?;
        Zip::from(logits.rows())
            .and(targets.rows())
            .and(grad_logits.rows_mut())
            .and(probabilities.rows_mut())
            .for_each(|logits, targets, gradients, mut probabilities| {
                let (targets, weight) = (targets.slice(s![..classes]), targets[classes]);
                let (largest_logit, log_sum) = softmax(logits, probabilities.view_mut());
                // A class without a target adds nothing, not even where its logit is infinitely far away.
                let present = targets.iter().zip(logits).filter(|(target, _)| **target != 0.0);
                let terms =
                    present.map(|(target, logit)| target * (largest_logit - logit + log_sum));
                let share = weight / context.step.batch_size as f32;
                Zip::from(gradients).and(&probabilities).and(targets).for_each(
                    |gradient, probability, target| {
                        *gradient = share * (probability - target);
                    },
                );
                metrics[0] += weight * terms.sum::<f32>();
                metrics[1] += weight;
                metrics[2] += f32::from(u8::from(largest(logits) == largest(targets)));
                metrics[3] += 1.0;
            });
        Ok(())
    }
}

/// Fills `probabilities`; returns the largest logit and the logarithm of the sum of exponentials of differences from it,
/// whose sum would lose digits where logits are far from zero.
fn softmax(logits: ArrayView1<f32>, mut probabilities: ArrayViewMut1<f32>) -> (f32, f32) {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for (probability, logit) in probabilities.iter_mut().zip(logits) {
        *probability = (logit - largest).exp();
        sum += *probability;
    }
    probabilities /= sum;
    (largest, sum.ln())
}

/// Returns the position of the largest value, the first one among equals.
fn largest(values: ArrayView1<f32>) -> usize {
    let mut best = 0;
    for (index, &value) in values.iter().enumerate() {
        if value > values[best] {
            best = index;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::cpu::run_alone;

    #[test]
    fn large_logits_do_not_overflow() {
        let mut probabilities = [0.0; 2];
        let (largest, log_sum) = softmax((&[1000.0, 1000.0]).into(), (&mut probabilities).into());
        assert_eq!((probabilities, largest), ([0.5, 0.5], 1000.0));
        assert!((log_sum - 2.0f32.ln()).abs() < 1e-6);
    }

    #[test]
    fn loss_gradient_and_metrics() {
        let mut gradients = [0.0; 4];
        let mut probabilities = [0.0; 4];
        let mut metrics = [1.0; METRICS];
        let reads: [&[f32]; 2] = [&[0.0, 0.0, 0.0, 0.0], &[1.0, 0.0, 1.0, 0.0, 1.0, 2.0]];
        let writes: &mut [&mut [f32]] = &mut [&mut gradients, &mut probabilities, &mut metrics];
        run_alone(SoftmaxCrossEntropy { classes: 2 }, 2, &reads, writes);
        assert_eq!(gradients, [-0.25, 0.25, 0.5, -0.5]);
        assert_eq!(probabilities, [0.5; 4]);
        assert!((metrics[0] - 1.0 - 3.0 * 2.0f32.ln()).abs() < 1e-6);
        assert_eq!(metrics[1..4], [4.0, 2.0, 3.0]);
    }
}
