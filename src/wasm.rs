//! The boundary to JavaScript, and nothing else: plain values in, plain values out, errors as their code with values.

mod agreement;
mod devices;
mod edits;
mod experiment;
mod explain;
mod files;
mod model_id;
mod photos;
mod samples;

#[cfg(feature = "threads")]
pub use devices::init_thread_pool;
pub use files::{content_hash, is_clutter};
pub use model_id::ModelId;

use crate::classify::Classifier;
use crate::data::archive::TableFile;
use crate::data::doctor::Pictures;
use crate::data::edits::Edits;
use crate::data::layout::{Accepted, Layout};
use crate::data::library::Library;
use crate::data::mirror::Mirroring;
use crate::data::photo::{Skipped, Split};
use crate::data::resize::{resize, stored_size};
use crate::error::{Error, Result, Words};
use crate::model::Model;
use crate::model::calibration::Outlier;
use crate::model_file::ModelFile;
use crate::network::Network;
use crate::network::graph::Node;
use crate::network::presets::{ACTIONS, PRESETS, preset};
use crate::ops::Reach;
use crate::recipe::Recipe;
use crate::report::experiment::{Experiment, REPORTED, Reported};
use crate::shape::Shape;
use crate::train::{Start, Trainer};
use devices::{Chosen, Device, Tried, chosen, cpu, devices};
use files::Reading;
use photos::Drawing;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use wasm_bindgen::prelude::*;
use web_time::Instant;

/// Bytes that photos may take: half of what a tab can address, so that training has the other half.
const PHOTO_LIMIT: u64 = 2 << 30;

/// Bytes that a plan may take.
const PLAN_LIMIT: u64 = 3 << 29;

/// Rows and columns that networks read until one is chosen.
const INPUT_SIZE: usize = 64;

/// Colour channels of a photo.
const CHANNELS: usize = 3;

/// A model that was opened, with its file as it came.
struct Opened {
    classifier: Classifier,
    bytes: Vec<u8>,
}

/// Everything that a page's worker holds.
#[wasm_bindgen]
pub struct Engine {
    library: Library,
    skipped: Vec<Skipped>,
    duplicates: Vec<String>,
    /// What comparing the library's pictures told, once all photos are there.
    pictures: Option<Pictures>,
    edits: Edits,
    /// Files that may hold tables of labels.
    tables: Vec<TableFile>,
    /// What of a data set's own arrangement is taken.
    accepted: Accepted,
    /// How the photos came, as it was recognised.
    layout: Layout,
    input_size: usize,
    reading: Reading,
    drawing: Drawing,
    run: Option<Box<Trainer>>,
    opened: Option<Box<Opened>>,
    /// Whether a software GPU may be chosen like any other.
    software: bool,
    /// The executors that were tried for the run.
    tried: Vec<Tried>,
    experiment: Option<Experiment>,
}

#[derive(Serialize)]
struct PresetFacts {
    #[serde(flatten)]
    preset: crate::network::presets::Preset,
    flops: u64,
}

#[derive(Serialize)]
struct Picture<'a> {
    #[serde(flatten)]
    structure: &'a crate::network::describe::Structure,
    nodes: Vec<PictureNode<'a>>,
}

#[derive(Serialize)]
struct PictureNode<'a> {
    kind: &'static str,
    is_drawn_with_input: bool,
    inputs: &'a [usize],
    shape: Shape,
    kernel_size: Option<[usize; 2]>,
    stride: Option<[usize; 2]>,
}

impl<'a> From<&'a Node> for PictureNode<'a> {
    fn from(node: &'a Node) -> Self {
        let operation = node.op.operation();
        let window = match operation.map(|operation| operation.reach()) {
            Some(Reach::Window { kernel_size, stride }) => Some((kernel_size, stride)),
            _ => None,
        };
        Self {
            kind: operation.map_or("input", |operation| operation.kind()),
            is_drawn_with_input: operation.is_some_and(|operation| operation.is_drawn_with_input()),
            inputs: &node.inputs,
            shape: node.shape,
            kernel_size: window.map(|window| window.0),
            stride: window.map(|window| window.1),
        }
    }
}

/// The settings that the page lets a user choose.
#[derive(Deserialize)]
struct RecipeChoice {
    name: String,
    epochs: u32,
    batch_size: usize,
    seed: u64,
    /// Whether photos may be mirrored; a choice from before there was this one leaves it to the recipe.
    mirror: Option<Mirroring>,
}

impl RecipeChoice {
    fn recipe(self) -> Result<Recipe> {
        let Self { name, epochs, batch_size, seed, mirror } = self;
        let mut recipe = Recipe { epochs, batch_size, seed, ..Recipe::named(&name)? };
        // The textbook's recipe leaves photos as they are unless it is told otherwise.
        if let Some(mirror) = mirror.filter(|mirror| *mirror != Mirroring::Auto) {
            recipe.set_mirroring(mirror);
        }
        Ok(recipe)
    }
}

#[derive(Serialize)]
struct ModelSummary<'a> {
    classes: &'a [String],
    text: &'a str,
    size: usize,
    parameters: u64,
}

#[derive(Serialize)]
struct Answer<'a> {
    classes: &'a [String],
    probabilities: Vec<f32>,
    outlier: Option<Outlier>,
    milliseconds: f64,
}

/// What a method of the boundary gives: an error is one of ours as JavaScript reads it, see [`thrown`].
type JsResult<T> = std::result::Result<T, JsValue>;

#[wasm_bindgen]
impl Engine {
    /// An engine without photos.
    #[wasm_bindgen(constructor)]
    pub fn new() -> JsResult<Engine> {
        console_error_panic_hook::set_once();
        let library = Library::new(stored_size(INPUT_SIZE), PHOTO_LIMIT).map_err(thrown)?;
        let (skipped, duplicates, drawing) = (Vec::new(), Vec::new(), Drawing::default());
        Ok(Self {
            reading: Reading::new(library.stored_size()),
            library,
            skipped,
            duplicates,
            pictures: None,
            edits: Edits::default(),
            tables: Vec::new(),
            accepted: Accepted::default(),
            layout: Layout::default(),
            input_size: INPUT_SIZE,
            drawing,
            run: None,
            opened: None,
            software: false,
            tried: Vec::new(),
            experiment: None,
        })
    }

    /// `{ presets, actions, devices, reported }`; `software` lets `auto` choose a GPU that is only a program, as tests do.
    pub async fn hello(&mut self, software: bool) -> JsResult<JsValue> {
        self.software = software;
        #[derive(Serialize)]
        struct Hello {
            presets: Vec<PresetFacts>,
            actions: [&'static str; ACTIONS.len()],
            devices: Vec<Device>,
            reported: [Reported; 4],
        }
        let facts = |preset: &crate::network::presets::Preset| {
            let network = Network::new(&preset.text(preset.actions), preset.input, preset.classes)?;
            Ok(PresetFacts { preset: *preset, flops: network.structure.flops })
        };
        let presets = PRESETS.iter().map(facts).collect::<Result<_>>().map_err(thrown)?;
        let (actions, devices) = (ACTIONS, devices().await);
        given(&Hello { presets, actions, devices, reported: REPORTED })
    }

    /// The text of a ready-made network with these actions.
    pub fn preset_text(&self, name: &str, actions: &str) -> JsResult<String> {
        Ok(preset(name).map_err(thrown)?.text(actions))
    }

    /// Structure and picture of a network for `size × size` photos.
    pub fn describe(&self, text: &str, size: usize, classes: usize) -> JsResult<JsValue> {
        let network =
            Network::new(text, Shape::new(size, size, CHANNELS), classes).map_err(thrown)?;
        let nodes = network.graph.nodes.iter().map(PictureNode::from).collect();
        given(&Picture { structure: &network.structure, nodes })
    }

    /// Starts a run on the photos.
    pub async fn start(
        &mut self,
        text: String,
        size: usize,
        recipe: JsValue,
        device: String,
    ) -> JsResult<()> {
        let recipe: RecipeChoice = serde_wasm_bindgen::from_value(recipe)?;
        self.start_run(&text, size, recipe, &device).await.map_err(thrown)
    }

    /// Starts a run on the photos from the opened model's network and weights, under a new head; with `freeze` the head alone
    /// is trained.
    pub async fn start_from_opened(
        &mut self,
        recipe: JsValue,
        freeze: bool,
        device: String,
    ) -> JsResult<()> {
        let recipe: RecipeChoice = serde_wasm_bindgen::from_value(recipe)?;
        self.tune_opened(recipe, freeze, &device).await.map_err(thrown)
    }

    /// Fits the run's probabilities and its score for "none of these" to the photos; `false` where they are too few.
    pub async fn calibrate(&mut self) -> JsResult<bool> {
        let classifier =
            classifier(&mut self.run, &mut self.opened, ModelId::Run).map_err(thrown)?;
        match classifier.calibrate(&self.library, &mut |_, _| true).await {
            Ok(()) => Ok(true),
            Err(Error::Data { .. }) => Ok(false),
            Err(error) => Err(thrown(error)),
        }
    }

    /// Goes on with a run whose file holds its whole state.
    pub async fn continue_run(&mut self, bytes: &[u8], device: String) -> JsResult<()> {
        self.resume_run(bytes, &device).await.map_err(thrown)
    }

    /// Trains for about that long; gives the run's progress.
    pub async fn advance(&mut self, budget_ms: f64) -> JsResult<JsValue> {
        let progress = self.trainer().map_err(thrown)?.advance(budget_ms).await.map_err(thrown)?;
        given(progress)
    }

    /// The device that the run is on: `{ kind: 'cpu', threads }` or `{ kind: 'gpu', name }`.
    pub fn device(&mut self) -> JsResult<JsValue> {
        given(&self.trainer().map_err(thrown)?.device())
    }

    /// The executors that were tried before the run took one, with their speed.
    pub fn tried(&self) -> JsResult<JsValue> {
        given(&self.tried)
    }

    /// Where the run stands.
    pub fn progress(&mut self) -> JsResult<JsValue> {
        given(self.trainer().map_err(thrown)?.progress())
    }

    /// The run's report on the photos of a split.
    pub async fn evaluate(&mut self, split: String) -> JsResult<JsValue> {
        let photos = self.library.indices(Split::from_name(&split).map_err(thrown)?);
        let classifier =
            classifier(&mut self.run, &mut self.opened, ModelId::Run).map_err(thrown)?;
        given(&classifier.evaluate(&self.library, &photos, &mut |_| true).await.map_err(thrown)?)
    }

    /// The classes of a photo given as RGBA.
    pub async fn classify(
        &mut self,
        model: ModelId,
        width: usize,
        height: usize,
        rgba: &[u8],
    ) -> JsResult<JsValue> {
        let began = Instant::now();
        let classifier = classifier(&mut self.run, &mut self.opened, model).map_err(thrown)?;
        let size = classifier.model.preprocessing.stored_size;
        let pixels = resize(rgba, width, height, size).map_err(thrown)?;
        let answer = classifier.classify(&[&pixels]).await.map_err(thrown)?.remove(0);
        given(&Answer {
            classes: &classifier.model.classes,
            probabilities: answer.probabilities,
            outlier: answer.outlier,
            milliseconds: began.elapsed().as_secs_f64() * 1e3,
        })
    }

    /// The run's model file; with `continuable` it holds all that a run needs to go on.
    pub async fn save(&mut self, continuable: bool) -> JsResult<Vec<u8>> {
        self.file(continuable).await.and_then(|file| file.to_bytes()).map_err(thrown)
    }

    /// The file of the model that was opened, as it came.
    pub fn opened_file(&self) -> JsResult<Vec<u8>> {
        self.opened.as_ref().map(|opened| opened.bytes.clone()).ok_or_else(|| thrown(no_model()))
    }

    /// Opens a model file, to classify with; a run stays as it is.
    pub async fn open(&mut self, bytes: &[u8]) -> JsResult<JsValue> {
        let model = ModelFile::from_bytes(bytes).map_err(thrown)?.snapshot.model;
        let classifier =
            Classifier::new(Box::new(cpu()), model, PLAN_LIMIT).await.map_err(thrown)?;
        let model = &classifier.model;
        let summary = given(&ModelSummary {
            classes: &model.classes,
            text: &model.network.text,
            size: model.preprocessing.input_size,
            parameters: model.network.structure.parameters,
        });
        self.opened = Some(Box::new(Opened { classifier, bytes: bytes.into() }));
        summary
    }
}

impl Engine {
    fn trainer(&mut self) -> Result<&mut Trainer> {
        self.run.as_deref_mut().ok_or_else(|| Error::Data {
            problem: Words::of("problem.no_run"),
            remedy: Words::of("remedy.start_run"),
        })
    }

    async fn start_run(
        &mut self,
        text: &str,
        size: usize,
        recipe: RecipeChoice,
        device: &str,
    ) -> Result<()> {
        let recipe = recipe.recipe()?;
        // Like the terminal: the seed decides the split too.
        self.split(&BTreeMap::new(), recipe.seed)?;
        self.train_anew(text, size, recipe, device).await
    }

    /// Trains a network from the beginning on the photos as they are split.
    async fn train_anew(
        &mut self,
        text: &str,
        size: usize,
        recipe: Recipe,
        device: &str,
    ) -> Result<()> {
        let classes = self.library.classes();
        let network = Network::new(text, Shape::new(size, size, CHANNELS), classes.len())?;
        let model = Box::new(Model::fresh(network, classes, &recipe)?);
        self.hold(Start::Model { model, recipe, train_from: 0 }, device).await
    }

    async fn tune_opened(
        &mut self,
        recipe: RecipeChoice,
        freeze: bool,
        device: &str,
    ) -> Result<()> {
        let recipe = recipe.recipe()?;
        let opened = self.opened.as_ref().ok_or_else(no_model)?;
        let origin = opened.classifier.model.clone();
        let model = Box::new(origin.with_new_head(self.library.classes(), &recipe)?);
        self.split(&BTreeMap::new(), recipe.seed)?;
        let train_from = if freeze { model.network.graph.output() } else { 0 };
        self.hold(Start::Model { model, recipe, train_from }, device).await
    }

    async fn resume_run(&mut self, bytes: &[u8], device: &str) -> Result<()> {
        let file = ModelFile::from_bytes(bytes)?;
        self.split(&file.splits, file.snapshot.recipe.seed)?;
        self.hold(Start::Snapshot(Box::new(file.snapshot)), device).await
    }

    async fn hold(&mut self, start: Start, device: &str) -> Result<()> {
        // The old run's memory is free before the new one takes its own.
        self.run = None;
        let (network, batch_size) = match &start {
            Start::Model { model, recipe, .. } => (&model.network, recipe.batch_size),
            Start::Snapshot(snapshot) => (&snapshot.model.network, snapshot.recipe.batch_size),
        };
        let Chosen { backend, tried } = chosen(device, self.software, network, batch_size).await?;
        self.tried = tried;
        let trainer = Trainer::new(backend, &self.library, start, PLAN_LIMIT).await?;
        self.run = Some(Box::new(trainer));
        Ok(())
    }

    async fn file(&mut self, continuable: bool) -> Result<ModelFile> {
        let snapshot = self.trainer()?.snapshot().await?;
        Ok(ModelFile { snapshot, continuable, splits: self.library.splits() })
    }
}

/// The model that is meant, as long as there is one.
fn classifier<'a>(
    run: &'a mut Option<Box<Trainer>>,
    opened: &'a mut Option<Box<Opened>>,
    model: ModelId,
) -> Result<&'a mut Classifier> {
    match (model, run, opened) {
        (ModelId::Run, Some(run), _) => Ok(run.classifier()),
        (ModelId::Opened, _, Some(opened)) => Ok(&mut opened.classifier),
        _ => Err(no_model()),
    }
}

fn no_model() -> Error {
    Error::Data {
        problem: Words::of("problem.no_model"),
        remedy: Words::of("remedy.train_or_open"),
    }
}

/// A value as a JavaScript object.
fn given<T: Serialize>(value: &T) -> JsResult<JsValue> {
    Ok(value.serialize(&serde_wasm_bindgen::Serializer::json_compatible())?)
}

/// An error as the page reads it: its code with values, which the page words. No English is carried here.
fn thrown(error: Error) -> JsValue {
    given(&error).unwrap_or_else(|error| error)
}
