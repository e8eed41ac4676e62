//! The boundary to JavaScript, and nothing else: plain values in, plain values out, errors as their code with values.

mod devices;
mod files;

#[cfg(feature = "threads")]
pub use devices::init_thread_pool;
pub use files::{PhotoArchive, is_clutter};

use crate::classify::Classifier;
use crate::data::archive;
use crate::data::doctor;
use crate::data::draw;
use crate::data::library::{Added, Library};
use crate::data::photo::{Photo, PhotoId, Skipped, Split};
use crate::data::resize::{resize, stored_size};
use crate::data::split::Ratios;
use crate::error::{Error, Result};
use crate::model::Model;
use crate::network::Network;
use crate::network::graph::Node;
use crate::network::presets::{PRESETS, preset};
use crate::ops::Op;
use crate::recipe::Recipe;
use crate::shape::Shape;
use crate::storage::model_file::ModelFile;
use crate::train::{Start, Trainer};
use devices::{Device, backend, cpu, devices};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use wasm_bindgen::prelude::*;
use web_time::Instant;

/// Bytes that photos may take: half of what a tab can address, so that training has the other half.
const PHOTO_LIMIT: u64 = 2 << 30;

/// Bytes that a plan may take.
const PLAN_LIMIT: u64 = 3 << 29;

/// Pixels a side of a thumbnail.
const THUMBNAIL: usize = 96;

/// Rows and columns that networks read until one is chosen.
const INPUT_SIZE: usize = 64;

/// Seed of the split that photos get when they arrive; a run's own seed splits them anew.
const FIRST_SPLIT_SEED: u64 = 1;

/// Colour channels of a photo.
const CHANNELS: usize = 3;

/// What answers: a run, or a model that was opened, with its file.
enum Held {
    Run(Box<Trainer>),
    Model { classifier: Box<Classifier>, bytes: Vec<u8> },
}

/// Everything that a page's worker holds.
#[wasm_bindgen]
pub struct Engine {
    library: Library,
    skipped: Vec<Skipped>,
    duplicates: Vec<String>,
    input_size: usize,
    drawing: Drawing,
    held: Option<Held>,
}

/// Flowers being drawn: `per_class` of every class, `done` of them there already.
#[derive(Default)]
struct Drawing {
    seed: u64,
    per_class: u32,
    done: u32,
}

#[derive(Serialize)]
struct LibrarySummary<'a> {
    photos: usize,
    bytes: u64,
    stored_size: usize,
    classes: Vec<crate::data::library::ClassCount>,
    skipped: &'a [Skipped],
    doctor: doctor::Report,
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
    inputs: &'a [usize],
    shape: Shape,
    kernel_size: Option<[usize; 2]>,
    stride: Option<[usize; 2]>,
}

impl<'a> From<&'a Node> for PictureNode<'a> {
    fn from(node: &'a Node) -> Self {
        let window = match &node.op {
            Op::Conv2d(conv) => Some((conv.kernel_size, conv.stride)),
            Op::Pool2d(pool) => Some((pool.kernel_size, pool.stride)),
            _ => None,
        };
        Self {
            kind: node.op.operation().map_or("input", |operation| operation.kind()),
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
}

impl RecipeChoice {
    fn recipe(self) -> Result<Recipe> {
        let Self { name, epochs, batch_size, seed } = self;
        Ok(Recipe { epochs, batch_size, seed, ..Recipe::named(&name)? })
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
    milliseconds: f64,
}

#[wasm_bindgen]
impl Engine {
    /// An engine without photos.
    #[wasm_bindgen(constructor)]
    pub fn new() -> std::result::Result<Engine, JsValue> {
        console_error_panic_hook::set_once();
        let library = Library::new(stored_size(INPUT_SIZE), PHOTO_LIMIT).map_err(thrown)?;
        let (skipped, duplicates, drawing) = (Vec::new(), Vec::new(), Drawing::default());
        Ok(Self { library, skipped, duplicates, input_size: INPUT_SIZE, drawing, held: None })
    }

    /// `{ presets, devices }`.
    pub async fn hello(&self) -> std::result::Result<JsValue, JsValue> {
        #[derive(Serialize)]
        struct Hello {
            presets: Vec<PresetFacts>,
            devices: Vec<Device>,
        }
        let facts = |preset: &crate::network::presets::Preset| {
            let network = Network::new(&preset.text(preset.actions), preset.input, preset.classes)?;
            Ok(PresetFacts { preset: *preset, flops: network.structure.flops })
        };
        let presets = PRESETS.iter().map(facts).collect::<Result<_>>().map_err(thrown)?;
        given(&Hello { presets, devices: devices().await })
    }

    /// The text of a ready-made network with these actions.
    pub fn preset_text(&self, name: &str, actions: &str) -> std::result::Result<String, JsValue> {
        Ok(preset(name).map_err(thrown)?.text(actions))
    }

    /// Structure and picture of a network for `size × size` photos.
    pub fn describe(
        &self,
        text: &str,
        size: usize,
        classes: usize,
    ) -> std::result::Result<JsValue, JsValue> {
        let network =
            Network::new(text, Shape::new(size, size, CHANNELS), classes).map_err(thrown)?;
        let nodes = network.graph.nodes.iter().map(PictureNode::from).collect();
        given(&Picture { structure: &network.structure, nodes })
    }

    /// Empties the library; photos will be kept for networks with `size × size` pixels.
    pub fn begin_photos(&mut self, size: usize) -> std::result::Result<(), JsValue> {
        self.library = Library::new(stored_size(size), PHOTO_LIMIT).map_err(thrown)?;
        self.skipped.clear();
        self.duplicates.clear();
        self.input_size = size;
        Ok(())
    }

    /// Adds a photo: its path, whose last folder is its class, its file's bytes, and its pixels as RGBA.
    pub fn add_photo(
        &mut self,
        path: &str,
        bytes: &[u8],
        width: usize,
        height: usize,
        rgba: &[u8],
    ) -> std::result::Result<(), JsValue> {
        let pixels = resize(rgba, width, height, self.library.stored_size()).map_err(thrown)?;
        let (id, name, label) =
            (PhotoId::of(bytes), archive::name_of(path), archive::label_of(path));
        let photo =
            Photo { id, name: name.clone(), label, split: None, group: None, width, height };
        if let Added::Duplicate(_) = self.library.add(photo, &pixels).map_err(thrown)? {
            self.duplicates.push(name);
        }
        Ok(())
    }

    /// Lists a file that could not be read.
    pub fn skip(&mut self, name: String, reason: String) {
        self.skipped.push(Skipped { name, reason });
    }

    /// Prepares to draw `per_class` flowers of every class; gives how many that are in all.
    pub fn begin_drawing(&mut self, per_class: u32, seed: u32) -> u32 {
        self.drawing = Drawing { seed: seed.into(), per_class, done: 0 };
        per_class * draw::CLASSES.len() as u32
    }

    /// Draws for about that long; gives how many are there.
    pub fn draw_some(&mut self, budget_ms: f64) -> std::result::Result<u32, JsValue> {
        let began = Instant::now();
        let classes = draw::CLASSES.len() as u32;
        while self.drawing.done < self.drawing.per_class * classes
            && began.elapsed().as_secs_f64() * 1e3 < budget_ms
        {
            let Drawing { seed, done, .. } = self.drawing;
            let (class, index) = (draw::CLASSES[(done % classes) as usize], done / classes);
            let size = self.library.stored_size();
            let pixels = draw::draw(seed, class, index, size).map_err(thrown)?;
            self.library.add(draw::photo(class, index, size, &pixels), &pixels).map_err(thrown)?;
            self.drawing.done += 1;
        }
        Ok(self.drawing.done)
    }

    /// Splits the photos and sums them up.
    pub fn finish_photos(&mut self) -> std::result::Result<JsValue, JsValue> {
        // Groups of near-duplicates are known before the split, which keeps each on one side.
        let doctor =
            doctor::examine(&mut self.library, &self.skipped, &self.duplicates, self.input_size)
                .map_err(thrown)?;
        self.split(&BTreeMap::new(), FIRST_SPLIT_SEED).map_err(thrown)?;
        let photos = self.library.photos().len();
        given(&LibrarySummary {
            photos,
            bytes: self.library.bytes_needed(photos),
            stored_size: self.library.stored_size(),
            classes: self.library.counts(),
            skipped: &self.skipped,
            doctor,
        })
    }

    /// Small pictures of these photos.
    pub fn thumbnails(&self, photos: &[u32]) -> std::result::Result<js_sys::Array, JsValue> {
        photos.iter().map(|&photo| self.thumbnail(photo as usize)).collect()
    }

    /// Small pictures of the first photos of a class.
    pub fn thumbnails_of_class(
        &self,
        class: &str,
        count: usize,
    ) -> std::result::Result<js_sys::Array, JsValue> {
        let photos = self.library.photos().iter().enumerate();
        let of_class = photos.filter(|(_, photo)| photo.label.as_deref() == Some(class));
        of_class.take(count).map(|(index, _)| self.thumbnail(index)).collect()
    }

    /// Starts a run on the photos.
    pub async fn start(
        &mut self,
        text: String,
        size: usize,
        recipe: JsValue,
        device: String,
    ) -> std::result::Result<(), JsValue> {
        let recipe: RecipeChoice = serde_wasm_bindgen::from_value(recipe)?;
        self.start_run(&text, size, recipe, &device).await.map_err(thrown)
    }

    /// Goes on with a run whose file holds its whole state.
    pub async fn continue_run(
        &mut self,
        bytes: &[u8],
        device: String,
    ) -> std::result::Result<(), JsValue> {
        self.resume_run(bytes, &device).await.map_err(thrown)
    }

    /// Trains for about that long; gives the run's progress.
    pub async fn advance(&mut self, budget_ms: f64) -> std::result::Result<JsValue, JsValue> {
        let progress = self.trainer().map_err(thrown)?.advance(budget_ms).await.map_err(thrown)?;
        given(progress)
    }

    /// The executor that the run is on, in words.
    pub fn device(&mut self) -> std::result::Result<String, JsValue> {
        Ok(self.trainer().map_err(thrown)?.device())
    }

    /// Where the run stands.
    pub fn progress(&mut self) -> std::result::Result<JsValue, JsValue> {
        given(self.trainer().map_err(thrown)?.progress())
    }

    /// The report on the photos of a split.
    pub async fn evaluate(&mut self, split: String) -> std::result::Result<JsValue, JsValue> {
        let photos = self.library.indices(Split::from_name(&split).map_err(thrown)?);
        let classifier = classifier(&mut self.held).await.map_err(thrown)?;
        given(&classifier.evaluate(&self.library, &photos, &mut |_| true).await.map_err(thrown)?)
    }

    /// The classes of a photo given as RGBA.
    pub async fn classify(
        &mut self,
        width: usize,
        height: usize,
        rgba: &[u8],
    ) -> std::result::Result<JsValue, JsValue> {
        let began = Instant::now();
        let classifier = classifier(&mut self.held).await.map_err(thrown)?;
        let size = classifier.model.preprocessing.stored_size;
        let pixels = resize(rgba, width, height, size).map_err(thrown)?;
        let answers = classifier.classify(&[&pixels]).await.map_err(thrown)?;
        let probabilities = answers.into_iter().next().unwrap_or_default();
        let milliseconds = began.elapsed().as_secs_f64() * 1e3;
        given(&Answer { classes: &classifier.model.classes, probabilities, milliseconds })
    }

    /// The model file; with `continuable` it holds all that a run needs to go on. A model that was opened is given
    /// back as it came.
    pub async fn save(&mut self, continuable: bool) -> std::result::Result<Vec<u8>, JsValue> {
        if let (Some(Held::Model { bytes, .. }), false) = (&self.held, continuable) {
            return Ok(bytes.clone());
        }
        self.file(continuable).await.and_then(|file| file.to_bytes()).map_err(thrown)
    }

    /// Opens a model file, to classify with.
    pub async fn open(&mut self, bytes: &[u8]) -> std::result::Result<JsValue, JsValue> {
        let model = ModelFile::from_bytes(bytes).map_err(thrown)?.snapshot.model;
        let classifier =
            Classifier::new(Box::new(cpu()), model, 0, PLAN_LIMIT).await.map_err(thrown)?;
        let model = &classifier.model;
        let summary = given(&ModelSummary {
            classes: &model.classes,
            text: &model.network.text,
            size: model.preprocessing.input_size,
            parameters: model.network.structure.parameters,
        });
        self.held = Some(Held::Model { classifier: Box::new(classifier), bytes: bytes.into() });
        summary
    }
}

impl Engine {
    fn thumbnail(&self, index: usize) -> std::result::Result<JsValue, JsValue> {
        #[derive(Serialize)]
        struct Thumbnail<'a> {
            photo: usize,
            name: &'a str,
            class: Option<&'a str>,
            size: usize,
            #[serde(with = "serde_wasm_bindgen::preserve")]
            pixels: js_sys::Uint8Array,
        }
        let size = self.library.stored_size();
        let (Some(photo), Some(stored)) =
            (self.library.photos().get(index), self.library.photo_pixels(index))
        else {
            return Err(thrown(Error::Unknown {
                what: "photo".into(),
                name: index.to_string(),
                suggestion: None,
            }));
        };
        let pixels = resize(stored, size, size, THUMBNAIL.min(size)).map_err(thrown)?;
        given(&Thumbnail {
            photo: index,
            name: &photo.name,
            class: photo.label.as_deref(),
            size: THUMBNAIL.min(size),
            pixels: js_sys::Uint8Array::from(pixels.as_slice()),
        })
    }

    fn trainer(&mut self) -> Result<&mut Trainer> {
        match &mut self.held {
            Some(Held::Run(trainer)) => Ok(trainer),
            _ => Err(Error::Data { problem: "there is no run".into(), remedy: "start one".into() }),
        }
    }

    async fn start_run(
        &mut self,
        text: &str,
        size: usize,
        recipe: RecipeChoice,
        device: &str,
    ) -> Result<()> {
        let recipe = recipe.recipe()?;
        let classes = self.library.classes();
        let network = Network::new(text, Shape::new(size, size, CHANNELS), classes.len())?;
        // Like the terminal: the seed decides the split too.
        self.split(&BTreeMap::new(), recipe.seed)?;
        let model = Box::new(Model::fresh(network, classes, &recipe)?);
        self.hold(Start::Model { model, recipe, train_from: 0 }, device).await
    }

    async fn resume_run(&mut self, bytes: &[u8], device: &str) -> Result<()> {
        let file = ModelFile::from_bytes(bytes)?;
        self.split(&file.splits, file.snapshot.recipe.seed)?;
        self.hold(Start::Snapshot(Box::new(file.snapshot)), device).await
    }

    /// Photos that a run knows stay where it had them; the seed places the others.
    fn split(&mut self, known: &BTreeMap<PhotoId, Split>, seed: u64) -> Result<()> {
        self.library.restore_splits(known);
        self.library.assign_splits(seed, &Ratios::default())
    }

    async fn hold(&mut self, start: Start, device: &str) -> Result<()> {
        // The old run's memory is free before the new one takes its own.
        self.held = None;
        let trainer =
            Trainer::new(backend(device).await?, &self.library, start, PLAN_LIMIT).await?;
        self.held = Some(Held::Run(Box::new(trainer)));
        Ok(())
    }

    async fn file(&mut self, continuable: bool) -> Result<ModelFile> {
        let snapshot = self.trainer()?.snapshot().await?;
        Ok(ModelFile { snapshot, continuable, splits: self.library.splits() })
    }
}

async fn classifier(held: &mut Option<Held>) -> Result<&mut Classifier> {
    match held {
        Some(Held::Run(trainer)) => Ok(trainer.classifier()),
        Some(Held::Model { classifier, .. }) => Ok(classifier),
        None => Err(Error::Data {
            problem: "there is no model".into(),
            remedy: "train a network or open a model file".into(),
        }),
    }
}

/// A value as a JavaScript object.
fn given<T: Serialize>(value: &T) -> std::result::Result<JsValue, JsValue> {
    Ok(value.serialize(&serde_wasm_bindgen::Serializer::json_compatible())?)
}

/// An error as the page reads it: its code with values, and its English wording.
fn thrown(error: Error) -> JsValue {
    #[derive(Serialize)]
    struct Thrown<'a> {
        #[serde(flatten)]
        error: &'a Error,
        message: String,
    }
    let message = error.to_string();
    given(&Thrown { error: &error, message: message.clone() })
        .unwrap_or_else(|_| JsValue::from_str(&message))
}
