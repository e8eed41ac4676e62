//! What a classifier got right: accuracy, confusion matrix, precision, recall and F1 of each class, and how far its
//! probabilities can be trusted.

pub mod interval;
pub mod reliability;

use crate::model::calibration::Outlier;
use interval::Interval;
use reliability::Reliability;
use serde::Serialize;

/// Counts of answers by true class (row) and predicted class (column).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Confusion {
    classes: usize,
    counts: Vec<u32>,
}

impl Confusion {
    /// No answers yet.
    pub fn new(classes: usize) -> Self {
        Self { classes, counts: vec![0; classes * classes] }
    }

    /// Counts one answer; classes that do not exist are not counted.
    pub fn add(&mut self, truth: usize, predicted: usize) {
        if truth < self.classes && predicted < self.classes {
            self.counts[truth * self.classes + predicted] += 1;
        }
    }

    /// Answers counted.
    pub fn total(&self) -> u32 {
        self.counts.iter().sum()
    }

    /// Answers of a true class that were given as a predicted class.
    pub fn count(&self, truth: usize, predicted: usize) -> u32 {
        self.counts[truth * self.classes + predicted]
    }

    /// One row a true class.
    pub fn rows(&self) -> Vec<Vec<u32>> {
        self.counts.chunks(self.classes.max(1)).map(<[u32]>::to_vec).collect()
    }

    /// Answers that are right.
    pub fn right(&self) -> u32 {
        (0..self.classes).map(|class| self.count(class, class)).sum()
    }

    /// Share of right answers; none where there are no answers.
    pub fn accuracy(&self) -> Option<f64> {
        ratio(self.right(), self.total())
    }

    /// Precision, recall and F1 of a class.
    pub fn class_report(&self, name: &str, class: usize) -> ClassReport {
        let right = self.count(class, class);
        let predicted: u32 = (0..self.classes).map(|truth| self.count(truth, class)).sum();
        let support: u32 = (0..self.classes).map(|answer| self.count(class, answer)).sum();
        let (precision, recall) = (ratio(right, predicted), ratio(right, support));
        let f1 = ratio(2 * right, predicted + support);
        ClassReport { class: name.into(), support, precision, recall, f1 }
    }
}

fn ratio(part: u32, whole: u32) -> Option<f64> {
    (whole > 0).then(|| f64::from(part) / f64::from(whole))
}

/// How well one class is told from the others. There is no ratio over no photos.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassReport {
    /// Class name.
    pub class: String,
    /// Photos of the class.
    pub support: u32,
    /// Share of the photos called so that are so.
    pub precision: Option<f64>,
    /// Share of the photos that are so and are called so.
    pub recall: Option<f64>,
    /// Harmonic mean of both.
    pub f1: Option<f64>,
}

/// One photo's answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Prediction {
    /// The photo's number in the library.
    pub photo: usize,
    /// Its class.
    pub truth: usize,
    /// The class with the highest probability.
    pub predicted: usize,
    /// Probability of each class.
    pub probabilities: Vec<f32>,
    /// The highest probability as it was before calibration.
    pub uncalibrated: f32,
    /// Whether the photo shows any of the classes, where the model can tell.
    pub outlier: Option<Outlier>,
}

/// The report on a set of labelled photos.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evaluation {
    /// Class names, in the model's order.
    pub classes: Vec<String>,
    /// Photos judged.
    pub n: usize,
    /// Share of right answers; none of no photos, and none where one class leaves no other answer.
    pub accuracy: Option<f64>,
    /// Where the accuracy lies on other photos of the same kind, with 95% confidence; none of no photos.
    pub interval: Option<Interval>,
    /// Mean cross-entropy in nats; none of no photos.
    pub loss: Option<f64>,
    /// One row a true class, one column a predicted class.
    pub confusion: Vec<Vec<u32>>,
    /// Each class on its own.
    pub per_class: Vec<ClassReport>,
    /// How reliable the probabilities are.
    pub reliability: Reliability,
    /// The same before calibration.
    pub uncalibrated: Reliability,
    /// Share of the photos that are called none of the classes, where the model can tell.
    pub none_of_these: Option<f64>,
    /// Every photo's answer, in the order judged.
    pub predictions: Vec<Prediction>,
    /// Wall-clock seconds.
    pub seconds: f64,
}

impl Evaluation {
    /// Sums up predictions.
    pub fn new(classes: &[String], predictions: Vec<Prediction>, seconds: f64) -> Self {
        let mut confusion = Confusion::new(classes.len());
        let mut loss = 0.0;
        for prediction in &predictions {
            confusion.add(prediction.truth, prediction.predicted);
            let likelihood = prediction.probabilities.get(prediction.truth).copied().unwrap_or(0.0);
            loss -= f64::from(likelihood.max(f32::MIN_POSITIVE)).ln();
        }
        let per_class = classes
            .iter()
            .enumerate()
            .map(|(class, name)| confusion.class_report(name, class))
            .collect();
        let table = |confidence: fn(&Prediction) -> f32| {
            let answers = predictions.iter().map(|p| (confidence(p), p.predicted == p.truth));
            Reliability::new(answers)
        };
        let confidence = |p: &Prediction| p.probabilities.iter().copied().fold(0.0, f32::max);
        let judged: Vec<&Outlier> = predictions.iter().filter_map(|p| p.outlier.as_ref()).collect();
        // Where there is one class, any answer is right.
        let tells_apart = classes.len() > 1;
        let flagged = judged.iter().filter(|outlier| outlier.none_of_these).count();
        Self {
            reliability: table(confidence),
            uncalibrated: table(|p| p.uncalibrated),
            none_of_these: (!judged.is_empty()).then(|| flagged as f64 / judged.len() as f64),
            classes: classes.to_vec(),
            n: predictions.len(),
            accuracy: confusion.accuracy().filter(|_| tells_apart),
            interval: Interval::wilson(confusion.right(), confusion.total())
                .filter(|_| tells_apart),
            loss: (!predictions.is_empty()).then(|| loss / predictions.len() as f64),
            confusion: confusion.rows(),
            per_class,
            predictions,
            seconds,
        }
    }
}

/// Position of the largest number, the first one among equals; `None` for an empty slice.
pub fn argmax(numbers: &[f32]) -> Option<usize> {
    (0..numbers.len())
        .reduce(|best, index| if numbers[index] > numbers[best] { index } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_what_was_right() {
        let prediction = |truth, predicted, probabilities: [f32; 2]| Prediction {
            photo: 0,
            truth,
            predicted,
            probabilities: probabilities.to_vec(),
            uncalibrated: 0.5,
            outlier: None,
        };
        let predictions = vec![
            prediction(0, 0, [0.5, 0.5]),
            prediction(0, 1, [0.25, 0.75]),
            prediction(1, 1, [0.0, 1.0]),
        ];
        let evaluation = Evaluation::new(&["daisy".into(), "rose".into()], predictions, 0.0);
        assert_eq!(evaluation.confusion, [[1, 1], [0, 1]]);
        assert!((evaluation.accuracy.unwrap() - 2.0 / 3.0).abs() < 1e-12);
        assert!((evaluation.loss.unwrap() - (2f64.ln() + 4f64.ln()) / 3.0).abs() < 1e-6);
        let tulip = &evaluation.per_class[1];
        assert_eq!((tulip.precision, tulip.recall), (Some(0.5), Some(1.0)));
        assert!((evaluation.per_class[0].f1.unwrap() - 2.0 / 3.0).abs() < 1e-12);
        assert!(evaluation.interval.is_some_and(|interval| interval.wide));
    }

    #[test]
    fn there_is_no_share_of_no_photos() {
        let evaluation = Evaluation::new(&["daisy".into()], Vec::new(), 0.0);
        let json = serde_json::to_value(&evaluation).unwrap();
        for name in ["accuracy", "interval", "loss", "none_of_these"] {
            assert!(json[name].is_null(), "{name}");
        }
        for name in ["precision", "recall", "f1"] {
            assert!(json["per_class"][0][name].is_null(), "{name}");
        }
        assert!(json["reliability"]["expected_calibration_error"].is_null());
    }
}
