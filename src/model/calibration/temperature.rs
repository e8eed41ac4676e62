//! Temperature scaling (Guo et al., 2017): one number that divides all logits, so that a probability of 80% is right in
//! four of five cases. It never changes which class comes first.

/// The temperatures that are looked at, as natural logarithms: from 1/20 to 20.
const LOG_RANGE: [f64; 2] = [-3.0, 3.0];

/// Steps of the search; each narrows the range by the golden ratio, to about 1e-6 in all.
const STEPS: usize = 32;

/// Class probabilities of logits divided by a temperature.
pub fn softmax(logits: &[f32], temperature: f32) -> Vec<f32> {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut numbers: Vec<f32> =
        logits.iter().map(|logit| ((logit - largest) / temperature).exp()).collect();
    let sum: f32 = numbers.iter().sum();
    numbers.iter_mut().for_each(|number| *number /= sum);
    numbers
}

/// The temperature at which the right classes of these logits are likeliest, found by golden-section search: the loss is
/// unimodal in it.
///
/// A logarithm of 0 counts as one photo's worth of prior belief, so that a handful of photos, all answered right, do not
/// make the model certain.
pub fn fit(samples: &[(&[f32], usize)]) -> f32 {
    let objective = |log: f64| -> f64 {
        let losses = samples.iter().map(|&(logits, truth)| loss(logits, truth, log.exp()));
        losses.sum::<f64>() + log * log
    };
    let ratio = (5f64.sqrt() - 1.0) / 2.0;
    let [mut low, mut high] = LOG_RANGE;
    let (mut left, mut right) = (high - ratio * (high - low), low + ratio * (high - low));
    let (mut at_left, mut at_right) = (objective(left), objective(right));
    for _ in 0..STEPS {
        if at_left < at_right {
            (high, right, at_right) = (right, left, at_left);
            left = high - ratio * (high - low);
            at_left = objective(left);
        } else {
            (low, left, at_left) = (left, right, at_right);
            right = low + ratio * (high - low);
            at_right = objective(right);
        }
    }
    (0.5 * (low + high)).exp() as f32
}

/// Cross-entropy in nats.
fn loss(logits: &[f32], truth: usize, temperature: f64) -> f64 {
    let scaled = |logit: f32| f64::from(logit) / temperature;
    let largest = logits.iter().map(|&logit| scaled(logit)).fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = logits.iter().map(|&logit| (scaled(logit) - largest).exp()).sum();
    largest + sum.ln() - logits.get(truth).map_or(largest, |&logit| scaled(logit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Random, Stream};

    /// Photos whose classes are drawn from the probabilities of logits, which are then multiplied by `sharpened`.
    fn fitted(photos: u32, sharpened: f32) -> f32 {
        let random = Random::new(7, Stream::Test, 0, 0);
        let samples: Vec<(Vec<f32>, usize)> = (0..photos)
            .map(|photo| {
                let logits: Vec<f32> =
                    (0..4).map(|class| 1.5 * random.normal(8 * photo + class)).collect();
                let (mut rest, mut truth) = (random.uniform(8 * photo + 7), 0);
                for (class, probability) in softmax(&logits, 1.0).into_iter().enumerate() {
                    truth = class;
                    rest -= probability;
                    if rest < 0.0 {
                        break;
                    }
                }
                (logits.iter().map(|logit| logit * sharpened).collect(), truth)
            })
            .collect();
        let samples: Vec<(&[f32], usize)> =
            samples.iter().map(|(logits, truth)| (logits.as_slice(), *truth)).collect();
        fit(&samples)
    }

    #[test]
    fn finds_the_temperature_that_was_put_in() {
        for sharpened in [0.4, 1.0, 3.0] {
            let found = fitted(4000, sharpened);
            assert!((found / sharpened - 1.0).abs() < 0.08, "{found} instead of {sharpened}");
        }
    }

    #[test]
    fn a_few_right_answers_do_not_make_it_certain() {
        let logits = [2.0, 0.0, 0.0];
        let found = fit(&[(&logits, 0), (&logits, 0), (&logits, 0)]);
        assert!(found > 0.3 && found < 1.0, "{found}");
        assert!((fit(&[]) - 1.0).abs() < 1e-5);
    }

    #[test]
    fn softmax_by_hand() {
        let probabilities = softmax(&[1000.0, 1000.0 - 2.0 * 3f32.ln()], 2.0);
        assert!((probabilities[0] - 0.75).abs() < 1e-5, "{probabilities:?}");
    }
}
