//! The experiment of the report: inception, plain, residual and bottleneck on the same photos, split, seeds and recipe.

pub mod html;

use crate::metrics::Evaluation;
use crate::recipe::Recipe;
use crate::train::EpochReport;
use serde::{Deserialize, Serialize};

/// What the report measured with a model: 10 epochs, batch 10, 4,323 photos, NumPy on a CPU.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Reported {
    /// Ready-made network.
    pub model: &'static str,
    /// Test accuracy.
    pub accuracy: f64,
    /// Training time.
    pub seconds: f64,
}

/// The report's table, with actions LAB, in its order.
pub const REPORTED: [Reported; 4] = [
    Reported { model: "inception_flower", accuracy: 0.306, seconds: 2860.0 },
    Reported { model: "plain_flower", accuracy: 0.358, seconds: 1218.0 },
    Reported { model: "residual_flower", accuracy: 0.463, seconds: 1216.0 },
    Reported { model: "bottleneck_flower", accuracy: 0.420, seconds: 1403.0 },
];

/// One training run of the experiment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Ready-made network.
    pub model: String,
    /// Seed of weights, order, augmentation and split.
    pub seed: u64,
    /// The textbook's parameter total.
    pub parameters: u64,
    /// Floating-point operations of one photo's forward pass, a multiply-add being two.
    pub flops: u64,
    /// Test accuracy.
    pub accuracy: f64,
    /// Photos tested.
    pub tested: usize,
    /// Seconds of training, validation included.
    pub seconds: f64,
    /// Epoch by epoch.
    pub history: Vec<EpochReport>,
    /// A few answers, in the report's words.
    pub samples: Vec<String>,
}

impl Run {
    /// Sums up a finished run.
    pub fn new(
        model: &str,
        seed: u64,
        parameters: u64,
        flops: u64,
        history: &[EpochReport],
        test: &Evaluation,
        samples: Vec<String>,
    ) -> Self {
        Self {
            model: model.into(),
            seed,
            parameters,
            flops,
            accuracy: test.accuracy,
            tested: test.n,
            seconds: history.last().map_or(0.0, |report| report.total_seconds),
            history: history.to_vec(),
            samples,
        }
    }
}

/// A whole experiment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Experiment {
    /// Name of the recipe.
    pub recipe_name: String,
    /// Its settings, the seed being each run's own.
    pub recipe: Recipe,
    /// The executor, in words.
    pub device: String,
    /// Photos in all.
    pub photos: usize,
    /// Runs, in any order.
    pub runs: Vec<Run>,
}

/// A model's line of the table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// Ready-made network.
    pub model: String,
    /// The textbook's parameter total.
    pub parameters: u64,
    /// Floating-point operations of one photo's forward pass.
    pub flops: u64,
    /// Test accuracy of each run.
    pub accuracies: Vec<f64>,
    /// Their mean.
    pub accuracy: f64,
    /// Median training seconds.
    pub seconds: f64,
    /// The report's figures, for the four models that it trained.
    pub reported: Option<Reported>,
}

impl Experiment {
    /// One line a model, in the order of their first runs.
    pub fn table(&self) -> Vec<Line> {
        let mut lines: Vec<Line> = Vec::new();
        for run in &self.runs {
            if lines.iter().any(|line| line.model == run.model) {
                continue;
            }
            let runs: Vec<&Run> =
                self.runs.iter().filter(|other| other.model == run.model).collect();
            let accuracies: Vec<f64> = runs.iter().map(|run| run.accuracy).collect();
            let mut seconds: Vec<f64> = runs.iter().map(|run| run.seconds).collect();
            seconds.sort_by(f64::total_cmp);
            lines.push(Line {
                model: run.model.clone(),
                parameters: run.parameters,
                flops: run.flops,
                accuracy: accuracies.iter().sum::<f64>() / accuracies.len() as f64,
                accuracies,
                seconds: seconds[seconds.len() / 2],
                reported: REPORTED.into_iter().find(|reported| reported.model == run.model),
            });
        }
        lines
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn example() -> Experiment {
        let report = |epoch: u32| EpochReport {
            epoch,
            loss: 1.5 / f64::from(epoch),
            accuracy: 0.3 + 0.1 * f64::from(epoch),
            validation_loss: Some(1.4 / f64::from(epoch)),
            validation_accuracy: Some(0.25 + 0.1 * f64::from(epoch)),
            learning_rate: 0.001,
            seconds: 3.0,
            total_seconds: 3.0 * f64::from(epoch),
        };
        let run = |model: &str, seed, accuracy| Run {
            model: model.into(),
            seed,
            parameters: 173_637,
            flops: 35_600_000,
            accuracy,
            tested: 550,
            seconds: 30.0 + seed as f64,
            history: (1..=4).map(report).collect(),
            samples: vec![
                "estimated distribution [ 3,97] => estimate <rose> : answer tulip => X".into(),
            ],
        };
        Experiment {
            recipe_name: "modern".into(),
            recipe: Recipe::modern(),
            device: "CPU, 2 threads".into(),
            photos: 3668,
            runs: vec![
                run("residual_flower", 1, 0.70),
                run("plain_flower", 1, 0.60),
                run("residual_flower", 2, 0.74),
                run("residual_flower", 3, 0.72),
            ],
        }
    }

    #[test]
    fn table_takes_means_and_medians_by_model() {
        let table = example().table();
        assert_eq!(table.len(), 2);
        assert_eq!(table[0].model, "residual_flower");
        assert!((table[0].accuracy - 0.72).abs() < 1e-12);
        assert_eq!(table[0].seconds, 32.0);
        assert_eq!(table[0].reported.unwrap().accuracy, 0.463);
    }
}
