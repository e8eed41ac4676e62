//! `floret train`: a folder of class folders in, a model file out.

use crate::calibrate::calibrate_with_bar;
use crate::device::DeviceArguments;
use crate::eval::evaluate_with_bar;
use crate::memory::MemoryArguments;
use crate::output::{print_json, progress_bar};
use crate::photos::{PhotosArguments, load_grouped, warn};
use crate::preset::network_text;
use crate::recipe::{Mirror, named_or_read};
use crate::{read_file, read_text};
use clap::Args;
use floret::data::folder::Loaded;
use floret::data::mirror::Mirroring;
use floret::data::photo::Split;
use floret::data::split::Ratios;
use floret::data::warnings::Warning;
use floret::error::{Error, Result, Words};
use floret::model::Model;
use floret::model::metrics::Evaluation;
use floret::model_file::ModelFile;
use floret::network::Network;
use floret::recipe::Recipe;
use floret::report::lines::{self, Language};
use floret::report::photos as words;
use floret::train::{EpochReport, Start, Trainer};
use serde::Serialize;
use std::path::PathBuf;

/// How many milliseconds pass between two updates of the bar.
const BAR_INTERVAL_MS: f64 = 200.0;

/// Arguments of `floret train`.
#[derive(Args)]
pub struct TrainArguments {
    /// Folder of class folders, or a .zip, .tar or .tgz of the same.
    photos: PathBuf,
    /// Ready-made network, see `floret models`.
    #[arg(long, default_value = "residual_flower")]
    model: String,
    /// A file with a network in the notation, instead of a ready-made one.
    #[arg(long, conflicts_with = "model")]
    network: Option<PathBuf>,
    /// Pixels a side of the input, for --network.
    #[arg(long, default_value_t = 64, requires = "network")]
    input: usize,
    /// Order of linear part, activation and batch normalisation in a ready-made network, such as LA or LAB.
    #[arg(long)]
    actions: Option<String>,
    /// `modern`, `textbook`, `fine_tune`, or a .json file with settings that differ from the modern ones; `fine_tune` with
    /// --from, else `modern`, when left out.
    #[arg(long)]
    recipe: Option<String>,
    /// Passes over the training photos.
    #[arg(long)]
    epochs: Option<u32>,
    /// Photos a step.
    #[arg(long)]
    batch: Option<usize>,
    /// Learning rate at its peak.
    #[arg(long)]
    learning_rate: Option<f32>,
    /// Whether photos may be mirrored, in training and in answers; the photos decide when left out.
    #[arg(long, value_enum, conflicts_with = "resume")]
    mirror: Option<Mirror>,
    /// Seed of the split, the weights, the order and the augmentation.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Continue this model file's run; network and recipe are its own, --epochs says how many in all.
    #[arg(long, conflicts_with_all = ["network", "recipe"])]
    resume: Option<PathBuf>,
    /// Start from this model file's network and weights, with a new head for the classes of these photos.
    #[arg(long, conflicts_with_all = ["network", "resume"])]
    from: Option<PathBuf>,
    /// Train the new head alone: everything before it stays as it is.
    #[arg(long, requires = "from")]
    freeze: bool,
    /// Where to write the model.
    #[arg(long, default_value = "floret.safetensors")]
    out: PathBuf,
    #[command(flatten)]
    loading: PhotosArguments,
    #[command(flatten)]
    device: DeviceArguments,
    #[command(flatten)]
    memory: MemoryArguments,
    /// Keep only the weights that answers come from: a fraction of the size, but the run cannot go on.
    #[arg(long)]
    final_only: bool,
    /// Report in Korean.
    #[arg(long)]
    korean: bool,
    /// Print the result as JSON on stdout.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Outcome<'a> {
    model: &'a str,
    device: String,
    photos: &'a Loaded,
    warnings: &'a [Warning],
    recipe: &'a Recipe,
    parameters: u64,
    history: &'a [EpochReport],
    seconds: f64,
    train_images_per_s: f64,
    validation_accuracy: Option<f64>,
    test: &'a Evaluation,
    out: &'a PathBuf,
}

/// Runs the command.
pub fn run(arguments: &TrainArguments) -> Result<()> {
    pollster::block_on(train(arguments))
}

async fn train(arguments: &TrainArguments) -> Result<()> {
    let open = |path: &PathBuf| ModelFile::from_bytes(&read_file(path)?);
    let resumed = arguments.resume.as_ref().map(open).transpose()?;
    let origin = arguments.from.as_ref().map(open).transpose()?;
    let name = arguments
        .network
        .as_ref()
        .or(arguments.from.as_ref())
        .map_or(arguments.model.as_str(), |path| path.to_str().unwrap_or("network"));
    let (text, input) = match (resumed.as_ref().or(origin.as_ref()), &arguments.network) {
        (Some(file), _) => {
            (file.snapshot.model.network.text.clone(), file.snapshot.model.network.graph.input())
        }
        (None, Some(path)) => {
            let text = read_text(path)?;
            (text, floret::shape::Shape::new(arguments.input, arguments.input, 3))
        }
        (None, None) => network_text(&arguments.model, arguments.actions.as_deref())?,
    };
    let memory_limit = arguments.memory.bytes();
    let language = if arguments.korean { Language::Ko } else { Language::En };
    let (mut library, folder, groups) =
        load_grouped(&arguments.photos, input.height, memory_limit, &arguments.loading, language)?;
    if let Some(file) = &resumed {
        library.restore_splits(&file.splits);
    }
    library.assign_splits(arguments.seed, &Ratios::default())?;
    let warnings = warn(&library, &groups, language);
    let start = match resumed {
        Some(file) if !file.continuable => {
            return Err(Error::ModelFile {
                problem: Words::of("problem.saved_without_run"),
                remedy: Words::of("remedy.train_anew"),
            });
        }
        Some(file) => {
            let mut snapshot = file.snapshot;
            if let Some(epochs) = arguments.epochs {
                snapshot.recipe.epochs = epochs;
                snapshot.progress.finished = snapshot.progress.epoch >= epochs;
            }
            Start::Snapshot(Box::new(snapshot))
        }
        None => {
            let recipe = recipe(arguments)?;
            if recipe.augmentation.flip
                || recipe.mirror != Mirroring::No
                || arguments.mirror.is_some()
            {
                let line = words::mirroring(recipe.mirror, &library.mirror()?, language);
                eprintln!("{line}");
            }
            let classes = library.classes();
            let model = match origin {
                Some(file) => file.snapshot.model.with_new_head(classes, &recipe)?,
                None => {
                    let network = Network::new(&text, input, classes.len())?;
                    Model::fresh(network, classes, &recipe)?
                }
            };
            let train_from = if arguments.freeze { model.network.graph.output() } else { 0 };
            Start::Model { model: Box::new(model), recipe, train_from }
        }
    };
    let backend = arguments.device.open()?;
    let mut trainer = Trainer::new(backend, &library, start, memory_limit).await?;
    eprintln!("{}", lines::started(name));
    run_epochs(&mut trainer).await?;

    let seconds = trainer.progress().history.last().map_or(0.0, |report| report.total_seconds);
    eprintln!("{}", lines::ended(name, seconds));
    match calibrate_with_bar(trainer.classifier(), &library).await {
        Err(error @ Error::Data { .. }) => eprintln!("not calibrated: {error}"),
        other => other?,
    }
    let held_back = library.indices(Split::Test);
    let test = evaluate_with_bar(trainer.classifier(), &library, &held_back).await?;
    eprintln!("{}", lines::test(name, test.accuracy, test.seconds));
    if let Some(doubt) = lines::doubt(&test, language) {
        eprintln!("{doubt}");
    }
    for prediction in test.predictions.iter().step_by((test.predictions.len() / 3).max(1)).take(3) {
        eprintln!("{}", lines::prediction(prediction, &test.classes, language));
    }

    let mut snapshot = trainer.snapshot().await?;
    if arguments.final_only {
        snapshot.model.settle_on_average();
    }
    let (parameters, recipe) = (snapshot.model.parameters.counted(), snapshot.recipe.clone());
    let progress = snapshot.progress.clone();
    let file = ModelFile { snapshot, continuable: !arguments.final_only, splits: library.splits() };
    std::fs::write(&arguments.out, file.to_bytes()?)
        .map_err(|error| Error::file(&arguments.out, &error))?;
    eprintln!("saved {}", arguments.out.display());
    if arguments.json {
        let photos = library.indices(Split::Train).len() as f64 * f64::from(progress.epoch);
        print_json(&Outcome {
            model: name,
            device: trainer.device().to_string(),
            photos: &folder,
            warnings: &warnings,
            recipe: &recipe,
            parameters,
            history: &progress.history,
            seconds,
            train_images_per_s: if seconds > 0.0 { photos / seconds } else { 0.0 },
            validation_accuracy: progress
                .history
                .last()
                .and_then(|report| report.validation_accuracy),
            test: &test,
            out: &arguments.out,
        })?;
    }
    Ok(())
}

/// Trains to the end, with a bar and a line an epoch on stderr.
pub async fn run_epochs(trainer: &mut Trainer) -> Result<()> {
    while !trainer.progress().finished {
        let steps = trainer.progress().steps_per_epoch;
        let epoch = trainer.progress().epoch;
        let bar = progress_bar(steps, "training");
        while trainer.progress().epoch == epoch && !trainer.progress().finished {
            let progress = trainer.advance(BAR_INTERVAL_MS).await?;
            // The photos of a resumed run may have become more or fewer.
            bar.set_position(progress.step % steps.max(1));
            if let (Some(loss), Some(accuracy)) =
                (progress.sums.mean_loss(), progress.sums.accuracy())
            {
                bar.set_message(format!(
                    "epoch {} loss {loss:.3} accuracy {accuracy:.3}",
                    epoch + 1
                ));
            }
        }
        bar.finish_and_clear();
        if let Some(finished) = trainer.progress().history.last() {
            eprintln!("{}", lines::epoch(finished, finished.seconds));
        }
    }
    Ok(())
}

fn recipe(arguments: &TrainArguments) -> Result<Recipe> {
    let default = if arguments.from.is_some() { "fine_tune" } else { "modern" };
    let name = arguments.recipe.as_deref().unwrap_or(default);
    let mut recipe = Recipe { seed: arguments.seed, ..named_or_read(name)? };
    recipe.epochs = arguments.epochs.unwrap_or(recipe.epochs);
    recipe.batch_size = arguments.batch.unwrap_or(recipe.batch_size);
    recipe.learning_rate = arguments.learning_rate.unwrap_or(recipe.learning_rate);
    if let Some(mirror) = arguments.mirror {
        recipe.set_mirroring(mirror.into());
    }
    Ok(recipe)
}
