//! The model file: safetensors, whose metadata say what the weights are for.
//!
//! The metadata entry `floret` is a JSON document: the network's text, its input and class names, how photos were
//! prepared, the recipe, which photo served which split, and, in a file that a run can be continued from, the state of
//! the run. Anything that reads safetensors reads the weights.

use super::tensors::{self, Arenas, damaged};
use crate::data::photo::{PhotoId, Split};
use crate::error::{Error, Result};
use crate::kernel::Storage;
use crate::network::Network;
use crate::parameters::Parameters;
use crate::shape::Shape;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The format that this version writes, and the newest that it reads.
pub const FORMAT_VERSION: u32 = 1;

/// Name of the metadata entry.
const ENTRY: &str = "floret";

/// Longest metadata that are read, in bytes.
const MAX_METADATA: usize = 32 << 20;

/// Longest class name, in bytes.
const MAX_CLASS_NAME: usize = 200;

/// A network with its weights and what they came from.
///
/// ```
/// use floret::network::Network;
/// use floret::parameters::Parameters;
/// use floret::shape::Shape;
/// use floret::storage::model_file::ModelFile;
///
/// let text = "['serial', ['conv', {'ksize': 3, 'chn': 8, 'actions': 'LAB'}], ['avg', {'stride': 8}]]";
/// let network = Network::new(text, Shape::new(8, 8, 3), 2)?;
/// let parameters = Parameters::new(&network.graph);
/// let weights = parameters.initial_weights(1);
/// let statistics = parameters.initial_statistics();
/// let file = ModelFile::new(network, vec!["daisy".into(), "rose".into()], weights, statistics);
/// let bytes = file.to_bytes()?;
/// assert_eq!(ModelFile::from_bytes(&bytes)?, file);
/// # Ok::<(), floret::error::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ModelFile {
    /// The network; its text, input and number of classes are what the file holds.
    pub network: Network,
    /// Names of the classes, in the order of the outputs.
    pub classes: Vec<String>,
    /// How a photo becomes the network's input; null where nobody said.
    pub preprocessing: Value,
    /// How it was trained; null where nobody said.
    pub recipe: Value,
    /// The state of the run, in a file that it can be continued from; null in others.
    pub training: Value,
    /// Which photo served which split.
    pub splits: BTreeMap<PhotoId, Split>,
    /// Weights and statistics, always; their moving averages, and the optimizer's moments, where the file has them. Laid
    /// out as [`Parameters`] says, ready to be written to an executor.
    pub arenas: Arenas,
}

/// The metadata, as JSON.
#[derive(Serialize, Deserialize)]
struct Document {
    format_version: u32,
    layout: String,
    network: String,
    input: Shape,
    classes: Vec<String>,
    #[serde(default)]
    preprocessing: Value,
    #[serde(default)]
    recipe: Value,
    #[serde(default)]
    training: Value,
    #[serde(default)]
    splits: BTreeMap<PhotoId, Split>,
}

/// What a reader of the weights has to know.
const LAYOUT: &str = "tensors NHWC; convolution kernels HWIO, dense kernels in x out (rows, columns, channels of the \
                      input flattened in this order); running_var is the unbiased variance";

impl ModelFile {
    /// A file of weights and running statistics only, laid out as [`Parameters`] says.
    pub fn new(
        network: Network,
        classes: Vec<String>,
        weights: Vec<f32>,
        statistics: Vec<f32>,
    ) -> Self {
        Self {
            network,
            classes,
            preprocessing: Value::Null,
            recipe: Value::Null,
            training: Value::Null,
            splits: BTreeMap::new(),
            arenas: Arenas::from([(Storage::Weights, weights), (Storage::Statistics, statistics)]),
        }
    }

    /// Writes the file. The same model gives the same bytes.
    ///
    /// # Errors
    /// [`Error::Internal`] where an arena is not of the network's size; [`Error::ModelFile`] where a weight is not a
    /// number, or the class names do not fit: such a file could not be opened again.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        check_classes(&self.classes, self.network.classes())?;
        let parameters = Parameters::new(&self.network.graph);
        let document = Document {
            format_version: FORMAT_VERSION,
            layout: LAYOUT.into(),
            network: self.network.text.clone(),
            input: self.network.input(),
            classes: self.classes.clone(),
            preprocessing: self.preprocessing.clone(),
            recipe: self.recipe.clone(),
            training: self.training.clone(),
            splits: self.splits.clone(),
        };
        let document = serde_json::to_string(&document).map_err(internal)?;
        let mut views = Vec::new();
        for (&storage, arena) in &self.arenas {
            if arena.len() != tensors::arena_len(storage, &parameters) {
                let problem = format!("{storage:?} of {} numbers", arena.len());
                return Err(internal(problem));
            }
            for place in tensors::places(storage, &parameters) {
                let numbers = &arena[place.offset..][..place.len];
                if let Some(number) = numbers.iter().find(|number| !number.is_finite()) {
                    return Err(Error::ModelFile {
                        problem: format!("tensor `{}` holds {number}", place.name),
                        remedy: "go back to a state from before the training diverged".into(),
                    });
                }
                // Every target is little-endian, as the format is.
                let bytes = bytemuck::cast_slice(numbers);
                let view = TensorView::new(Dtype::F32, place.shape, bytes).map_err(internal)?;
                views.push((place.name, view));
            }
        }
        let metadata = [(ENTRY.to_owned(), document)].into_iter().collect();
        safetensors::serialize(views, Some(metadata)).map_err(internal)
    }

    /// Reads a file that may be anything, and rebuilds its network.
    ///
    /// # Errors
    /// [`Error::ModelFile`], in words that say what is wrong with it.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(not_ours)?;
        let entry = metadata.metadata().as_ref().and_then(|entries| entries.get(ENTRY));
        let document = read_document(entry.map(String::as_str))?;
        let Document { network, input, classes, .. } = &document;
        let network = Network::new(network, *input, classes.len())
            .map_err(|error| damaged(format!("its network cannot be read: {error}")))?;
        check_classes(classes, network.classes())?;
        let tensors =
            SafeTensors::deserialize(bytes).map_err(|error| damaged(error.to_string()))?;
        let arenas = tensors::read(&tensors, &Parameters::new(&network.graph))?;
        Ok(Self {
            network,
            classes: document.classes,
            preprocessing: document.preprocessing,
            recipe: document.recipe,
            training: document.training,
            splits: document.splits,
            arenas,
        })
    }

    /// An arena, if the file has it.
    pub fn arena(&self, storage: Storage) -> Option<&[f32]> {
        self.arenas.get(&storage).map(Vec::as_slice)
    }
}

/// Reads the metadata, the version first: a newer document may look different in every other respect.
fn read_document(entry: Option<&str>) -> Result<Document> {
    #[derive(Deserialize)]
    struct Version {
        format_version: u32,
    }
    let text = entry.ok_or_else(|| not_ours("its metadata have no entry `floret`"))?;
    if text.len() > MAX_METADATA {
        let problem =
            format!("metadata of {} MiB, at most {}", text.len() >> 20, MAX_METADATA >> 20);
        return Err(damaged(problem));
    }
    let unreadable = |error| damaged(format!("its metadata cannot be read: {error}"));
    let Version { format_version } = serde_json::from_str(text).map_err(unreadable)?;
    if format_version != FORMAT_VERSION {
        return Err(Error::ModelFile {
            problem: format!("format {format_version}; this Floret reads format {FORMAT_VERSION}"),
            remedy: "open it with the Floret that wrote it, or update this one".into(),
        });
    }
    serde_json::from_str(text).map_err(unreadable)
}

fn check_classes(classes: &[String], outputs: usize) -> Result<()> {
    if classes.len() != outputs {
        let problem = format!("{} class names for {outputs} outputs", classes.len());
        return Err(damaged(problem));
    }
    let mut seen = BTreeSet::new();
    for name in classes {
        if name.is_empty() || name.len() > MAX_CLASS_NAME || !seen.insert(name) {
            let short: String = name.chars().take(40).collect();
            let problem = format!("class name `{short}` is empty, too long, or there twice");
            return Err(damaged(problem));
        }
    }
    Ok(())
}

fn not_ours(reason: impl std::fmt::Display) -> Error {
    Error::ModelFile {
        problem: format!("not a model of Floret: {reason}"),
        remedy: "open a .safetensors file that Floret saved".into(),
    }
}

fn internal(problem: impl std::fmt::Display) -> Error {
    Error::Internal { place: "the model file's writer".into(), problem: problem.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TEXT: &str = "['serial', ['conv', {'ksize': [3, 1], 'chn': 4, 'actions': 'LAB'}],
        ['add', {'actions': 'B'}, ['conv', {'ksize': 1, 'chn': 4}]], ['avg', {'stride': 6}]]";

    /// Every part filled with numbers of its own.
    fn example() -> ModelFile {
        let network = Network::new(TEXT, Shape::new(6, 6, 2), 3).unwrap();
        let parameters = Parameters::new(&network.graph);
        let classes = ["daisy", "장미", "tulip"].map(String::from).to_vec();
        let mut file = ModelFile::new(
            network,
            classes,
            parameters.initial_weights(1),
            parameters.initial_statistics(),
        );
        file.preprocessing = serde_json::json!({"resize": "cover", "scale": 0.1});
        file.recipe = serde_json::json!({"learning_rate": 0.001, "tiny": 1.1754943508222875e-38});
        file.training = serde_json::json!({"step": 7, "loss": 0.30000000000000004});
        file.splits.insert(PhotoId::of(b"a"), Split::Test);
        file.splits.insert(PhotoId::of(b"b"), Split::Train);
        for storage in [Storage::AveragedWeights, Storage::FirstMoment, Storage::SecondMoment] {
            let mut arena = vec![0.0; parameters.weights_len];
            for (number, parameter) in parameters.trained.iter().enumerate() {
                arena[parameter.offset..][..parameter.spec.len()].fill(1.0 + number as f32);
            }
            file.arenas.insert(storage, arena);
        }
        file.arenas.insert(Storage::AveragedStatistics, parameters.initial_statistics());
        file
    }

    fn problem(bytes: &[u8]) -> String {
        match ModelFile::from_bytes(bytes) {
            Err(Error::ModelFile { problem, .. }) => problem,
            other => panic!("{other:?}"),
        }
    }

    /// The example's bytes after a change of its metadata and its tensors (name, shape, numbers).
    fn changed(change: impl Fn(&mut Value, &mut Vec<(String, Vec<usize>, Vec<f32>)>)) -> Vec<u8> {
        let bytes = example().to_bytes().unwrap();
        let (_, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
        let entry = &metadata.metadata().as_ref().unwrap()[ENTRY];
        let mut document: Value = serde_json::from_str(entry).unwrap();
        let mut list: Vec<_> = SafeTensors::deserialize(&bytes)
            .unwrap()
            .iter()
            .map(|(name, view)| {
                let numbers = view.data().chunks_exact(4).map(bytemuck::pod_read_unaligned);
                (name.to_owned(), view.shape().to_vec(), numbers.collect())
            })
            .collect();
        change(&mut document, &mut list);
        let views = list.iter().map(|(name, shape, numbers)| {
            let bytes = bytemuck::cast_slice(numbers);
            (name, TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap())
        });
        let entries = [(ENTRY.to_owned(), document.to_string())].into_iter().collect();
        safetensors::serialize(views, Some(entries)).unwrap()
    }

    #[test]
    fn reads_back_what_it_wrote() {
        let file = example();
        let bytes = file.to_bytes().unwrap();
        assert_eq!(ModelFile::from_bytes(&bytes).unwrap(), file);
        assert_eq!(file.to_bytes().unwrap(), bytes);
        assert_eq!(changed(|_, _| {}).len(), bytes.len());
    }

    #[test]
    fn names_tensors_by_path() {
        let bytes = example().to_bytes().unwrap();
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        assert_eq!(tensors.tensor("0.conv.kernel").unwrap().shape(), [3, 1, 2, 4]);
        assert_eq!(tensors.tensor("head.kernel").unwrap().shape(), [4, 3]);
        assert_eq!(tensors.tensor("0.conv.batch_norm.running_var").unwrap().shape(), [4]);
        assert_eq!(tensors.tensor("moment2.1.add.batch_norm.scale").unwrap().shape(), [4]);
        assert!(tensors.tensor("average.0.conv.batch_norm.running_mean").is_ok());
    }

    #[test]
    fn a_model_without_copies_is_whole() {
        let mut file = example();
        file.arenas.retain(|storage, _| matches!(storage, Storage::Weights | Storage::Statistics));
        let read = ModelFile::from_bytes(&file.to_bytes().unwrap()).unwrap();
        assert_eq!(read, file);
        assert_eq!(read.arena(Storage::FirstMoment), None);
    }

    #[test]
    fn says_what_is_wrong() {
        let set = |key: &'static str, value: Value| {
            changed(move |document, _| document[key] = value.clone())
        };
        assert!(problem(b"PNG").starts_with("not a model of Floret: "));
        let foreign: Vec<(&str, TensorView)> = Vec::new();
        let foreign = safetensors::serialize(foreign, None).unwrap();
        assert!(problem(&foreign).contains("no entry `floret`"));
        assert_eq!(
            problem(&set("format_version", 2.into())),
            "format 2; this Floret reads format 1"
        );
        assert!(problem(&set("network", "['max'".into())).contains("line 1, column 7"));
        assert!(problem(&set("classes", serde_json::json!(["a", "a", "b"]))).contains("`a`"));
        assert!(
            problem(&set("classes", serde_json::json!(["a", "b"])))
                .contains("tensor `head.kernel` is [4, 3], its network needs [4, 2]")
        );
        let drop = |list: &mut Vec<(String, Vec<usize>, Vec<f32>)>, name: &str| {
            list.retain(|(other, ..)| other != name);
        };
        assert_eq!(
            problem(&changed(|_, list| drop(list, "head.bias"))),
            "tensor `head.bias` is missing"
        );
        assert_eq!(
            problem(&changed(|_, list| drop(list, "moment1.head.bias"))),
            "tensor `moment1.head.bias` is missing"
        );
        assert_eq!(
            problem(&changed(|_, list| list.push(("9.conv.bias".into(), vec![1], vec![0.0])))),
            "tensor `9.conv.bias` is not of its network"
        );
        let put = |name: &'static str, number: f32| {
            changed(move |_, list| {
                let tensor = list.iter_mut().find(|(other, ..)| other == name).unwrap();
                tensor.2[1] = number;
            })
        };
        assert_eq!(problem(&put("head.bias", f32::NAN)), "tensor `head.bias` holds NaN");
        let variance = "0.conv.batch_norm.running_var";
        assert_eq!(problem(&put(variance, -1.0)), format!("tensor `{variance}` holds -1"));
    }

    #[test]
    fn refuses_to_write_what_it_could_not_read() {
        let mut file = example();
        file.arenas.get_mut(&Storage::Weights).unwrap()[0] = f32::INFINITY;
        assert!(file.to_bytes().unwrap_err().to_string().contains("`0.conv.kernel` holds inf"));
        let mut file = example();
        file.classes.pop();
        assert!(file.to_bytes().unwrap_err().to_string().contains("2 class names for 3 outputs"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(ModelFile::from_bytes(&bytes).is_err());
        }

        #[test]
        fn damaged_bytes_are_refused_or_read(
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
            cut in any::<prop::sample::Index>(),
            cuts in prop::bool::weighted(0.3),
        ) {
            let mut bytes = example().to_bytes().unwrap();
            for (place, byte) in changes {
                // Half of them fall into the header, which is the smaller part.
                let span = if byte % 2 == 0 { bytes.len() } else { bytes.len().min(600) };
                let place = place.index(span);
                bytes[place] = byte;
            }
            if cuts {
                bytes.truncate(cut.index(bytes.len()));
            }
            if let Ok(file) = ModelFile::from_bytes(&bytes) {
                prop_assert!(file.arenas.values().flatten().all(|number| number.is_finite()));
                prop_assert!(file.to_bytes().is_ok());
            }
        }
    }
}
