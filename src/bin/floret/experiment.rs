//! `floret experiment`: the report's four models one after another on the same photos, and the report on them.

use crate::device::DeviceArguments;
use crate::memory::MemoryArguments;
use crate::output::print_json;
use crate::photos::{PhotosArguments, load_grouped, warn};
use crate::preset::network_text;
use crate::recipe::{Mirror, named_or_read};
use crate::train::run_epochs;
use clap::Args;
use floret::data::groups::Groups;
use floret::data::library::Library;
use floret::data::resize::stored_size;
use floret::error::{Error, Result};
use floret::model::Model;
use floret::network::Network;
use floret::recipe::Recipe;
use floret::report::experiment::{Experiment, Line, REPORTED, html, markdown};
use floret::report::lines::{self, Language};
use floret::report::photos as words;
use floret::train::{Start, Trainer};
use serde::Serialize;
use std::path::PathBuf;

/// Arguments of `floret experiment`.
#[derive(Args)]
pub struct ExperimentArguments {
    /// Folder of class folders, or an archive of them.
    photos: PathBuf,
    /// Ready-made networks; the report's four when left out.
    #[arg(long, value_delimiter = ',')]
    models: Vec<String>,
    /// `modern`, `textbook`, or a .json file with settings that differ from the modern ones.
    #[arg(long, default_value = "modern")]
    recipe: String,
    /// Passes over the training photos; the recipe's when left out.
    #[arg(long)]
    epochs: Option<u32>,
    /// Whether photos may be mirrored, in training and in answers; the photos decide when left out.
    #[arg(long, value_enum)]
    mirror: Option<Mirror>,
    /// Seeds; every model is trained once with each.
    #[arg(long, value_delimiter = ',', default_value = "1")]
    seeds: Vec<u64>,
    /// Where to write the report: one self-contained HTML page, or Markdown where the name ends in .md.
    #[arg(long, default_value = "experiment.html")]
    out: PathBuf,
    #[command(flatten)]
    loading: PhotosArguments,
    #[command(flatten)]
    device: DeviceArguments,
    #[command(flatten)]
    memory: MemoryArguments,
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
    let chosen = named_or_read(&arguments.recipe)?;
    let mut recipe = Recipe { epochs: arguments.epochs.unwrap_or(chosen.epochs), ..chosen };
    if let Some(mirror) = arguments.mirror {
        recipe.set_mirroring(mirror.into());
    }
    let language = if arguments.korean { Language::Ko } else { Language::En };
    let reported = || REPORTED.iter().map(|reported| reported.model.to_owned()).collect();
    let models: Vec<String> =
        if arguments.models.is_empty() { reported() } else { arguments.models.clone() };
    let mut experiment = Experiment::new(&arguments.recipe, recipe);
    // Photos stay for all models of one input size.
    let mut photos: Option<(Library, Groups)> = None;
    for model in &models {
        let (text, input) = network_text(model, None)?;
        let fitting =
            photos.take().filter(|(kept, _)| kept.stored_size() == stored_size(input.height));
        let (mut library, groups) = match fitting {
            Some(fitting) => fitting,
            None => {
                let (limit, loading) = (arguments.memory.bytes(), &arguments.loading);
                let (mut library, _, groups) =
                    load_grouped(&arguments.photos, input.height, limit, loading, language)?;
                experiment.split(&mut library, arguments.seeds.first().copied().unwrap_or(1))?;
                warn(&library, &groups, language);
                let mirror = experiment.recipe.mirror;
                eprintln!("{}", words::mirroring(mirror, &library.mirror()?, language));
                (library, groups)
            }
        };
        for &seed in &arguments.seeds {
            let network = Network::new(&text, input, library.classes().len())?;
            train(arguments, &mut experiment, model, network, &mut library, seed).await?;
        }
        photos = Some((library, groups));
    }
    let markdown = arguments.out.extension().is_some_and(|extension| extension == "md");
    let text = if markdown {
        markdown::document(&experiment, language)
    } else {
        html::page(&experiment, language)
    };
    std::fs::write(&arguments.out, text).map_err(|error| Error::file(&arguments.out, &error))?;
    for line in experiment.table() {
        let reported = line.reported.map_or(String::new(), |reported| {
            format!(" (report: {:.1}%, {:.0} s)", 100.0 * reported.accuracy, reported.seconds)
        });
        eprintln!(
            "{:<18} {} {:.0} s{reported}",
            line.model,
            lines::percent_within(line.accuracy, line.interval),
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
    experiment: &mut Experiment,
    name: &str,
    network: Network,
    library: &mut Library,
    seed: u64,
) -> Result<()> {
    experiment.split(library, seed)?;
    let recipe = Recipe { seed, ..experiment.recipe.clone() };
    let model = Box::new(Model::fresh(network, library.classes(), &recipe)?);
    let start = Start::Model { model, recipe, train_from: 0 };
    let mut trainer =
        Trainer::new(arguments.device.open()?, library, start, arguments.memory.bytes()).await?;
    eprintln!("{}", lines::started(name));
    run_epochs(&mut trainer).await?;
    let test = experiment.record(name, &mut trainer, library).await?;
    eprintln!("{}", lines::test(name, test.accuracy, test.seconds));
    let language = if arguments.korean { Language::Ko } else { Language::En };
    if let Some(doubt) = lines::doubt(&test, language) {
        eprintln!("{doubt}");
    }
    Ok(())
}
