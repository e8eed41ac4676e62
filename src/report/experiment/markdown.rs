//! The experiment as one Markdown document.

use super::words::{Words, cells};
use super::{Experiment, Run};
use crate::report::lines::{self, Language, percent};
use std::fmt::Write;

/// The document. Photos are named, not shown: most readers of Markdown drop embedded pictures.
pub fn document(experiment: &Experiment, language: Language) -> String {
    let words = Words::of(language);
    let mut text = format!("# {}\n\n{}\n\n", words.title, words.lead);
    row(&mut text, words.columns.map(String::from));
    text.push_str("| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n");
    for line in experiment.table() {
        row(&mut text, cells(&line));
    }
    let _ = write!(text, "\n{}\n", words.table_note);

    let runs = experiment.first_runs();
    let accuracy = |run: &Run, epoch: usize| {
        run.history
            .get(epoch)
            .and_then(|report| report.validation_accuracy)
            .map(|share| percent(Some(share)))
    };
    by_epoch(&mut text, words.accuracy_chart, words.epoch, &runs, &accuracy);
    let loss = |run: &Run, epoch: usize| {
        run.history.get(epoch).map(|report| format!("{:.3}", report.loss))
    };
    by_epoch(&mut text, words.loss_chart, words.epoch, &runs, &loss);

    let _ = write!(text, "\n## {}\n\n{}\n", words.samples, words.samples_note);
    for (number, sample) in experiment.samples.iter().enumerate() {
        let _ = write!(text, "\n{}\n\n```\n", escape(&sample.name));
        for run in runs.iter().filter(|run| !run.answers.is_empty()) {
            let line = lines::prediction(&run.answers[number], &experiment.classes, language);
            let _ = writeln!(text, "{:<18} {}", run.model, line.replace(['`', '\n'], " "));
        }
        text.push_str("```\n");
    }
    let _ = write!(text, "\n## {}\n\n", words.why);
    for (what, why) in words.reasons {
        let _ = writeln!(text, "- **{what}** {why}");
    }
    let _ = write!(text, "\n## {}\n\n", words.setting);
    for (name, value) in words.settings(experiment) {
        let _ = writeln!(text, "- {name}: {}", escape(&value));
    }
    text
}

/// A table of one column a model and one row an epoch.
fn by_epoch(
    text: &mut String,
    title: &str,
    epoch: &str,
    runs: &[&Run],
    value: &dyn Fn(&Run, usize) -> Option<String>,
) {
    let _ = write!(text, "\n## {title}\n\n");
    row(text, [epoch.to_string()].into_iter().chain(runs.iter().map(|run| run.model.clone())));
    let _ = writeln!(text, "| ---: |{}", " ---: |".repeat(runs.len()));
    for number in 0..runs.iter().map(|run| run.history.len()).max().unwrap_or(0) {
        let values = runs.iter().map(|run| value(run, number).unwrap_or_else(|| "–".into()));
        row(text, [(number + 1).to_string()].into_iter().chain(values));
    }
}

fn row(text: &mut String, cells: impl IntoIterator<Item = String>) {
    for cell in cells {
        let _ = write!(text, "| {} ", escape(&cell));
    }
    text.push_str("|\n");
}

/// Text without what would be markup there.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        if "\\`*_[]<>|#&".contains(letter) {
            escaped.push('\\');
        }
        escaped.push(if letter == '\n' { ' ' } else { letter });
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::super::tests::example;
    use super::*;

    #[test]
    fn document_holds_table_curves_and_answers() {
        let text = document(&example(), Language::En);
        for expected in [
            "| residual\\_flower | 72.0% | 46.3% | 32 | 1216 | 173637 | 35.6 |",
            "| 4 | 65.0% | 65.0% |",
            "| 2 | 0.750 | 0.750 |",
            "a\\|b.jpg",
            "plain_flower       estimated distribution [97, 3] => estimate <rose> : answer tulip => X",
            "- Batch: 10",
        ] {
            assert!(text.contains(expected), "lacks {expected} in {text}");
        }
        assert!(document(&example(), Language::Ko).contains("He 초기화"));
    }
}
