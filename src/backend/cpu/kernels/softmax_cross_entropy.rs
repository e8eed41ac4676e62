//! The loss: `logits, targets → grad_logits, probabilities, metrics`.

use crate::backend::cpu::kernels::softmax::softmax;
use crate::kernel::StepInputs;

pub(crate) fn run(classes: usize, step: &StepInputs, reads: &[&[f32]], writes: &mut [&mut [f32]]) {
    let [grad_logits, probabilities, metrics] = writes else { return };
    let samples = reads[0].chunks_exact(classes).zip(reads[1].chunks_exact(classes + 1));
    let outputs =
        grad_logits.chunks_exact_mut(classes).zip(probabilities.chunks_exact_mut(classes));
    for ((logits, targets), (gradients, probabilities)) in
        samples.zip(outputs).take(step.batch_size)
    {
        let (targets, weight) = (&targets[..classes], targets[classes]);
        let (largest_logit, log_sum) = softmax(logits, probabilities);
        // A class without a target adds nothing, not even where its logit is infinitely far away.
        let present = targets.iter().zip(logits).filter(|(target, _)| **target != 0.0);
        let terms = present.map(|(target, logit)| target * (largest_logit - logit + log_sum));
        let share = weight / step.batch_size as f32;
        for ((gradient, probability), target) in
            gradients.iter_mut().zip(&*probabilities).zip(targets)
        {
            *gradient = share * (probability - target);
        }
        metrics[0] += weight * terms.sum::<f32>();
        metrics[1] += weight;
        metrics[2] += f32::from(u8::from(largest(logits) == largest(targets)));
        metrics[3] += 1.0;
    }
}

/// Position of the largest number, the first one among equals.
fn largest(numbers: &[f32]) -> usize {
    let mut best = 0;
    for (index, &number) in numbers.iter().enumerate() {
        if number > numbers[best] {
            best = index;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loss_gradient_and_metrics() {
        let step = crate::backend::cpu::test_step(2);
        let mut gradients = [0.0; 4];
        let mut probabilities = [0.0; 4];
        let mut metrics = [1.0; 4];
        let reads: [&[f32]; 2] = [&[0.0, 0.0, 0.0, 0.0], &[1.0, 0.0, 1.0, 0.0, 1.0, 2.0]];
        run(2, &step, &reads, &mut [&mut gradients, &mut probabilities, &mut metrics]);
        assert_eq!(gradients, [-0.25, 0.25, 0.5, -0.5]);
        assert_eq!(probabilities, [0.5; 4]);
        assert!((metrics[0] - 1.0 - 3.0 * 2.0f32.ln()).abs() < 1e-6);
        assert_eq!(metrics[1..], [4.0, 2.0, 3.0]);
    }
}
