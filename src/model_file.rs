//! The model file: safetensors, with network text, class names, preprocessing and training state in its metadata.
//!
//! Tensors are named by their path in the graph: `<layer>.kernel` (HWIO; dense: inputs × outputs), `<layer>.bias`,
//! `<layer>.scale`, `<layer>.shift`, `<layer>.running_mean`, `<layer>.running_var` (unbiased). The prefixes `average.`,
//! `moment1.` and `moment2.` hold moving averages and the optimizer's moments of the same tensors. `outliers.kernel`
//! belongs to the calibration.

mod calibration;
mod tensors;

use crate::data::photo::{PhotoId, Split};
use crate::data::resize::Preprocessing;
use crate::error::{Error, Result, Words};
use crate::kernel::Storage;
use crate::model::{Averaged, Model};
use crate::network::Network;
use crate::plan::Optimizer;
use crate::plan::parameters::Parameters;
use crate::recipe::{Recipe, check_looks};
use crate::shape::Shape;
use crate::train::{Progress, Snapshot};
use safetensors::SafeTensors;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};

const FORMAT: &str = "floret";
const VERSION: &str = "1";

/// Longest class name, in bytes.
const MAX_CLASS_NAME: usize = 200;

/// Most steps of a run; executors count them in 32 bits.
const MAX_STEPS: u64 = 1 << 31;

/// Where a saved run stood, its moments left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct TrainingState {
    #[serde(deserialize_with = "Recipe::of_a_run")]
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
    /// [`Error::ModelFile`] where a weight is not a number: such a file could not be opened again. [`Error::Internal`] where
    /// an arena is not of the network's size.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let Snapshot { model, first_moment, second_moment, recipe, progress, train_from } =
            &self.snapshot;
        let mut arenas = BTreeMap::from([
            (Storage::Weights, model.weights.as_slice()),
            (Storage::Statistics, model.statistics.as_slice()),
        ]);
        if let Some(averaged) = &model.averaged {
            arenas.insert(Storage::AveragedWeights, &averaged.weights);
            arenas.insert(Storage::AveragedStatistics, &averaged.statistics);
        }
        if self.continuable {
            arenas.insert(Storage::FirstMoment, first_moment);
            if !second_moment.is_empty() {
                arenas.insert(Storage::SecondMoment, second_moment);
            }
        }
        let state = TrainingState {
            recipe: recipe.clone(),
            progress: progress.clone(),
            train_from: *train_from,
        };
        let mut metadata = HashMap::from([
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
            ("looks".to_owned(), to_json(&model.looks)?),
            ("training".to_owned(), to_json(&state)?),
            ("splits".to_owned(), to_json(&self.splits)?),
        ]);
        let mut views = tensors::write(&arenas, &model.parameters)?;
        if let Some(calibrated) = &model.calibration {
            let (entry, kernel) = calibration::write(calibrated)?;
            metadata.extend([entry]);
            views.push(kernel);
        }
        safetensors::serialize(views, Some(metadata)).map_err(internal)
    }

    /// Reads a file from anywhere: every length, shape and number is checked.
    ///
    /// # Errors
    /// [`Error::ModelFile`] in words that say what is wrong with it, or what the recipe's own check says.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let damaged = |_| refuse(Words::of("problem.not_whole"), Words::of("remedy.save_again"));
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(damaged)?;
        let metadata = header.metadata().clone().unwrap_or_default();
        if metadata.get("format").map(String::as_str) != Some(FORMAT) {
            return Err(refuse(Words::of("problem.not_ours"), Words::of("remedy.open_ours")));
        }
        match metadata.get("version").map(String::as_str) {
            Some(VERSION) => {}
            other => {
                let found = other.map_or_else(|| Words::of("found.none"), Words::value);
                let problem = Words::of("problem.version").with("found", found);
                return Err(refuse(problem.with("known", VERSION), Words::of("remedy.newer")));
            }
        }
        let input: Shape = from_json(&metadata, "input")?;
        let classes: Vec<String> = from_json(&metadata, "classes")?;
        let preprocessing: Preprocessing = from_json(&metadata, "preprocessing")?;
        let mirror: bool = from_json(&metadata, "mirror")?;
        // Files from before there were several looks know the whole photo only.
        let looks = match metadata.contains_key("looks") {
            true => from_json(&metadata, "looks")?,
            false => vec![1.0],
        };
        check_looks(&looks)?;
        let state: TrainingState = from_json(&metadata, "training")?;
        let splits = from_json(&metadata, "splits")?;
        check_classes(&classes)?;
        state.check()?;
        // The network's own limits hold for the input, so it comes before all that is made for that input.
        let network = Network::new(field(&metadata, "network")?, input, classes.len())
            .map_err(|error| refuse(problem_of(error), Words::of("remedy.mend_network")))?;
        if input.height != input.width || preprocessing != Preprocessing::new(input.height) {
            let problem = Words::of("problem.preprocessing");
            return Err(refuse(problem, Words::of("remedy.newer")));
        }
        let parameters = Parameters::new(&network.graph);
        let tensors = SafeTensors::deserialize(bytes).map_err(damaged)?;
        let mut arenas = tensors::read(&tensors, &parameters)?;
        let calibration = calibration::read(&metadata, &tensors, network.graph.features().1)?;
        let mut take = |storage| arenas.remove(&storage);
        let (first_moment, second_moment) =
            (take(Storage::FirstMoment), take(Storage::SecondMoment));
        let is_adam = matches!(state.recipe.optimizer, Optimizer::Adam { .. });
        if second_moment.is_some() != (is_adam && first_moment.is_some()) {
            let problem = Words::of("problem.moments");
            return Err(refuse(problem, Words::of("remedy.earlier_save")));
        }
        let continuable = first_moment.is_some();
        let averaged = take(Storage::AveragedWeights)
            .zip(take(Storage::AveragedStatistics).or_else(|| Some(Vec::new())))
            .map(|(weights, statistics)| Averaged { weights, statistics });
        let model = Model {
            classes,
            preprocessing,
            mirror,
            looks,
            weights: take(Storage::Weights).unwrap_or_default(),
            statistics: take(Storage::Statistics).unwrap_or_default(),
            averaged,
            calibration,
            network,
            parameters,
        };
        let first_moment = first_moment.unwrap_or_else(|| vec![0.0; model.parameters.weights_len]);
        let snapshot = Snapshot {
            model,
            first_moment,
            second_moment: second_moment.unwrap_or_default(),
            recipe: state.recipe,
            progress: state.progress,
            train_from: state.train_from,
        };
        Ok(Self { snapshot, continuable, splits })
    }
}

impl TrainingState {
    /// Refuses a position that counting on from it would overflow.
    fn check(&self) -> Result<()> {
        self.recipe.check()?;
        let Progress { step, epoch, .. } = self.progress;
        if step > MAX_STEPS || u64::from(epoch) > step {
            let problem = Words::of("problem.stands_at").with("step", step).with("epoch", epoch);
            return Err(refuse(problem, Words::of("remedy.earlier_save")));
        }
        Ok(())
    }
}

fn check_classes(classes: &[String]) -> Result<()> {
    let mut seen = BTreeSet::new();
    for name in classes {
        if name.is_empty() || name.len() > MAX_CLASS_NAME || !seen.insert(name) {
            let start: String = name.chars().take(40).collect();
            let problem = Words::of("problem.class_name").with("name", start);
            return Err(refuse(problem, Words::of("remedy.name_each_class")));
        }
    }
    Ok(())
}

pub(super) fn refuse(problem: Words, remedy: Words) -> Error {
    Error::ModelFile { problem, remedy }
}

/// What is wrong with a file's network.
fn problem_of(error: Error) -> Words {
    match error {
        Error::Syntax { line, column, expected, found, .. } => Words::of("problem.network_text")
            .with("line", line)
            .with("column", column)
            .with("expected", expected)
            .with("found", found),
        Error::Layer { layer, expected, found, .. } => Words::of("problem.network_layer")
            .with("layer", layer)
            .with("expected", expected)
            .with("found", found),
        Error::Setting { name, expected, found } => Words::of("problem.network_setting")
            .with("name", name)
            .with("expected", expected)
            .with("found", found),
        _ => Words::of("problem.network"),
    }
}

pub(super) fn internal(error: impl std::fmt::Display) -> Error {
    Error::Internal { place: "model file".into(), problem: error.to_string() }
}

pub(super) fn to_json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(internal)
}

fn field<'a>(metadata: &'a HashMap<String, String>, name: &str) -> Result<&'a str> {
    let missing =
        || refuse(Words::of("problem.lacks").with("name", name), Words::of("remedy.open_ours"));
    metadata.get(name).map(String::as_str).ok_or_else(missing)
}

pub(super) fn from_json<T: DeserializeOwned>(
    metadata: &HashMap<String, String>,
    name: &str,
) -> Result<T> {
    serde_json::from_str(field(metadata, name)?).map_err(|_| {
        refuse(Words::of("problem.metadata").with("name", name), Words::of("remedy.open_ours"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::calibration::{Calibration, OutlierDetector};
    use proptest::prelude::*;
    use safetensors::tensor::{Dtype, TensorView};

    const TEXT: &str = "['serial', ['conv', {'ksize': [3, 1], 'chn': 4, 'actions': 'LAB'}],
        ['add', {'actions': 'B'}, ['conv', {'ksize': 1, 'chn': 4}]], ['avg', {'stride': 6}]]";

    /// Every part filled with numbers of its own.
    fn example() -> ModelFile {
        let network = Network::new(TEXT, Shape::new(6, 6, 3), 3).unwrap();
        let classes = ["daisy", "장미", "tulip"].map(String::from).to_vec();
        let recipe = Recipe { learning_rate: 0.1 + 0.2, ..Recipe::modern() };
        let mut model = Model::fresh(network, classes, &recipe).unwrap();
        let outliers = OutlierDetector { kernel: vec![0.5, -0.25, 0.1 + 0.2, 0.0], bias: -1.5 };
        model.calibration = Some(Calibration { temperature: 0.7, outliers });
        let mut first_moment = vec![0.0; model.parameters.weights_len];
        for (number, parameter) in model.parameters.trained.iter().enumerate() {
            parameter.view_mut(&mut first_moment).fill(1.0 + number as f32);
        }
        let second_moment = first_moment.clone();
        let progress = Progress {
            step: 7,
            epoch: 2,
            epoch_seconds: 0.300_000_000_000_000_04,
            ..Progress::default()
        };
        let splits =
            BTreeMap::from([(PhotoId::of(b"a"), Split::Test), (PhotoId::of(b"b"), Split::Train)]);
        let snapshot =
            Snapshot { model, first_moment, second_moment, recipe, progress, train_from: 1 };
        ModelFile { snapshot, continuable: true, splits }
    }

    fn problem(bytes: &[u8]) -> String {
        match ModelFile::from_bytes(bytes) {
            Err(Error::ModelFile { problem, .. }) => problem.to_string(),
            other => panic!("{other:?}"),
        }
    }

    type NamedNumbers = (String, Vec<usize>, Vec<f32>);

    /// The example's bytes after a change of its metadata and its tensors (name, shape, numbers).
    fn changed(change: impl Fn(&mut HashMap<String, String>, &mut Vec<NamedNumbers>)) -> Vec<u8> {
        let bytes = example().to_bytes().unwrap();
        let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
        let mut metadata = header.metadata().clone().unwrap();
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        let mut list: Vec<NamedNumbers> = tensors
            .iter()
            .map(|(name, view)| {
                let numbers = view.data().chunks_exact(4).map(bytemuck::pod_read_unaligned);
                (name.to_owned(), view.shape().to_vec(), numbers.collect())
            })
            .collect();
        change(&mut metadata, &mut list);
        let views = list.iter().map(|(name, shape, numbers)| {
            let bytes = bytemuck::cast_slice(numbers);
            (name, TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap())
        });
        safetensors::serialize(views, Some(metadata)).unwrap()
    }

    fn without(name: &'static str) -> Vec<u8> {
        changed(|_, list| list.retain(|(other, ..)| other != name))
    }

    fn with_metadata(key: &'static str, value: &'static str) -> Vec<u8> {
        changed(|metadata, _| {
            metadata.insert(key.into(), value.into());
        })
    }

    fn with_number(name: &'static str, number: f32) -> Vec<u8> {
        changed(|_, list| {
            let tensor = list.iter_mut().find(|(other, ..)| other == name).unwrap();
            tensor.2[1] = number;
        })
    }

    #[test]
    fn reads_back_what_it_wrote() {
        let file = example();
        assert_eq!(ModelFile::from_bytes(&file.to_bytes().unwrap()).unwrap(), file);
        assert_eq!(ModelFile::from_bytes(&changed(|_, _| {})).unwrap(), file);
    }

    #[test]
    fn a_final_model_leaves_the_moments_out() {
        let file = ModelFile { continuable: false, ..example() };
        let read = ModelFile::from_bytes(&file.to_bytes().unwrap()).unwrap();
        assert!(!read.continuable);
        assert_eq!(read.snapshot.model, file.snapshot.model);
        assert!(file.to_bytes().unwrap().len() < example().to_bytes().unwrap().len());
    }

    #[test]
    fn names_tensors_by_path() {
        let bytes = example().to_bytes().unwrap();
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        assert_eq!(tensors.tensor("0.conv.kernel").unwrap().shape(), [3, 1, 3, 4]);
        assert_eq!(tensors.tensor("head.kernel").unwrap().shape(), [4, 3]);
        assert_eq!(tensors.tensor("0.conv.batch_norm.running_var").unwrap().shape(), [4]);
        assert_eq!(tensors.tensor("moment2.1.add.batch_norm.scale").unwrap().shape(), [4]);
        assert!(tensors.tensor("average.0.conv.batch_norm.running_mean").is_ok());
    }

    #[test]
    fn says_what_is_wrong() {
        let foreign = changed(|metadata, _| metadata.clear());
        assert_eq!(problem(&foreign), "it was not written by Floret");
        assert!(problem(b"PNG").starts_with("it is not a whole safetensors file"));
        assert!(problem(&with_metadata("version", "2")).contains("format version 2"));
        assert!(problem(&with_metadata("network", "['max'")).contains("line 1, column 7"));
        assert!(problem(&with_metadata("classes", r#"["a", "a", "b"]"#)).contains("`a`"));
        assert_eq!(
            problem(&with_metadata("classes", r#"["a", "b"]"#)),
            "tensor `head.kernel`: expected F32 [4, 2], found F32 [4, 3]"
        );
        let huge = r#"{"height": 18446744073709551615, "width": 1, "channels": 3}"#;
        assert!(problem(&with_metadata("input", huge)).contains("from 1 to 2048"));
        assert_eq!(problem(&without("head.bias")), "tensor `head.bias` is missing");
        let moment = "moment1.head.bias";
        assert_eq!(problem(&without(moment)), format!("tensor `{moment}` is missing"));
        let one_more = changed(|_, list| list.push(("9.conv.bias".into(), vec![1], vec![0.0])));
        assert_eq!(problem(&one_more), "tensor `9.conv.bias` belongs to no layer");
        assert_eq!(problem(&with_number("head.bias", f32::NAN)), "tensor `head.bias` holds NaN");
        let variance = "0.conv.batch_norm.running_var";
        assert_eq!(problem(&with_number(variance, -1.0)), format!("tensor `{variance}` holds -1"));
        let no_second = changed(|_, list| list.retain(|(name, ..)| !name.starts_with("moment2.")));
        assert_eq!(problem(&no_second), "its moments are not those of its optimizer");
        let late = changed(|metadata, _| {
            let state = metadata["training"].replace("\"step\":7", "\"step\":18446744073709551615");
            metadata.insert("training".into(), state);
        });
        assert!(problem(&late).contains("stands at step 18446744073709551615"));
    }

    #[test]
    fn a_setting_that_a_file_is_older_than_is_off() {
        let settings = serde_json::to_value(Recipe::textbook()).unwrap();
        for name in settings.as_object().unwrap().keys() {
            let older = changed(|metadata, _| {
                let mut state: serde_json::Value =
                    serde_json::from_str(&metadata["training"]).unwrap();
                let mut recipe = settings.clone();
                recipe.as_object_mut().unwrap().remove(name).unwrap();
                state["recipe"] = recipe;
                metadata.insert("training".into(), state.to_string());
            });
            let read = ModelFile::from_bytes(&older).unwrap();
            assert_eq!(read.snapshot.recipe, Recipe::textbook(), "without {name}");
        }
    }

    #[test]
    fn a_file_from_before_there_were_several_looks_has_the_whole_photo() {
        let mut file = example();
        file.snapshot.model.looks = vec![1.0, 0.75];
        let again = ModelFile::from_bytes(&file.to_bytes().unwrap()).unwrap();
        assert_eq!(again.snapshot.model.looks, [1.0, 0.75]);
        let old = changed(|metadata, _| drop(metadata.remove("looks")));
        assert_eq!(ModelFile::from_bytes(&old).unwrap().snapshot.model.looks, [1.0]);
        let error = ModelFile::from_bytes(&with_metadata("looks", "[2.0]")).unwrap_err();
        assert!(error.to_string().contains("looks"), "{error}");
    }

    #[test]
    fn a_file_from_before_calibration_opens() {
        let before = changed(|metadata, list| {
            metadata.remove("calibration");
            list.retain(|(name, ..)| name != "outliers.kernel");
        });
        let read = ModelFile::from_bytes(&before).unwrap();
        assert_eq!(read.snapshot.model.calibration, None);
        assert_eq!(read.snapshot.model.weights, example().snapshot.model.weights);
    }

    #[test]
    fn says_what_is_wrong_with_a_calibration() {
        let kernel = "outliers.kernel";
        assert_eq!(problem(&without(kernel)), format!("tensor `{kernel}` is missing"));
        let alone = changed(|metadata, _| drop(metadata.remove("calibration")));
        assert_eq!(problem(&alone), format!("tensor `{kernel}` is there without `calibration`"));
        let longer = changed(|_, list| {
            let tensor = list.iter_mut().find(|(name, ..)| name == kernel).unwrap();
            (tensor.1, tensor.2) = (vec![5], vec![0.0; 5]);
        });
        assert_eq!(problem(&longer), format!("tensor `{kernel}`: expected F32 [4], found F32 [5]"));
        assert!(problem(&with_number(kernel, f32::INFINITY)).ends_with("holds inf"));
        let cold = r#"{"temperature": 0, "outlier_bias": 0}"#;
        assert_eq!(problem(&with_metadata("calibration", cold)), "its temperature is 0");
        let not_a_number = r#"{"temperature": 1, "outlier_bias": null}"#;
        assert!(problem(&with_metadata("calibration", not_a_number)).contains("cannot be read"));
    }

    #[test]
    fn refuses_to_write_what_it_could_not_read() {
        let mut file = example();
        file.snapshot.model.weights[0] = f32::INFINITY;
        let error = file.to_bytes().unwrap_err().to_string();
        assert!(error.contains("`0.conv.kernel` would hold inf"), "{error}");
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
                // Half of the changes fall into the start of the header, where they do most harm.
                let span = if byte % 2 == 0 { bytes.len() } else { bytes.len().min(2500) };
                let place = place.index(span);
                bytes[place] = byte;
            }
            if cuts {
                bytes.truncate(cut.index(bytes.len()));
            }
            if let Ok(file) = ModelFile::from_bytes(&bytes) {
                prop_assert!(file.snapshot.model.weights.iter().all(|number| number.is_finite()));
                prop_assert!(file.to_bytes().is_ok());
            }
        }
    }
}
