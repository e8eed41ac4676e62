//! The lines that the report prints, in Korean as it has them and in English.

use crate::model::metrics::Prediction;
use crate::train::EpochReport;
use serde::{Deserialize, Serialize};

/// Language of the lines that are not the same in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Korean, to the letter of the report.
    Ko,
}

/// `Model residual_flower train started:`
pub fn started(model: &str) -> String {
    format!("Model {model} train started:")
}

/// `Epoch 2: cost=1.257, accuracy=0.473/0.250 (239/239 secs)`: mean training cost, training / validation accuracy,
/// seconds since the last printed line / since the start. Without validation photos the second accuracy is a dash.
pub fn epoch(report: &EpochReport, seconds_since_last: f64) -> String {
    let validation =
        report.validation_accuracy.map_or("-".into(), |accuracy| format!("{accuracy:.3}"));
    format!(
        "Epoch {}: cost={:.3}, accuracy={:.3}/{validation} ({seconds_since_last:.0}/{:.0} secs)",
        report.epoch, report.loss, report.accuracy, report.total_seconds
    )
}

/// `Model residual_flower train ended in 1216 secs:`
pub fn ended(model: &str, seconds: f64) -> String {
    format!("Model {model} train ended in {seconds:.0} secs:")
}

/// `Model residual_flower test report: accuracy = 0.463, (6 secs)`
pub fn test(model: &str, accuracy: f64, seconds: f64) -> String {
    format!("Model {model} test report: accuracy = {accuracy:.3}, ({seconds:.0} secs)")
}

/// `추정확률분포 [ 3,59, 7,21,10] => 추정 dandelion : 정답 dandelion => O`, with an X where the answer is wrong;
/// probabilities in whole percent.
pub fn prediction(prediction: &Prediction, classes: &[String], language: Language) -> String {
    let percents: Vec<String> = prediction
        .probabilities
        .iter()
        .map(|probability| format!("{:2.0}", 100.0 * probability))
        .collect();
    let name = |class: usize| classes.get(class).map_or("?", String::as_str);
    let mark = if prediction.predicted == prediction.truth { "O" } else { "X" };
    let (distribution, guess, answer) = match language {
        Language::Ko => ("추정확률분포", "추정", "정답"),
        Language::En => ("estimated distribution", "estimate", "answer"),
    };
    let (percents, guessed, truth) =
        (percents.join(","), name(prediction.predicted), name(prediction.truth));
    format!("{distribution} [{percents}] => {guess} {guessed} : {answer} {truth} => {mark}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_the_lines_of_the_report() {
        let report = EpochReport {
            epoch: 2,
            loss: 1.2571,
            accuracy: 0.4731,
            validation_loss: Some(1.0),
            validation_accuracy: Some(0.25),
            learning_rate: 0.001,
            seconds: 119.0,
            total_seconds: 239.2,
        };
        assert_eq!(
            epoch(&report, 239.2),
            "Epoch 2: cost=1.257, accuracy=0.473/0.250 (239/239 secs)"
        );
        let no_validation = EpochReport { validation_accuracy: None, ..report };
        assert!(epoch(&no_validation, 1.0).contains("accuracy=0.473/- "));
        assert_eq!(
            test("residual_flower", 0.463, 6.4),
            "Model residual_flower test report: accuracy = 0.463, (6 secs)"
        );
        let classes = ["daisy", "dandelion", "rose", "sunflower", "tulip"].map(String::from);
        let mut answer = Prediction {
            photo: 0,
            truth: 1,
            predicted: 1,
            probabilities: vec![0.03, 0.59, 0.07, 0.21, 0.10],
            uncalibrated: 0.59,
            outlier: None,
        };
        assert_eq!(
            prediction(&answer, &classes, Language::Ko),
            "추정확률분포 [ 3,59, 7,21,10] => 추정 dandelion : 정답 dandelion => O"
        );
        answer.truth = 0;
        assert!(prediction(&answer, &classes, Language::En).ends_with("answer daisy => X"));
    }
}
