//! The report's experiment: one network after another, and the report on them.

use super::{Engine, JsResult, RecipeChoice, given, thrown};
use crate::error::{Error, Result, Words};
use crate::model::metrics::Evaluation;
use crate::report::experiment::{Experiment, html, markdown};
use crate::report::lines::Language;
use serde::Serialize;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
impl Engine {
    /// Begins an experiment; the one before is forgotten.
    pub fn begin_experiment(&mut self, recipe: JsValue) -> JsResult<()> {
        let choice: RecipeChoice = serde_wasm_bindgen::from_value(recipe)?;
        let name = choice.name.clone();
        self.experiment = Some(Experiment::new(&name, choice.recipe().map_err(thrown)?));
        Ok(())
    }

    /// Starts a run of the experiment: by its recipe, on the split of its first run.
    pub async fn start_in_experiment(
        &mut self,
        text: String,
        size: usize,
        device: String,
    ) -> JsResult<()> {
        let experiment = self.experiment.as_mut().ok_or_else(none_begun).map_err(thrown)?;
        let recipe = experiment.recipe.clone();
        experiment.split(&mut self.library, recipe.seed).map_err(thrown)?;
        self.train_anew(&text, size, recipe, &device).await.map_err(thrown)
    }

    /// Judges the run that has ended and adds it to the experiment; gives its test report and the experiment so far.
    pub async fn record_run(&mut self, model: String) -> JsResult<JsValue> {
        #[derive(Serialize)]
        struct Recorded<'a> {
            report: Evaluation,
            experiment: &'a Experiment,
        }
        let report = self.record(&model).await.map_err(thrown)?;
        let experiment = self.experiment.as_ref().ok_or_else(none_begun).map_err(thrown)?;
        given(&Recorded { report, experiment })
    }

    /// The experiment's report: `html` or `md`, in `en` or `ko`.
    pub fn experiment_report(&self, format: &str, language: &str) -> JsResult<String> {
        let experiment = self.experiment.as_ref().ok_or_else(none_begun).map_err(thrown)?;
        let language = if language == "ko" { Language::Ko } else { Language::En };
        Ok(if format == "md" {
            markdown::document(experiment, language)
        } else {
            html::page(experiment, language)
        })
    }
}

impl Engine {
    async fn record(&mut self, model: &str) -> Result<Evaluation> {
        match (&mut self.experiment, &mut self.run) {
            (Some(experiment), Some(trainer)) => {
                experiment.record(model, trainer, &self.library).await
            }
            _ => Err(none_begun()),
        }
    }
}

fn none_begun() -> Error {
    Error::Data {
        problem: Words::of("problem.no_experiment"),
        remedy: Words::of("remedy.start_experiment"),
    }
}
