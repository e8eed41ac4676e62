//! `floret eval`: a model judged on labelled photos, and on pictures that show none of its classes.

use crate::device::DeviceArguments;
use crate::memory::MemoryArguments;
use crate::output::{print_json, progress_bar, say};
use crate::photos::load;
use crate::read_file;
use clap::{Args, ValueEnum};
use floret::classify::Classifier;
use floret::classify::others::{OtherKind, Others};
use floret::data::library::Library;
use floret::data::photo::Split;
use floret::error::{Error, Result, Words};
use floret::model::metrics::Evaluation;
use floret::model::metrics::reliability::Reliability;
use floret::model_file::ModelFile;
use serde::Serialize;
use std::path::PathBuf;

/// Seed of the drawn pictures that models are judged on; the pictures that scores are fitted with have another.
pub const OTHERS_SEED: u64 = 2;

/// Drawn pictures of each kind.
pub const OTHERS_PER_KIND: u32 = 50;

/// Which photos are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// The photos that this model's training held back for the test.
    Test,
    /// Every photo.
    All,
}

/// Arguments of `floret eval`.
#[derive(Args)]
pub struct EvalArguments {
    /// Model file.
    model: PathBuf,
    /// Folder of class folders, or an archive of them; folder names are matched to the model's classes.
    #[arg(required_unless_present = "others")]
    photos: Option<PathBuf>,
    /// Which photos to judge.
    #[arg(long, value_enum, default_value = "all")]
    split: Part,
    /// Draw pictures that show no flower, and count those that pass for one.
    #[arg(long)]
    others: bool,
    #[command(flatten)]
    device: DeviceArguments,
    #[command(flatten)]
    memory: MemoryArguments,
    /// Print the result as JSON on stdout.
    #[arg(long)]
    json: bool,
}

/// What `--json` prints: the evaluation's own fields, and what else was asked for.
#[derive(Serialize)]
struct Outcome<'a> {
    #[serde(flatten)]
    evaluation: Option<&'a Evaluation>,
    temperature: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    others: Option<&'a Others>,
}

/// Runs the command.
pub fn run(arguments: &EvalArguments) -> Result<()> {
    pollster::block_on(eval(arguments))
}

async fn eval(arguments: &EvalArguments) -> Result<()> {
    let file = ModelFile::from_bytes(&read_file(&arguments.model)?)?;
    let memory_limit = arguments.memory.bytes();
    let input_size = file.snapshot.model.preprocessing.input_size;
    let chosen = match &arguments.photos {
        Some(path) => {
            let (library, _) = load(path, input_size, memory_limit)?;
            let photos = chosen(&library, &file, arguments.split)?;
            Some((library, photos))
        }
        None => None,
    };
    let backend = arguments.device.open()?;
    let mut classifier = Classifier::new(backend, file.snapshot.model, memory_limit).await?;
    let evaluation = match &chosen {
        Some((library, photos)) => Some(evaluate_with_bar(&mut classifier, library, photos).await?),
        None => None,
    };
    let others = match arguments.others {
        true => Some(classifier.judge_others(OTHERS_SEED, OTHERS_PER_KIND).await?),
        false => None,
    };
    let temperature = classifier.model.calibration.as_ref().map(|found| found.temperature);
    let (evaluation, others) = (evaluation.as_ref(), others.as_ref());
    if arguments.json {
        return print_json(&Outcome { evaluation, temperature, others });
    }
    if let Some(evaluation) = evaluation {
        print_table(evaluation);
        print_reliability(evaluation, temperature);
    }
    if let Some(others) = others {
        print_others(others);
    }
    Ok(())
}

/// The photos of a part.
fn chosen(library: &Library, file: &ModelFile, part: Part) -> Result<Vec<usize>> {
    let mut photos = library.all_indices();
    if part == Part::Test {
        let is_test = |id| file.splits.get(id) == Some(&Split::Test);
        photos.retain(|&index| library.photos().get(index).is_some_and(|photo| is_test(&photo.id)));
    }
    if photos.is_empty() {
        return Err(Error::Data {
            problem: Words::of("problem.none_held_back"),
            remedy: Words::of("remedy.name_training_folder"),
        });
    }
    Ok(photos)
}

/// Judges a model on photos of a library, with a bar on stderr.
pub async fn evaluate_with_bar(
    classifier: &mut Classifier,
    library: &Library,
    photos: &[usize],
) -> Result<Evaluation> {
    let bar = progress_bar(photos.len() as u64, "judging");
    let mut on_progress = |done: usize| {
        bar.set_position(done as u64);
        true
    };
    let evaluation = classifier.evaluate(library, photos, &mut on_progress).await;
    bar.finish_and_clear();
    evaluation
}

fn print_table(evaluation: &Evaluation) {
    say!(
        "accuracy {:.1}% of {} photos, loss {:.3}",
        100.0 * evaluation.accuracy,
        evaluation.n,
        evaluation.loss
    );
    say!("{:<14}{:>10}{:>8}{:>8}{:>8}   answers", "class", "precision", "recall", "F1", "photos");
    for (class, counts) in evaluation.per_class.iter().zip(&evaluation.confusion) {
        let answers: Vec<String> = counts.iter().map(|count| format!("{count:>4}")).collect();
        say!(
            "{:<14}{:>10.3}{:>8.3}{:>8.3}{:>8}   {}",
            class.class,
            class.precision,
            class.recall,
            class.f1,
            class.support,
            answers.join(" ")
        );
    }
}

fn print_reliability(evaluation: &Evaluation, temperature: Option<f32>) {
    let percent = |table: &Reliability| 100.0 * table.expected_calibration_error;
    let before = percent(&evaluation.uncalibrated);
    match temperature {
        Some(temperature) => say!(
            "expected calibration error {before:.1}% before, {:.1}% at the model's temperature of {temperature:.2}",
            percent(&evaluation.reliability)
        ),
        None => say!("expected calibration error {before:.1}%; the model is not calibrated"),
    }
    if let Some(share) = evaluation.none_of_these {
        say!("called none of these: {:.1}% of the photos", 100.0 * share);
    }
}

fn print_others(others: &Others) {
    say!(
        "drawn pictures without a flower that pass for one: {:.1}% of kinds that the score was fitted without, {:.1}% of the others",
        100.0 * others.false_positive_rate,
        100.0 * others.learned_false_positive_rate
    );
    for OtherKind { kind, held_out, pictures, accepted } in &others.kinds {
        let note = if *held_out { "" } else { "  (fitted with)" };
        say!("{kind:<14}{accepted:>4} of {pictures}{note}");
    }
}
