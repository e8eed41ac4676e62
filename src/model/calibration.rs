//! Calibration turns a network's outputs into answers that can be relied on: a temperature for its probabilities, and
//! a score by which it may answer "none of these".

pub mod outliers;
pub mod temperature;

pub use outliers::{Outlier, OutlierDetector};
use temperature::softmax;

/// A model's calibration, fitted on photos that it was not trained on.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    /// Logits are divided by it before they become probabilities.
    pub temperature: f32,
    /// Tells photos that show none of the classes.
    pub outliers: OutlierDetector,
}

/// The raw outputs of a network for one photo.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reading {
    /// One number a class, whose exponentials go as the probabilities do.
    pub logits: Vec<f32>,
    /// What the classifying head reads: the mean over rows and columns of the layer before it, one number a channel.
    pub features: Vec<f32>,
}

impl Reading {
    /// The mean of some views of a photo: of their probabilities, and of their features; one view is taken as it is.
    pub fn mean(views: Vec<Self>) -> Self {
        let count = views.len() as f32;
        let mut views = views.into_iter();
        let Some(mut mean) = views.next() else { return Self::default() };
        if views.len() == 0 {
            return mean;
        }
        let mut probabilities = softmax(&mean.logits, 1.0);
        for view in views {
            let (sums, others) = (probabilities.iter_mut(), softmax(&view.logits, 1.0));
            sums.zip(others).for_each(|(sum, other)| *sum += other);
            mean.features.iter_mut().zip(view.features).for_each(|(sum, other)| *sum += other);
        }
        mean.logits = probabilities
            .into_iter()
            .map(|probability| (probability / count).max(f32::MIN_POSITIVE).ln())
            .collect();
        mean.features.iter_mut().for_each(|number| *number /= count);
        mean
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_views_give_the_mean_of_their_probabilities() {
        let view =
            |logit: f32, feature| Reading { logits: vec![logit, 0.0], features: vec![feature] };
        let mean = Reading::mean(vec![view(3f32.ln(), 1.0), view(0.0, 4.0)]);
        assert_eq!(mean.features, [2.5]);
        assert!((softmax(&mean.logits, 1.0)[0] - 0.625).abs() < 1e-6);
        let mean = Reading::mean(vec![view(3f32.ln(), 1.0), view(0.0, 4.0), view(0.0, 7.0)]);
        assert_eq!(mean.features, [4.0]);
        assert!((softmax(&mean.logits, 1.0)[0] - 1.75 / 3.0).abs() < 1e-6);
        assert_eq!(Reading::mean(vec![view(5.0, 1.0)]), view(5.0, 1.0));
        // A probability too small for a number stays finite.
        let certain = Reading::mean(vec![view(1000.0, 0.0), view(1000.0, 0.0)]);
        assert!(certain.logits.iter().all(|logit| logit.is_finite()));
    }
}
