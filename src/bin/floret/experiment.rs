//! `floret experiment`: the report's four models one after another on the same photos, and the report on them.

use crate::device::DeviceArguments;
use crate::file_error;
use crate::output::print_json;
use crate::photos::load_grouped;
use crate::preset::network_text;
use crate::train::run_epochs;
use clap::Args;
use floret::data::library::Library;
use floret::data::photo::Split;
use floret::data::split::Ratios;
use floret::error::Result;
use floret::experiment::{Experiment, Line, REPORTED, Run, html};
use floret::model::Model;
use floret::network::Network;
use floret::recipe::Recipe;
use floret::report::{self, Language};
use floret::train::{Start, Trainer};
use serde::Serialize;
use std::path::PathBuf;

/// Answers shown for each model.
const SAMPLES: usize = 3;

/// Arguments of `floret experiment`.
#[derive(Args)]
pub struct ExperimentArguments {
    /// Folder of class folders, or an archive of them.
    photos: PathBuf,
    /// Ready-made networks; the report's four when left out.
    #[arg(long, value_delimiter = ',')]
    models: Vec<String>,
    /// `modern` or `textbook`.
    #[arg(long, default_value = "modern")]
    recipe: String,
    /// Passes over the training photos.
    #[arg(long, default_value_t = 10)]
    epochs: u32,
    /// Seeds; every model is trained once with each.
    #[arg(long, value_delimiter = ',', default_value = "1")]
    seeds: Vec<u64>,
    /// Where to write the report, one self-contained HTML page.
    #[arg(long, default_value = "experiment.html")]
    out: PathBuf,
    #[command(flatten)]
    device: DeviceArguments,
    /// Memory that training may take, in MiB.
    #[arg(long, default_value_t = 8192)]
    memory: u64,
    /// Report in Korean.
    #[arg(long)]
    korean: bool,
    /// Print table and runs as JSON on stdout.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Outcome<'a> {
    table: Vec<Line>,
    experiment: &'a Experiment,
}

/// Runs the command.
pub fn run(arguments: &ExperimentArguments) -> Result<()> {
    pollster::block_on(experiment(arguments))
}

async fn experiment(arguments: &ExperimentArguments) -> Result<()> {
    let recipe = Recipe { epochs: arguments.epochs, ..Recipe::named(&arguments.recipe)? };
    let language = if arguments.korean { Language::Ko } else { Language::En };
    let reported = || REPORTED.iter().map(|reported| reported.model.to_owned()).collect();
    let models: Vec<String> =
        if arguments.models.is_empty() { reported() } else { arguments.models.clone() };
    let mut experiment = Experiment {
        recipe_name: arguments.recipe.clone(),
        recipe: recipe.clone(),
        device: arguments.device.open()?.name(),
        photos: 0,
        runs: Vec::new(),
    };
    for model in &models {
        let (text, input) = network_text(model, None)?;
        let (library, _) = load_grouped(&arguments.photos, input.height, arguments.memory << 20)?;
        experiment.photos = library.all_indices().len();
        for &seed in &arguments.seeds {
            let network = Network::new(&text, input, library.classes().len())?;
            let recipe = Recipe { seed, ..recipe.clone() };
            experiment
                .runs
                .push(train(arguments, model, network, library.clone(), recipe, language).await?);
        }
    }
    std::fs::write(&arguments.out, html::page(&experiment, language))
        .map_err(|error| file_error(&arguments.out, error))?;
    for line in experiment.table() {
        let reported = line.reported.map_or(String::new(), |reported| {
            format!(" (report: {:.1}%, {:.0} s)", 100.0 * reported.accuracy, reported.seconds)
        });
        eprintln!(
            "{:<18} {:.1}% {:.0} s{reported}",
            line.model,
            100.0 * line.accuracy,
            line.seconds
        );
    }
    eprintln!("saved {}", arguments.out.display());
    if arguments.json {
        print_json(&Outcome { table: experiment.table(), experiment: &experiment })?;
    }
    Ok(())
}

async fn train(
    arguments: &ExperimentArguments,
    name: &str,
    network: Network,
    mut library: Library,
    recipe: Recipe,
    language: Language,
) -> Result<Run> {
    let (seed, parameters, flops) =
        (recipe.seed, network.structure.parameters, network.structure.flops);
    library.assign_splits(seed, &Ratios::default())?;
    let model = Box::new(Model::fresh(network, library.classes(), &recipe)?);
    let start = Start::Model { model, recipe, train_from: 0 };
    let mut trainer =
        Trainer::new(arguments.device.open()?, &library, start, arguments.memory << 20).await?;
    eprintln!("{}", report::started(name));
    run_epochs(&mut trainer).await?;
    let test = trainer
        .classifier()
        .evaluate(&library, &library.indices(Split::Test), &mut |_| true)
        .await?;
    eprintln!("{}", report::test(name, test.accuracy, test.seconds));
    let samples = test.predictions.iter().step_by((test.n / SAMPLES).max(1)).take(SAMPLES);
    let samples =
        samples.map(|prediction| report::prediction(prediction, &test.classes, language)).collect();
    Ok(Run::new(name, seed, parameters, flops, &trainer.progress().history, &test, samples))
}
