//! Softmax and cross-entropy.

use floret::kernel::StepInputs;

pub fn softmax(logits: &[f64]) -> Vec<f64> {
    log_softmax(logits).into_iter().map(f64::exp).collect()
}

fn log_softmax(logits: &[f64]) -> Vec<f64> {
    let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = logits.iter().map(|x| (x - largest).exp()).sum();
    logits.iter().map(|x| x - largest - sum.ln()).collect()
}

/// Class of the largest number, the first one among equals.
fn largest(numbers: &[f64]) -> usize {
    (0..numbers.len()).fold(0, |best, i| if numbers[i] > numbers[best] { i } else { best })
}

pub fn softmax_cross_entropy(
    classes: usize,
    step: &StepInputs,
    logits: &[f64],
    targets: &[f64],
    writes: &mut [Vec<f64>],
) {
    for sample in 0..step.batch_size {
        let logits = &logits[sample * classes..][..classes];
        let (target, weight) = targets[sample * (classes + 1)..][..classes + 1].split_at(classes);
        let (logs, probabilities) = (log_softmax(logits), softmax(logits));
        for class in 0..classes {
            let gradient =
                weight[0] * (probabilities[class] - target[class]) / step.batch_size as f64;
            writes[0][sample * classes + class] = gradient;
            writes[1][sample * classes + class] = probabilities[class];
        }
        let loss: f64 = -weight[0] * target.iter().zip(&logs).map(|(t, l)| t * l).sum::<f64>();
        writes[2][0] += loss;
        writes[2][1] += weight[0];
        writes[2][2] += f64::from(u8::from(largest(logits) == largest(target)));
        writes[2][3] += 1.0;
    }
}
