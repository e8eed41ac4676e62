//! Whether probabilities can be taken at their word: the reliability table and its one number, the expected calibration
//! error (Naeini et al., 2015; Guo et al., 2017).

use serde::Serialize;

/// Bins of the table, of equal width from 0 to 1.
pub const BINS: usize = 15;

/// Answers whose highest probability lies in one bin.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Bin {
    /// How many.
    pub count: u32,
    /// Their mean highest probability.
    pub confidence: f64,
    /// Share of them that is right.
    pub accuracy: f64,
}

/// How far stated probabilities are from how often the answers are right.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reliability {
    /// Mean distance of confidence and accuracy over the bins, weighted by their answers; none without answers.
    pub expected_calibration_error: Option<f64>,
    /// [`BINS`] bins, from the least sure answers to the surest.
    pub bins: Vec<Bin>,
}

impl Reliability {
    /// The table of answers: each one's highest probability, and whether it is right.
    pub fn new(answers: impl IntoIterator<Item = (f32, bool)>) -> Self {
        let mut bins = vec![Bin::default(); BINS];
        for (confidence, right) in answers {
            let number = ((confidence * BINS as f32) as usize).min(BINS - 1);
            let bin = &mut bins[number];
            bin.count += 1;
            bin.confidence += f64::from(confidence);
            bin.accuracy += f64::from(u8::from(right));
        }
        let total: u32 = bins.iter().map(|bin| bin.count).sum();
        let mut error = 0.0;
        for bin in bins.iter_mut().filter(|bin| bin.count > 0) {
            error += (bin.confidence - bin.accuracy).abs() / f64::from(total);
            bin.confidence /= f64::from(bin.count);
            bin.accuracy /= f64::from(bin.count);
        }
        Self { expected_calibration_error: (total > 0).then_some(error), bins }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let answers = [(0.95, true), (0.95, false), (0.5, true), (1.0, true)];
        let table = Reliability::new(answers);
        // Bin 14 holds 0.95, 0.95 and 1.0; two of the three are right.
        assert_eq!((table.bins[14].count, table.bins[7].count), (3, 1));
        assert!((table.bins[14].accuracy - 2.0 / 3.0).abs() < 1e-12);
        assert!((table.bins[14].confidence - 2.9 / 3.0).abs() < 1e-6);
        let expected = 0.75 * (2.9 / 3.0 - 2.0 / 3.0) + 0.25 * 0.5;
        assert!((table.expected_calibration_error.unwrap() - expected).abs() < 1e-6);
    }

    #[test]
    fn no_answers_make_no_error() {
        let table = Reliability::new([]);
        assert_eq!((table.expected_calibration_error, table.bins.len()), (None, BINS));
    }
}
