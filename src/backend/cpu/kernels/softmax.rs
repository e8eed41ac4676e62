//! Softmax: `logits → probabilities`.

use crate::kernel::StepInputs;

pub(crate) fn run(classes: usize, step: &StepInputs, reads: &[&[f32]], writes: &mut [&mut [f32]]) {
    let logits = reads[0].chunks_exact(classes);
    let probabilities = writes[0].chunks_exact_mut(classes);
    for (logits, probabilities) in logits.zip(probabilities).take(step.batch_size) {
        softmax(logits, probabilities);
    }
}

/// Fills `probabilities`; returns the largest logit and the logarithm of the sum of exponentials of differences from it,
/// whose sum would lose digits where logits are far from zero.
pub(crate) fn softmax(logits: &[f32], probabilities: &mut [f32]) -> (f32, f32) {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for (probability, logit) in probabilities.iter_mut().zip(logits) {
        *probability = (logit - largest).exp();
        sum += *probability;
    }
    for probability in probabilities.iter_mut() {
        *probability /= sum;
    }
    (largest, sum.ln())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_logits_do_not_overflow() {
        let mut probabilities = [0.0; 2];
        let (largest, log_sum) = softmax(&[1000.0, 1000.0], &mut probabilities);
        assert_eq!((probabilities, largest), ([0.5, 0.5], 1000.0));
        assert!((log_sum - 2.0f32.ln()).abs() < 1e-6);
    }
}
