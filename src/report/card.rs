//! A model card (Mitchell et al., 2019): what a model is, what it was made from, how well it does and what it cannot do.

use crate::classify::others::Others;
use crate::data::library::ClassCount;
use crate::error::{Error, Result};
use crate::model::Model;
use crate::model::metrics::Evaluation;
use crate::model::metrics::reliability::Bin;
use crate::network::presets::{ACTIONS, PRESETS};
use crate::recipe::Recipe;
use crate::train::Snapshot;
use std::fmt::Write;

/// The facts that a card is written from.
pub struct Card<'a> {
    /// Name of the model, which its files bear.
    pub name: &'a str,
    /// Bytes of its file.
    pub bytes: u64,
    /// The model and the run that made it.
    pub snapshot: &'a Snapshot,
    /// Photos of each class, by their split.
    pub counts: &'a [ClassCount],
    /// How it does on the photos that were held back.
    pub evaluation: &'a Evaluation,
    /// How it does on pictures of none of its classes, where it can tell.
    pub others: Option<&'a Others>,
}

/// The card as Markdown.
///
/// # Errors
/// [`Error::Internal`] where a setting has no JSON form.
pub fn markdown(card: &Card) -> Result<String> {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = summary(&mut text, card)
        .and_then(|()| by_class(&mut text, card))
        .and_then(|()| probabilities(&mut text, card))
        .and_then(|()| none_of_these(&mut text, card))
        .and_then(|()| limits(&mut text, card));
    again(&mut text, card)?;
    Ok(text)
}

/// A name as a cell of a table.
fn cell(name: &str) -> String {
    name.replace('|', "\\|").replace(['\n', '\r'], " ")
}

fn percent(share: f64) -> String {
    format!("{:.1}%", 100.0 * share)
}

fn list(names: &[String]) -> String {
    names.iter().map(|name| cell(name)).collect::<Vec<_>>().join(", ")
}

fn summary(text: &mut String, card: &Card) -> std::fmt::Result {
    let Snapshot { model, recipe, progress, train_from, .. } = card.snapshot;
    let sum = |count: fn(&ClassCount) -> usize| card.counts.iter().map(count).sum::<usize>();
    let structure = &model.network.structure;
    writeln!(text, "# Model card: `{}`\n", cell(card.name))?;
    writeln!(
        text,
        "A photo in, a probability for each of {} classes out: {}. Trained by Floret.\n",
        model.classes.len(),
        list(&model.classes)
    )?;
    writeln!(text, "| | |\n| --- | --- |")?;
    writeln!(
        text,
        "| network | {} parameters, {:.1} MFLOP a photo; file of {:.1} MB |",
        structure.parameters,
        structure.flops as f64 / 1e6,
        card.bytes as f64 / 1e6
    )?;
    let size = model.preprocessing.input_size;
    let looks = looks(model);
    writeln!(text, "| input | {size} × {size} pixels, photo squeezed to the square; {looks} |")?;
    writeln!(
        text,
        "| data | {} photos: {} to learn from, {} for validation, {} for the test; near-duplicates on one side |",
        sum(|count| count.total),
        sum(|count| count.train),
        sum(|count| count.validation),
        sum(|count| count.test)
    )?;
    let head = if *train_from > 0 { ", the head alone on a trained body" } else { "" };
    let minutes = progress.history.last().map_or(0.0, |report| report.total_seconds / 60.0);
    writeln!(
        text,
        "| training | {} epochs in {minutes:.0} minutes, batch {}, learning rate {}, seed {}{head} |",
        progress.epoch, recipe.batch_size, recipe.learning_rate, recipe.seed
    )?;
    writeln!(
        text,
        "| test accuracy | **{}** of {} photos that no part of training saw |\n",
        percent(card.evaluation.accuracy),
        card.evaluation.n
    )
}

/// The crops that an answer is the mean over, in words.
fn looks(model: &Model) -> String {
    let part = |&part: &f32| match part {
        1.0 => "the whole photo".into(),
        part => format!("the middle {:.0}% of each side", 100.0 * part),
    };
    let parts: Vec<String> = model.looks.iter().map(part).collect();
    let mirror = if model.mirror { ", and the mirror images" } else { "" };
    match model.looks.len() > 1 || model.mirror {
        true => format!("answers are the mean over {}{mirror}", list(&parts)),
        false => format!("answers look at {}", list(&parts)),
    }
}

fn by_class(text: &mut String, card: &Card) -> std::fmt::Result {
    let evaluation = card.evaluation;
    writeln!(text, "## By class\n")?;
    writeln!(text, "| class | trained on | tested on | precision | recall | F1 |")?;
    writeln!(text, "| --- | --- | --- | --- | --- | --- |")?;
    for class in &evaluation.per_class {
        let trained = card.counts.iter().find(|count| count.label == class.class);
        writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} |",
            cell(&class.class),
            trained.map_or(0, |count| count.train),
            class.support,
            percent(class.precision),
            percent(class.recall),
            percent(class.f1)
        )?;
    }
    writeln!(text, "\nTruth by row, answer by column:\n")?;
    let columns: Vec<String> = evaluation.classes.iter().map(|name| cell(name)).collect();
    writeln!(text, "| | {} |", columns.join(" | "))?;
    writeln!(text, "| --- |{}", " --- |".repeat(columns.len()))?;
    for (name, counts) in columns.iter().zip(&evaluation.confusion) {
        let counts: Vec<String> = counts.iter().map(u32::to_string).collect();
        writeln!(text, "| {name} | {} |", counts.join(" | "))?;
    }
    writeln!(text)
}

fn probabilities(text: &mut String, card: &Card) -> std::fmt::Result {
    let Some(calibration) = &card.snapshot.model.calibration else { return Ok(()) };
    let evaluation = card.evaluation;
    writeln!(text, "## Its probabilities\n")?;
    writeln!(
        text,
        "Expected calibration error on the test photos, 15 bins: {} as trained, {} at the temperature of {:.2} that was fitted on the validation photos.\n",
        percent(evaluation.uncalibrated.expected_calibration_error),
        percent(evaluation.reliability.expected_calibration_error),
        calibration.temperature
    )?;
    writeln!(text, "| photos | mean stated probability | right |\n| --- | --- | --- |")?;
    for Bin { count, confidence, accuracy } in &evaluation.reliability.bins {
        if *count > 0 {
            writeln!(text, "| {count} | {} | {} |", percent(*confidence), percent(*accuracy))?;
        }
    }
    writeln!(text)
}

fn none_of_these(text: &mut String, card: &Card) -> std::fmt::Result {
    let (Some(share), Some(others)) = (card.evaluation.none_of_these, card.others) else {
        return Ok(());
    };
    writeln!(text, "## None of these\n")?;
    writeln!(
        text,
        "It may answer that a photo shows none of its classes. Of the test photos, which all show one, {} are called so. Of pictures drawn by the program that show no flower, {} pass for one where the score was fitted without their kind, {} where it was fitted with others of it:\n",
        percent(share),
        percent(others.false_positive_rate),
        percent(others.learned_false_positive_rate)
    )?;
    writeln!(
        text,
        "| drawn | fitted with | pictures | taken for a class |\n| --- | --- | --- | --- |"
    )?;
    for kind in &others.kinds {
        let fitted = if kind.held_out { "no" } else { "yes" };
        writeln!(text, "| {} | {fitted} | {} | {} |", kind.kind, kind.pictures, kind.accepted)?;
    }
    writeln!(text)
}

fn limits(text: &mut String, card: &Card) -> std::fmt::Result {
    let Evaluation { classes, confusion, n, accuracy, .. } = card.evaluation;
    writeln!(text, "## Limits\n")?;
    match card.others {
        Some(_) => writeln!(
            text,
            "- It knows {} classes. Another flower looks much like one of them, and \"none of these\" was measured on drawings only.",
            classes.len()
        )?,
        None => writeln!(
            text,
            "- It knows {} classes and answers with one of them whatever it sees.",
            classes.len()
        )?,
    }
    writeln!(
        text,
        "- The test photos come from the same collection as the others; photos of another kind may do worse."
    )?;
    let sample_error = (accuracy * (1.0 - accuracy) / (*n).max(1) as f64).sqrt();
    writeln!(
        text,
        "- {n} test photos tell the accuracy to about ±{:.1} points (two standard errors).",
        200.0 * sample_error
    )?;
    let pairs = (0..classes.len()).flat_map(|a| (0..a).map(move |b| (a, b)));
    let mixed_up = |&(a, b): &(usize, usize)| confusion[a][b] + confusion[b][a];
    if let Some(pair) = pairs.max_by_key(mixed_up).filter(|pair| mixed_up(pair) > 0) {
        writeln!(
            text,
            "- It mixes up {} and {} most: {} of the test photos.",
            cell(&classes[pair.1]),
            cell(&classes[pair.0]),
            mixed_up(&pair)
        )?;
    }
    writeln!(text)
}

/// The commands that make the model again, with the files that they read.
fn again(text: &mut String, card: &Card) -> Result<()> {
    let Snapshot { model, recipe, .. } = card.snapshot;
    let name = card.name;
    let network = &model.network.text;
    let mut command = String::from("floret train PHOTOS");
    let mut files = String::new();
    match ready_made(network) {
        Some((preset, actions)) => command += &format!(" --model {preset} --actions {actions}"),
        None => {
            command += &format!(" --network {name}.txt --input {}", model.preprocessing.input_size);
            files += &format!("\n`{name}.txt`:\n\n```\n{}\n```\n", network.trim());
        }
    }
    let settings = differences(recipe)?;
    command += &format!(" --recipe {name}.json --seed {}", recipe.seed);
    files += &format!(
        "\n`{name}.json`, what differs from the modern recipe:\n\n```json\n{settings}\n```\n"
    );
    *text += &format!(
        "## Again\n\n```sh\n{command} --final-only --out {name}.safetensors\nfloret eval {name}.safetensors PHOTOS --split test\n```\n{files}"
    );
    Ok(())
}

/// Name and actions of the ready-made network with this text.
fn ready_made(text: &str) -> Option<(&'static str, &'static str)> {
    let pairs = PRESETS.iter().flat_map(|preset| ACTIONS.map(|actions| (preset, actions)));
    let mut same = pairs.filter(|(preset, actions)| preset.text(actions) == text);
    same.next().map(|(preset, actions)| (preset.name, actions))
}

/// The settings of a recipe that differ from the modern one's, its seed left out, as JSON.
fn differences(recipe: &Recipe) -> Result<String> {
    let internal = |error: serde_json::Error| Error::Internal {
        place: "model card".into(),
        problem: error.to_string(),
    };
    // By way of text, in which an f32 is as short as it was written.
    let map = |recipe: &Recipe| -> Result<serde_json::Map<String, serde_json::Value>> {
        let text = serde_json::to_string(recipe).map_err(internal)?;
        serde_json::from_str(&text).map_err(internal)
    };
    let (mut settings, modern) = (map(recipe)?, map(&Recipe::modern())?);
    settings.retain(|name, value| name != "seed" && modern.get(name) != Some(value));
    serde_json::to_string_pretty(&settings).map_err(internal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::others::OtherKind;
    use crate::model::Model;
    use crate::model::calibration::{Calibration, Outlier, OutlierDetector};
    use crate::model::metrics::Prediction;
    use crate::network::Network;
    use crate::network::presets::preset;
    use crate::shape::Shape;
    use crate::train::Progress;

    fn snapshot(text: &str, recipe: Recipe) -> Snapshot {
        let network = Network::new(text, Shape::new(64, 64, 3), 2).unwrap();
        let classes = vec!["a|b".into(), "rose".into()];
        let mut model = Model::fresh(network, classes, &recipe).unwrap();
        let channels = model.network.graph.features().1;
        let outliers = OutlierDetector { kernel: vec![0.0; channels], bias: 0.0 };
        model.calibration = Some(Calibration { temperature: 0.8, outliers });
        let progress = Progress { epoch: 40, ..Progress::default() };
        let (first_moment, second_moment) = (Vec::new(), Vec::new());
        Snapshot { model, first_moment, second_moment, recipe, progress, train_from: 0 }
    }

    fn card(snapshot: &Snapshot) -> String {
        let prediction = |truth: usize, predicted: usize| Prediction {
            photo: 0,
            truth,
            predicted,
            probabilities: if predicted == 0 { vec![0.9, 0.1] } else { vec![0.4, 0.6] },
            uncalibrated: 0.95,
            outlier: Some(Outlier { score: -1.0, none_of_these: false }),
        };
        let predictions =
            vec![prediction(0, 0), prediction(1, 1), prediction(1, 1), prediction(1, 0)];
        let kind = |kind, held_out| OtherKind { kind, held_out, pictures: 50, accepted: 5 };
        let others = Others {
            false_positive_rate: 0.1,
            learned_false_positive_rate: 0.1,
            kinds: vec![kind("house", true), kind("car", false)],
        };
        let count = |label: &str| ClassCount {
            label: label.into(),
            total: 20,
            train: 16,
            validation: 1,
            test: 3,
        };
        markdown(&Card {
            name: "garden",
            bytes: 1_234_567,
            snapshot,
            counts: &[count("a|b"), count("rose")],
            evaluation: &Evaluation::new(&snapshot.model.classes, predictions, 1.0),
            others: Some(&others),
        })
        .unwrap()
    }

    #[test]
    fn a_card_says_how_well_it_does_and_how_to_make_it_again() {
        let preset = preset("residual_flower").unwrap();
        let recipe = Recipe { epochs: 40, learning_rate: 0.003, seed: 7, ..Recipe::modern() };
        let text = card(&snapshot(&preset.text("LBA"), recipe));
        for line in [
            "| test accuracy | **75.0%** of 4 photos that no part of training saw |",
            "| a\\|b | 16 | 1 | 50.0% | 100.0% | 66.7% |",
            "| rose | 1 | 2 |",
            "| 2 | 60.0% | 100.0% |",
            "| house | no | 50 | 5 |",
            "floret train PHOTOS --model residual_flower --actions LBA --recipe garden.json --seed 7 --final-only --out garden.safetensors",
            "- It mixes up a\\|b and rose most: 1 of the test photos.",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n\n{text}");
        }
        let settings = text.split("```json").nth(1).unwrap().split("```").next().unwrap();
        let settings: serde_json::Value = serde_json::from_str(settings).unwrap();
        assert_eq!(settings, serde_json::json!({"epochs": 40, "learning_rate": 0.003}));
    }

    #[test]
    fn a_network_of_ones_own_is_spelt_out() {
        let text = card(&snapshot("['avg', {'stride': 8}]", Recipe::modern()));
        assert!(text.contains("--network garden.txt --input 64 --recipe garden.json"));
        assert!(text.contains("`garden.txt`:\n\n```\n['avg', {'stride': 8}]\n```"));
    }
}
