//! A model: a network with its weights, the classes it tells apart and what is done to a photo first.

use crate::data::library::Library;
use crate::data::resize::Preprocessing;
use crate::error::{Error, Result, did_you_mean};
use crate::network::Network;
use crate::parameters::Parameters;
use crate::recipe::Recipe;

/// Moving averages of weights and running statistics, laid out as those.
#[derive(Debug, Clone, PartialEq)]
pub struct Averaged {
    /// Averaged weight arena.
    pub weights: Vec<f32>,
    /// Averaged statistics arena.
    pub statistics: Vec<f32>,
}

/// Everything that is needed to classify a photo.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// The network.
    pub network: Network,
    /// Where each parameter lies.
    pub parameters: Parameters,
    /// Class names, one an output.
    pub classes: Vec<String>,
    /// What is done to a photo before it enters.
    pub preprocessing: Preprocessing,
    /// Whether an answer is the mean over the photo and its mirror image.
    pub mirror: bool,
    /// The weight arena.
    pub weights: Vec<f32>,
    /// The statistics arena.
    pub statistics: Vec<f32>,
    /// Moving averages, used in place of weights and statistics where there are any.
    pub averaged: Option<Averaged>,
}

impl Model {
    /// An untrained model for a recipe.
    ///
    /// # Errors
    /// [`Error::Data`] where the classes do not fit the network's outputs, [`Error::Setting`] for an input that is not
    /// square.
    pub fn fresh(network: Network, classes: Vec<String>, recipe: &Recipe) -> Result<Self> {
        let input = network.graph.input();
        if input.height != input.width || input.channels != 3 {
            let expected = "a square with 3 channels, for photos".into();
            return Err(Error::Setting {
                name: "input".into(),
                expected,
                found: input.to_string(),
            });
        }
        if classes.len() != network.graph.classes() {
            return Err(Error::Data {
                problem: format!(
                    "{} classes of photos, {} outputs of the network",
                    classes.len(),
                    network.graph.classes()
                ),
                remedy: "build the network for the classes of the photos".into(),
            });
        }
        let parameters = Parameters::new(&network.graph);
        let (weights, statistics) = (
            parameters.initial_weights(recipe.seed, recipe.initialisation),
            parameters.initial_statistics(),
        );
        let averaged = (recipe.weight_average > 0.0)
            .then(|| Averaged { weights: weights.clone(), statistics: statistics.clone() });
        let (preprocessing, mirror) = (Preprocessing::new(input.height), recipe.mirror);
        Ok(Self {
            network,
            parameters,
            classes,
            preprocessing,
            mirror,
            weights,
            statistics,
            averaged,
        })
    }

    /// Makes the averaged weights, where there are any, the weights themselves: what answers come from, and no more.
    pub fn settle_on_average(&mut self) {
        if let Some(averaged) = self.averaged.take() {
            self.weights = averaged.weights;
            self.statistics = averaged.statistics;
        }
    }

    /// The model's class of a photo's label.
    ///
    /// # Errors
    /// [`Error::Unknown`] where the model has no class of that name.
    pub fn class_of(&self, library: &Library, photo: usize) -> Result<usize> {
        let label =
            library.photos().get(photo).and_then(|photo| photo.label.as_deref()).unwrap_or("");
        self.classes.iter().position(|class| class == label).ok_or_else(|| Error::Unknown {
            what: "class".into(),
            name: label.into(),
            suggestion: did_you_mean(label, self.classes.iter().map(String::as_str)),
        })
    }
}
