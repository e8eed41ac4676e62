//! The lines that the report prints, in Korean as it has them and in English.

use crate::error::harmless;
use crate::model::metrics::interval::Interval;
use crate::model::metrics::{Evaluation, Prediction};
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

/// `Model residual_flower test report: accuracy = 0.463, (6 secs)`; a dash where there was nothing to test on.
pub fn test(model: &str, accuracy: Option<f64>, seconds: f64) -> String {
    let accuracy = accuracy.map_or("–".into(), |accuracy| format!("{accuracy:.3}"));
    format!("Model {model} test report: accuracy = {accuracy}, ({seconds:.0} secs)")
}

/// A share in percent, `72.0%`; a dash where there is none.
pub fn percent(share: Option<f64>) -> String {
    share.map_or("–".into(), |share| format!("{:.1}%", 100.0 * share))
}

/// An accuracy in percent, with its interval where that is wide: `50.0% (9–91%)`.
pub fn percent_within(accuracy: Option<f64>, interval: Option<Interval>) -> String {
    let words = percent(accuracy);
    match interval.filter(|interval| interval.wide) {
        Some(Interval { low, high, .. }) => {
            format!("{words} ({:.0}–{:.0}%)", 100.0 * low, 100.0 * high)
        }
        None => words,
    }
}

/// How little an accuracy says, where it was measured on no photos or on few.
pub fn doubt(evaluation: &Evaluation, language: Language) -> Option<String> {
    if let [class] = evaluation.classes.as_slice() {
        let class = harmless(class);
        return Some(match language {
            Language::En => format!(
                "There is one class only, `{class}`: any answer is right, so the test says nothing."
            ),
            Language::Ko => format!(
                "클래스가 `{class}` 하나뿐이라 무엇이라 답해도 맞습니다. 시험으로 알 수 있는 것이 없습니다."
            ),
        });
    }
    let Some(interval) = evaluation.interval else {
        return Some(match language {
            Language::En => "No photos were held back for the test, so nothing is known of how good the model is. \
                Add photos until every class has at least two."
                .into(),
            Language::Ko => "시험용으로 남겨 둔 사진이 없어 모델이 얼마나 정확한지 알 수 없습니다. \
                클래스마다 사진을 두 장 이상 넣으세요."
                .into(),
        });
    };
    let (low, high) = (100.0 * interval.low, 100.0 * interval.high);
    let n = evaluation.n;
    interval.wide.then(|| match language {
        Language::En => {
            let photos = if n == 1 { "1 test photo says" } else { &format!("{n} test photos say") };
            format!(
                "{photos} little: on other photos of the same kind the accuracy may lie anywhere from {low:.0}% to {high:.0}% \
                 (95% interval). More photos would tell."
            )
        }
        Language::Ko => format!(
            "시험 사진 {n}장으로는 알 수 있는 것이 적습니다. 같은 종류의 다른 사진에서는 정확도가 {low:.0}%에서 {high:.0}% 사이 \
             어디든 될 수 있습니다(95% 신뢰 구간). 사진이 더 많아야 합니다."
        ),
    })
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
            test("residual_flower", Some(0.463), 6.4),
            "Model residual_flower test report: accuracy = 0.463, (6 secs)"
        );
        assert!(test("plain_flower", None, 0.0).contains("accuracy = –, "));
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

    #[test]
    fn few_test_photos_are_said_to_say_little() {
        let answer = |right: bool| Prediction {
            photo: 0,
            truth: 0,
            predicted: usize::from(!right),
            probabilities: vec![0.5, 0.5],
            uncalibrated: 0.5,
            outlier: None,
        };
        let of = |rights: &[bool]| {
            let answers = rights.iter().copied().map(answer).collect();
            Evaluation::new(&["left".into(), "right".into()], answers, 0.0)
        };
        let words = |rights: &[bool]| doubt(&of(rights), Language::En);
        assert!(words(&[]).unwrap().starts_with("No photos were held back"));
        assert!(words(&[true]).unwrap().starts_with("1 test photo says little"));
        assert!(words(&[true, false]).unwrap().contains("from 9% to 91% (95% interval)"));
        assert_eq!(words(&[true; 50]), None);
        assert!(doubt(&of(&[true, false]), Language::Ko).unwrap().contains("9%에서 91%"));
    }
}
