//! What turns a network's numbers into answers that can be relied on: a temperature for its probabilities, and a score
//! by which it may answer "none of these".

pub mod outliers;
pub mod temperature;

pub use outliers::{Outlier, OutlierDetector};
use temperature::softmax;

/// What was learned of a model's answers from photos that it was not trained on.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    /// Logits are divided by it before they become probabilities.
    pub temperature: f32,
    /// Tells photos that show none of the classes.
    pub outliers: OutlierDetector,
}

/// What a network makes of a photo before it is an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// One number a class, whose exponentials go as the probabilities do.
    pub logits: Vec<f32>,
    /// What the classifying head reads: the mean over rows and columns of the layer before it, one number a channel.
    pub features: Vec<f32>,
}

impl Reading {
    /// The mean of two views of a photo: of their probabilities, and of their features.
    pub fn average(&mut self, other: &Self) {
        let probabilities = softmax(&self.logits, 1.0).into_iter().zip(softmax(&other.logits, 1.0));
        self.logits =
            probabilities.map(|(a, b)| (0.5 * (a + b)).max(f32::MIN_POSITIVE).ln()).collect();
        for (number, other) in self.features.iter_mut().zip(&other.features) {
            *number = 0.5 * (*number + other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_views_give_the_mean_of_their_probabilities() {
        let view =
            |logit: f32, feature| Reading { logits: vec![logit, 0.0], features: vec![feature] };
        let mut reading = view(3f32.ln(), 1.0);
        reading.average(&view(0.0, 4.0));
        assert_eq!(reading.features, [2.5]);
        assert!((softmax(&reading.logits, 1.0)[0] - 0.625).abs() < 1e-6);
        // A probability too small for a number stays finite.
        reading.average(&view(1000.0, 0.0));
        assert!(reading.logits.iter().all(|logit| logit.is_finite()));
        let mut certain = view(1000.0, 0.0);
        certain.average(&view(1000.0, 0.0));
        assert!(certain.logits.iter().all(|logit| logit.is_finite()));
    }
}
