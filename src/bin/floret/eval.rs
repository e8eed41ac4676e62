//! `floret eval`: a model judged on labelled photos.

use crate::device::DeviceArguments;
use crate::output::{print_json, progress_bar};
use crate::photos::load;
use crate::read_file;
use clap::{Args, ValueEnum};
use floret::classify::Classifier;
use floret::data::photo::Split;
use floret::error::{Error, Result};
use floret::metrics::Evaluation;
use floret::storage::model_file::ModelFile;
use std::path::PathBuf;

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
    photos: PathBuf,
    /// Which photos to judge.
    #[arg(long, value_enum, default_value = "all")]
    split: Part,
    #[command(flatten)]
    device: DeviceArguments,
    /// Memory that it may take, in MiB.
    #[arg(long, default_value_t = 8192)]
    memory: u64,
    /// Print the result as JSON on stdout.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(arguments: &EvalArguments) -> Result<()> {
    pollster::block_on(eval(arguments))
}

async fn eval(arguments: &EvalArguments) -> Result<()> {
    let file = ModelFile::from_bytes(&read_file(&arguments.model)?)?;
    let (model, memory_limit) = (file.snapshot.model, arguments.memory << 20);
    let (library, _) = load(&arguments.photos, model.preprocessing.input_size, memory_limit)?;
    let mut photos = library.all_indices();
    if arguments.split == Part::Test {
        photos.retain(|&index| {
            library
                .photos()
                .get(index)
                .is_some_and(|photo| file.splits.get(&photo.id) == Some(&Split::Test))
        });
    }
    if photos.is_empty() {
        let problem = match arguments.split {
            Part::Test => "none of these photos was held back when the model was trained".into(),
            Part::All => format!("no labelled photos in {}", arguments.photos.display()),
        };
        return Err(Error::Data {
            problem,
            remedy: "name the folder of class folders that it was trained on".into(),
        });
    }
    let backend = arguments.device.open()?;
    let mut classifier = Classifier::new(backend, model, 0, memory_limit).await?;
    let bar = progress_bar(photos.len() as u64, "judging");
    let mut on_progress = |done: usize| {
        bar.set_position(done as u64);
        true
    };
    let evaluation = classifier.evaluate(&library, &photos, &mut on_progress).await?;
    bar.finish_and_clear();
    if arguments.json { print_json(&evaluation) } else { print_table(&evaluation) }
}

fn print_table(evaluation: &Evaluation) -> Result<()> {
    println!(
        "accuracy {:.1}% of {} photos, loss {:.3}",
        100.0 * evaluation.accuracy,
        evaluation.n,
        evaluation.loss
    );
    println!(
        "{:<14}{:>10}{:>8}{:>8}{:>8}   answers",
        "class", "precision", "recall", "F1", "photos"
    );
    for (class, counts) in evaluation.per_class.iter().zip(&evaluation.confusion) {
        let answers: Vec<String> = counts.iter().map(|count| format!("{count:>4}")).collect();
        println!(
            "{:<14}{:>10.3}{:>8.3}{:>8.3}{:>8}   {}",
            class.class,
            class.precision,
            class.recall,
            class.f1,
            class.support,
            answers.join(" ")
        );
    }
    Ok(())
}
