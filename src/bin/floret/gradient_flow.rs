//! `floret gradient-flow`: what each layer of a network sends forward and gets back, at the start and after training.

use crate::device::DeviceArguments;
use crate::memory::MemoryArguments;
use crate::output::{print_json, say};
use crate::photos::{PhotosArguments, load_grouped, warn};
use crate::preset::network_text_for;
use crate::train::run_epochs;
use clap::Args;
use floret::data::library::Library;
use floret::data::photo::Split;
use floret::data::split::Ratios;
use floret::error::Result;
use floret::explain::signals::{LayerSignal, labelled_pixels, layer_signals, probe_photos};
use floret::model::Model;
use floret::network::Network;
use floret::plan::parameters::KernelInitialisation;
use floret::recipe::Recipe;
use floret::report::lines::Language;
use floret::train::{EpochReport, Start, Trainer};
use serde::Serialize;
use std::path::PathBuf;

/// Arguments of `floret gradient-flow`.
#[derive(Args)]
pub struct GradientFlowArguments {
    /// Folder of class folders, or an archive of them.
    photos: PathBuf,
    /// Ready-made networks.
    #[arg(long, value_delimiter = ',', default_value = "plain_flower,residual_flower")]
    models: Vec<String>,
    /// Orders of linear part, activation and batch normalisation.
    #[arg(long, value_delimiter = ',', default_value = "LA,LAB")]
    actions: Vec<String>,
    /// Pixels a side of a photo, where the networks shall not read as many as they were made for.
    #[arg(long)]
    input: Option<usize>,
    /// How kernels start: `he`, or `textbook` for normal numbers of standard deviation 0.03.
    #[arg(long, value_delimiter = ',', default_value = "textbook,he")]
    initialisation: Vec<String>,
    /// Epochs of training between the two looks; 0 looks at the start only.
    #[arg(long, default_value_t = 1)]
    epochs: u32,
    /// Photos a step of training.
    #[arg(long, default_value_t = 10)]
    batch: usize,
    /// Learning rate.
    #[arg(long, default_value_t = 0.001)]
    learning_rate: f32,
    /// Training photos in the batch that is looked at.
    #[arg(long, default_value_t = 10)]
    probe: usize,
    /// Seed of the split, the weights and the order.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    loading: PhotosArguments,
    #[command(flatten)]
    device: DeviceArguments,
    #[command(flatten)]
    memory: MemoryArguments,
    /// Print the result as JSON on stdout.
    #[arg(long)]
    json: bool,
}

/// A network looked into twice.
#[derive(Serialize)]
struct Flow {
    model: String,
    actions: String,
    initialisation: String,
    start: Vec<LayerSignal>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    trained: Vec<LayerSignal>,
    history: Vec<EpochReport>,
}

#[derive(Serialize)]
struct Outcome {
    device: String,
    train_photos: usize,
    probe_photos: usize,
    flows: Vec<Flow>,
}

/// Runs the command.
pub fn run(arguments: &GradientFlowArguments) -> Result<()> {
    pollster::block_on(flows(arguments))
}

async fn flows(arguments: &GradientFlowArguments) -> Result<()> {
    let device = arguments.device.open()?.name().to_string();
    let mut outcome = Outcome { device, train_photos: 0, probe_photos: 0, flows: Vec::new() };
    for model in &arguments.models {
        let (_, input) = network_text_for(model, "LA", arguments.input)?;
        let (limit, loading) = (arguments.memory.bytes(), &arguments.loading);
        let (mut library, _, groups) =
            load_grouped(&arguments.photos, input.height, limit, loading, Language::En)?;
        library.assign_splits(arguments.seed, &Ratios::default())?;
        warn(&library, &groups, Language::En);
        let probe = probe_photos(&library, arguments.probe);
        outcome.train_photos = library.indices(Split::Train).len();
        outcome.probe_photos = probe.len();
        for actions in &arguments.actions {
            for initialisation in &arguments.initialisation {
                let recipe = Recipe {
                    epochs: arguments.epochs.max(1),
                    batch_size: arguments.batch,
                    learning_rate: arguments.learning_rate,
                    seed: arguments.seed,
                    initialisation: KernelInitialisation::named(initialisation)?,
                    ..Recipe::textbook()
                };
                let (text, input) = network_text_for(model, actions, arguments.input)?;
                let network = Network::new(&text, input, library.classes().len())?;
                let fresh = Model::fresh(network, library.classes(), &recipe)?;
                let start = look(arguments, &fresh, &library, &probe).await?;
                let (trained, history) = if arguments.epochs > 0 {
                    train(arguments, fresh, recipe, &library, &probe).await?
                } else {
                    (Vec::new(), Vec::new())
                };
                let (model, actions) = (model.clone(), actions.clone());
                let initialisation = initialisation.clone();
                let flow = Flow { model, actions, initialisation, start, trained, history };
                if !arguments.json {
                    print(&flow);
                }
                outcome.flows.push(flow);
            }
        }
    }
    if arguments.json { print_json(&outcome) } else { Ok(()) }
}

async fn look(
    arguments: &GradientFlowArguments,
    model: &Model,
    library: &Library,
    probe: &[usize],
) -> Result<Vec<LayerSignal>> {
    let photos = labelled_pixels(model, library, probe)?;
    layer_signals(arguments.device.open()?, model, &photos, arguments.memory.bytes()).await
}

async fn train(
    arguments: &GradientFlowArguments,
    model: Model,
    recipe: Recipe,
    library: &Library,
    probe: &[usize],
) -> Result<(Vec<LayerSignal>, Vec<EpochReport>)> {
    let start = Start::Model { model: Box::new(model), recipe, train_from: 0 };
    let backend = arguments.device.open()?;
    let mut trainer = Trainer::new(backend, library, start, arguments.memory.bytes()).await?;
    run_epochs(&mut trainer).await?;
    let snapshot = trainer.snapshot().await?;
    let signals = look(arguments, &snapshot.model, library, probe).await?;
    Ok((signals, snapshot.progress.history))
}

fn print(flow: &Flow) {
    say!("{} {} {}", flow.model, flow.actions, flow.initialisation);
    say!(
        "{:>4} {:<9}{:>12}{:>12}{:>12}{:>8}{:>12}{:>12}{:>12}{:>8}",
        "",
        "",
        "gradient",
        "mean",
        "deviation",
        "zeros",
        "gradient",
        "mean",
        "deviation",
        "zeros"
    );
    for (number, start) in flow.start.iter().enumerate() {
        let trained = flow.trained.get(number).map(columns).unwrap_or_default();
        say!("{:>4} {:<9}{}{trained}", start.index, start.kind, columns(start));
    }
}

fn columns(signal: &LayerSignal) -> String {
    let norm = signal.gradient_norm.map_or("-".into(), |norm| format!("{norm:.2e}"));
    let outputs = signal.outputs;
    let zeros = 100.0 * outputs.zeros;
    format!("{norm:>12}{:>12.2e}{:>12.2e}{zeros:>7.0}%", outputs.mean, outputs.deviation)
}
