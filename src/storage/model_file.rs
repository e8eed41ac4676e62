//! The model file: safetensors, with network text, class names, preprocessing and training state in its metadata.
//!
//! Tensors are named by their path in the graph: `<layer>.kernel` (HWIO; dense: inputs × outputs), `<layer>.bias`,
//! `<layer>.scale`, `<layer>.shift`, `<layer>.running_mean`, `<layer>.running_var` (unbiased). The prefixes `average.`,
//! `moment1.` and `moment2.` hold moving averages and the optimizer's moments of the same tensors.

use crate::data::photo::{PhotoId, Split};
use crate::data::resize::Preprocessing;
use crate::error::{Error, Result};
use crate::model::{Averaged, Model};
use crate::network::Network;
use crate::parameters::Parameters;
use crate::recipe::Recipe;
use crate::shape::Shape;
use crate::train::{Progress, Snapshot};
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

const FORMAT: &str = "floret";
const VERSION: &str = "1";

/// Where a saved run stood, its moments left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct TrainingState {
    recipe: Recipe,
    progress: Progress,
    train_from: usize,
}

/// A model, the run that made it if it is to go on, and which photos it was trained on.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelFile {
    /// The run, whole; its `model` is the model.
    pub snapshot: Snapshot,
    /// Whether the moments are there, so that the run can go on.
    pub continuable: bool,
    /// Split of every photo that the run knew.
    pub splits: BTreeMap<PhotoId, Split>,
}

impl ModelFile {
    /// The bytes of the file.
    ///
    /// # Errors
    /// [`Error::Internal`] where safetensors refuses.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let Snapshot { model, first_moment, second_moment, recipe, progress, train_from } =
            &self.snapshot;
        let mut tensors = Vec::new();
        trained_tensors(model, "", &model.weights, &mut tensors);
        running_tensors(model, "", &model.statistics, &mut tensors);
        if let Some(averaged) = &model.averaged {
            trained_tensors(model, "average.", &averaged.weights, &mut tensors);
            running_tensors(model, "average.", &averaged.statistics, &mut tensors);
        }
        if self.continuable {
            trained_tensors(model, "moment1.", first_moment, &mut tensors);
            if !second_moment.is_empty() {
                trained_tensors(model, "moment2.", second_moment, &mut tensors);
            }
        }
        let state = TrainingState {
            recipe: recipe.clone(),
            progress: progress.clone(),
            train_from: *train_from,
        };
        let metadata = HashMap::from([
            ("format".to_owned(), FORMAT.to_owned()),
            ("version".to_owned(), VERSION.to_owned()),
            (
                "layout".to_owned(),
                "activations NHWC, kernels HWIO, running variance unbiased".to_owned(),
            ),
            ("network".to_owned(), model.network.text.clone()),
            ("input".to_owned(), to_json(&model.network.graph.input())?),
            ("classes".to_owned(), to_json(&model.classes)?),
            ("preprocessing".to_owned(), to_json(&model.preprocessing)?),
            ("mirror".to_owned(), to_json(&model.mirror)?),
            ("training".to_owned(), to_json(&state)?),
            ("splits".to_owned(), to_json(&self.splits)?),
        ]);
        let mut views = Vec::with_capacity(tensors.len());
        for tensor in &tensors {
            let view = TensorView::new(
                Dtype::F32,
                tensor.shape.clone(),
                bytemuck::cast_slice(tensor.numbers),
            );
            views.push((tensor.name.as_str(), view.map_err(internal)?));
        }
        safetensors::serialize(views, Some(metadata)).map_err(internal)
    }

    /// Reads a file from anywhere: every length, shape and number is checked.
    ///
    /// # Errors
    /// [`Error::ModelFile`], or what the network text's own check says.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let damaged = |error| {
            refuse(
                format!("it is not a whole safetensors file ({error})"),
                "save or download it again",
            )
        };
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(damaged)?;
        let tensors = SafeTensors::deserialize(bytes).map_err(damaged)?;
        let metadata = header.metadata().clone().unwrap_or_default();
        if metadata.get("format").map(String::as_str) != Some(FORMAT) {
            return Err(refuse(
                "it was not written by Floret".into(),
                "open a model that Floret saved",
            ));
        }
        match metadata.get("version").map(String::as_str) {
            Some(VERSION) => {}
            other => {
                let problem = format!(
                    "it has format version {}, this program reads {VERSION}",
                    other.unwrap_or("none")
                );
                return Err(refuse(problem, "use the Floret that wrote it, or a newer one"));
            }
        }
        let input: Shape = from_json(&metadata, "input")?;
        let classes: Vec<String> = from_json(&metadata, "classes")?;
        let preprocessing: Preprocessing = from_json(&metadata, "preprocessing")?;
        let mirror: bool = from_json(&metadata, "mirror")?;
        let state: TrainingState = from_json(&metadata, "training")?;
        let splits = from_json(&metadata, "splits")?;
        state.recipe.check()?;
        let policy = Preprocessing::new(input.height);
        if input.height != input.width || preprocessing != policy {
            let problem = "its photos are prepared in a way that this program does not know".into();
            return Err(refuse(problem, "use the Floret that wrote it, or a newer one"));
        }
        let network = Network::new(field(&metadata, "network")?, input, classes.len())?;
        let parameters = Parameters::new(&network.graph);
        // A network text may promise more than the file holds; look before taking memory for it.
        let counted: usize = parameters.trained.iter().map(|parameter| parameter.spec.len()).sum();
        if counted.saturating_mul(4) > bytes.len() {
            let problem = format!(
                "its network has {counted} weights, which do not fit in {} bytes",
                bytes.len()
            );
            return Err(refuse(problem, "the file is cut off or was edited"));
        }
        let reader = Reader { tensors, parameters: &parameters };
        let (weights, statistics) = (reader.trained("")?, reader.running("")?);
        let averaged = if reader.has("average.") {
            Some(Averaged {
                weights: reader.trained("average.")?,
                statistics: reader.running("average.")?,
            })
        } else {
            None
        };
        let continuable = reader.has("moment1.");
        let first_moment = if continuable {
            reader.trained("moment1.")?
        } else {
            vec![0.0; parameters.weights_len]
        };
        let second_moment =
            if reader.has("moment2.") { reader.trained("moment2.")? } else { Vec::new() };
        let model = Model {
            network,
            parameters,
            classes,
            preprocessing,
            mirror,
            weights,
            statistics,
            averaged,
        };
        let TrainingState { recipe, progress, train_from } = state;
        let snapshot =
            Snapshot { model, first_moment, second_moment, recipe, progress, train_from };
        Ok(Self { snapshot, continuable, splits })
    }
}

struct NamedTensor<'a> {
    name: String,
    shape: Vec<usize>,
    numbers: &'a [f32],
}

fn trained_tensors<'a>(
    model: &Model,
    prefix: &str,
    arena: &'a [f32],
    tensors: &mut Vec<NamedTensor<'a>>,
) {
    tensors.extend(model.parameters.trained.iter().map(|parameter| NamedTensor {
        name: format!("{prefix}{}", parameter.name),
        shape: parameter.spec.shape.clone(),
        numbers: &arena[parameter.offset..][..parameter.spec.len()],
    }));
}

fn running_tensors<'a>(
    model: &Model,
    prefix: &str,
    arena: &'a [f32],
    tensors: &mut Vec<NamedTensor<'a>>,
) {
    for running in &model.parameters.running {
        for (name, offset) in
            [("running_mean", running.offset), ("running_var", running.variance_offset())]
        {
            tensors.push(NamedTensor {
                name: format!("{prefix}{}.{name}", running.name),
                shape: vec![running.channels],
                numbers: &arena[offset..][..running.channels],
            });
        }
    }
}

struct Reader<'a> {
    tensors: SafeTensors<'a>,
    parameters: &'a Parameters,
}

impl Reader<'_> {
    fn has(&self, prefix: &str) -> bool {
        self.tensors.names().iter().any(|name| name.starts_with(prefix))
    }

    fn trained(&self, prefix: &str) -> Result<Vec<f32>> {
        let mut arena = vec![0.0; self.parameters.weights_len];
        for parameter in &self.parameters.trained {
            let name = format!("{prefix}{}", parameter.name);
            self.copy(
                &name,
                &parameter.spec.shape,
                &mut arena[parameter.offset..][..parameter.spec.len()],
            )?;
        }
        Ok(arena)
    }

    fn running(&self, prefix: &str) -> Result<Vec<f32>> {
        let mut arena = vec![0.0; self.parameters.statistics_len];
        for running in &self.parameters.running {
            for (name, offset) in
                [("running_mean", running.offset), ("running_var", running.variance_offset())]
            {
                let name = format!("{prefix}{}.{name}", running.name);
                self.copy(&name, &[running.channels], &mut arena[offset..][..running.channels])?;
            }
        }
        Ok(arena)
    }

    fn copy(&self, name: &str, shape: &[usize], target: &mut [f32]) -> Result<()> {
        let missing = |_| {
            refuse(
                format!("tensor `{name}` is missing"),
                "its network text and its weights do not belong together",
            )
        };
        let view = self.tensors.tensor(name).map_err(missing)?;
        if view.dtype() != Dtype::F32 || view.shape() != shape {
            let problem = format!(
                "tensor `{name}`: expected f32 {shape:?}, found {:?} {:?}",
                view.dtype(),
                view.shape()
            );
            return Err(refuse(problem, "its network text and its weights do not belong together"));
        }
        for (number, bytes) in target.iter_mut().zip(view.data().chunks_exact(4)) {
            *number = f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        }
        if target.iter().any(|number| !number.is_finite()) {
            return Err(refuse(
                format!("tensor `{name}` holds numbers that are not finite"),
                "use an earlier save of it",
            ));
        }
        Ok(())
    }
}

fn refuse(problem: String, remedy: &str) -> Error {
    Error::ModelFile { problem, remedy: remedy.into() }
}

fn internal(error: impl std::fmt::Display) -> Error {
    Error::Internal { place: "model file".into(), problem: error.to_string() }
}

fn to_json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(internal)
}

fn field<'a>(metadata: &'a HashMap<String, String>, name: &str) -> Result<&'a str> {
    let missing =
        || refuse(format!("its metadata lacks `{name}`"), "open a model that Floret saved");
    metadata.get(name).map(String::as_str).ok_or_else(missing)
}

fn from_json<T: DeserializeOwned>(metadata: &HashMap<String, String>, name: &str) -> Result<T> {
    serde_json::from_str(field(metadata, name)?).map_err(|error| {
        refuse(
            format!("its metadata `{name}` cannot be read ({error})"),
            "open a model that Floret saved",
        )
    })
}
