//! A model: a network with its weights, the classes it tells apart and what is done to a photo first.

pub mod calibration;
pub mod metrics;

use crate::data::library::Library;
use crate::data::mirror::Mirroring;
use crate::data::resize::Preprocessing;
use crate::error::{Error, Result, Words};
use crate::model::calibration::Calibration;
use crate::network::Network;
use crate::plan::parameters::Parameters;
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
    /// Parts of each side, about the middle, that an answer is the mean over; 1 is the whole photo.
    pub looks: Vec<f32>,
    /// The weight arena.
    pub weights: Vec<f32>,
    /// The statistics arena.
    pub statistics: Vec<f32>,
    /// Moving averages, used in place of weights and statistics where there are any.
    pub averaged: Option<Averaged>,
    /// What was learned of its answers; it holds for the weights that the answers come from.
    pub calibration: Option<Calibration>,
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
            let expected = Words::of("expected.square_input");
            return Err(Error::setting(Words::of("name.input"), expected, input.to_string()));
        }
        if classes.len() != network.graph.classes() {
            return Err(Error::Data {
                problem: Words::of("problem.classes_and_outputs")
                    .with("classes", classes.len())
                    .with("outputs", network.graph.classes()),
                remedy: Words::of("remedy.build_for_classes"),
            });
        }
        let parameters = Parameters::new(&network.graph);
        let (weights, statistics) = (
            parameters.initial_weights(recipe.seed, recipe.initialisation),
            parameters.initial_statistics(),
        );
        let averaged = (recipe.weight_average > 0.0)
            .then(|| Averaged { weights: weights.clone(), statistics: statistics.clone() });
        let preprocessing = Preprocessing::new(input.height);
        Ok(Self {
            network,
            parameters,
            classes,
            preprocessing,
            mirror: recipe.mirror != Mirroring::No,
            looks: recipe.looks.clone(),
            weights,
            statistics,
            averaged,
            calibration: None,
        })
    }

    /// The body of this model under a fresh head for other classes: a start for training on few photos (Yosinski et al.,
    /// 2014).
    ///
    /// # Errors
    /// As [`Model::fresh`]; [`Error::Layer`] where the network does not allow that many classes.
    pub fn with_new_head(mut self, classes: Vec<String>, recipe: &Recipe) -> Result<Self> {
        self.settle_on_average();
        let input = self.network.graph.input();
        let network = Network::new(&self.network.text, input, classes.len())?;
        let mut model = Self::fresh(network, classes, recipe)?;
        // The head comes last, so everything before it lies where it lay.
        let head = model.network.graph.output();
        let body = model.parameters.block(head).map_or(0, |(offset, _)| offset);
        model.weights[..body].copy_from_slice(&self.weights[..body]);
        model.statistics = self.statistics;
        if let Some(averaged) = &mut model.averaged {
            averaged.weights.clone_from(&model.weights);
            averaged.statistics.clone_from(&model.statistics);
        }
        Ok(model)
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
        self.classes.iter().position(|class| class == label).ok_or_else(|| {
            let known = self.classes.iter().map(String::as_str);
            Error::unknown(Words::of("what.class"), label, known)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::Shape;

    #[test]
    fn a_new_head_leaves_the_body_as_it_was() {
        let text = "['serial', ['conv', {'ksize': 3, 'chn': 4, 'actions': 'LAB'}], ['avg', {'stride': 8}]]";
        let classes = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let recipe = Recipe::modern();
        let network = Network::new(text, Shape::new(8, 8, 3), 3).unwrap();
        let mut old = Model::fresh(network, classes(&["a", "b", "c"]), &recipe).unwrap();
        let averaged = old.averaged.as_mut().unwrap();
        averaged.weights.iter_mut().for_each(|weight| *weight += 1.0);
        averaged.statistics.iter_mut().for_each(|number| *number += 2.0);

        let average = averaged.clone();
        let new = old.with_new_head(classes(&["d", "e"]), &recipe).unwrap();
        let (head, _) = new.parameters.block(new.network.graph.output()).unwrap();
        assert_eq!(new.classes, ["d", "e"]);
        assert_eq!(new.weights[..head], average.weights[..head]);
        assert_ne!(new.weights[head..][..8], average.weights[head..][..8]);
        assert_eq!(new.statistics, average.statistics);
        assert_eq!(new.averaged.as_ref().map(|averaged| &averaged.weights), Some(&new.weights));
    }
}
