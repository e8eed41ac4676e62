//! Recipes: everything about a training run that is not the network or the photos.

use crate::data::augment::Augmentation;
use crate::data::mirror::{Mirroring, Verdict};
use crate::error::{Error, Result, Words};
use crate::plan::Optimizer;
use crate::plan::parameters::KernelInitialisation;
use serde::de::{Deserializer, Error as _};
use serde::{Deserialize, Serialize};

/// How the learning rate moves over a run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Schedule {
    /// The same all the time.
    Constant,
    /// Up in a straight line over the first `warmup` share of the run, then down along half a cosine to 0 (Loshchilov
    /// and Hutter, 2017).
    Cosine {
        /// Share of the run, 0 to 1.
        warmup: f32,
    },
}

/// Settings of a run. Read from JSON, a setting that is left out is the modern recipe's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Recipe {
    /// Passes over the training photos.
    pub epochs: u32,
    /// Photos a step.
    pub batch_size: usize,
    /// Seed of initialisation, order, augmentation and dropout.
    pub seed: u64,
    /// How kernels start. Files written before this setting have He's.
    pub initialisation: KernelInitialisation,
    /// Update rule.
    pub optimizer: Optimizer,
    /// Peak learning rate.
    pub learning_rate: f32,
    /// Its course.
    pub schedule: Schedule,
    /// Decoupled weight decay of kernels, multiplied by the learning rate.
    pub weight_decay: f32,
    /// What is done to training photos.
    pub augmentation: Augmentation,
    /// Share of the target spread over all classes (Szegedy et al., 2016).
    pub label_smoothing: f32,
    /// Decay of the moving average of weights that evaluation uses; 0 uses the weights themselves.
    pub weight_average: f32,
    /// Whether photos may be mirrored: where they may, every other photo is in training if the augmentation says so, and an
    /// answer is the mean over the photo and its mirror image.
    pub mirror: Mirroring,
    /// What an answer looks at, and is the mean over: parts of each side, about the middle; 1 is the whole photo. Training on
    /// crops shows a network flowers larger than whole photos do (Touvron et al., "Fixing the train-test resolution
    /// discrepancy", 2019).
    pub looks: Vec<f32>,
    /// Whether photos of rarer classes count more, to the same sum a class.
    pub class_weights: bool,
    /// Stop after that many epochs without a better validation loss.
    pub patience: Option<u32>,
}

impl Default for Recipe {
    fn default() -> Self {
        Self::modern()
    }
}

impl Recipe {
    /// As close to the textbook as right mathematics allows: Adam 0.001, batch 10, no augmentation.
    pub fn textbook() -> Self {
        Self {
            epochs: 10,
            batch_size: 10,
            seed: 1,
            initialisation: KernelInitialisation::He,
            optimizer: Optimizer::ADAM,
            learning_rate: 0.001,
            schedule: Schedule::Constant,
            weight_decay: 0.0,
            augmentation: Augmentation::none(),
            label_smoothing: 0.0,
            weight_average: 0.0,
            mirror: Mirroring::No,
            looks: vec![1.0],
            class_weights: false,
            patience: None,
        }
    }

    /// AdamW with warm-up and cosine, augmentation, label smoothing and averaged weights; see docs/accuracy.md.
    pub fn modern() -> Self {
        Self {
            learning_rate: 0.002,
            schedule: Schedule::Cosine { warmup: 0.05 },
            weight_decay: 0.05,
            augmentation: Augmentation::standard(),
            label_smoothing: 0.1,
            weight_average: 0.998,
            mirror: Mirroring::Auto,
            looks: vec![1.0, 0.75],
            ..Self::textbook()
        }
    }

    /// For a network that starts from a trained one, on few photos: smaller steps, more epochs, and no moving average, which
    /// a run of a few hundred steps would not fill; see docs/accuracy.md.
    pub fn fine_tune() -> Self {
        Self { epochs: 30, learning_rate: 0.001, weight_average: 0.0, ..Self::modern() }
    }

    /// Lets the photos decide whether they may be mirrored, where the recipe leaves that to them; training and answers
    /// both obey.
    pub fn settle_mirroring(&mut self, verdict: &Verdict) {
        if self.mirror == Mirroring::Auto {
            self.set_mirroring(if verdict.allowed { Mirroring::Yes } else { Mirroring::No });
        }
    }

    /// Sets by hand whether photos may be mirrored, in training and in answers.
    pub fn set_mirroring(&mut self, mirror: Mirroring) {
        self.mirror = mirror;
        match mirror {
            Mirroring::No => self.augmentation.flip = false,
            // A recipe that leaves photos as they are in all other ways goes on to do so in training.
            Mirroring::Yes | Mirroring::Auto => {
                self.augmentation.flip |= self.augmentation != Augmentation::none();
            }
        }
    }

    /// Names that [`Recipe::named`] knows.
    pub const NAMES: [&'static str; 3] = ["modern", "textbook", "fine_tune"];

    /// A recipe by its name.
    ///
    /// # Errors
    /// [`Error::Unknown`] with a suggestion.
    pub fn named(name: &str) -> Result<Self> {
        match name {
            "modern" => Ok(Self::modern()),
            "textbook" => Ok(Self::textbook()),
            "fine_tune" => Ok(Self::fine_tune()),
            _ => Err(Error::unknown(Words::of("what.recipe"), name, Self::NAMES)),
        }
    }

    /// Reads the recipe of a run that may be older than a setting. What such a run does not name it did without, so it has
    /// the textbook's value, not the modern recipe's.
    pub(crate) fn of_a_run<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> std::result::Result<Self, D::Error> {
        let named = serde_json::Map::deserialize(deserializer)?;
        let mut settings = serde_json::to_value(Self::textbook()).map_err(D::Error::custom)?;
        if let Some(settings) = settings.as_object_mut() {
            settings.extend(named);
        }
        Self::deserialize(settings).map_err(D::Error::custom)
    }

    /// Checks every setting's range.
    ///
    /// # Errors
    /// [`Error::Setting`] for the first one outside.
    pub fn check(&self) -> Result<()> {
        let settings: [(Words, f64, f64, f64); 7] = [
            (Words::of("name.epochs"), f64::from(self.epochs), 1.0, 100_000.0),
            (Words::of("name.batch_size"), self.batch_size as f64, 1.0, 4096.0),
            (Words::of("name.learning_rate"), f64::from(self.learning_rate), 0.0, 100.0),
            (Words::of("name.weight_decay"), f64::from(self.weight_decay), 0.0, 100.0),
            (Words::of("name.label_smoothing"), f64::from(self.label_smoothing), 0.0, 0.99),
            (Words::of("name.weight_average"), f64::from(self.weight_average), 0.0, 0.999_999),
            (Words::of("name.patience"), f64::from(self.patience.unwrap_or(1)), 1.0, 100_000.0),
        ];
        for (name, value, least, most) in settings {
            if !(least..=most).contains(&value) {
                let expected = Words::of("expected.range").with("low", least).with("high", most);
                return Err(Error::setting(name, expected, value));
            }
        }
        check_looks(&self.looks)?;
        self.augmentation.check()
    }

    /// Learning rate of step `step` of `steps`.
    pub fn learning_rate_at(&self, step: u64, steps: u64) -> f32 {
        match self.schedule {
            Schedule::Constant => self.learning_rate,
            Schedule::Cosine { warmup } => {
                let warmup_steps = (f64::from(warmup) * steps as f64).max(1.0);
                let done = step as f64 + 0.5;
                let share = if done < warmup_steps {
                    done / warmup_steps
                } else {
                    let progress = (done - warmup_steps) / (steps as f64 - warmup_steps).max(1.0);
                    0.5 * (1.0 + (std::f64::consts::PI * progress.min(1.0)).cos())
                };
                (f64::from(self.learning_rate) * share) as f32
            }
        }
    }
}

/// Checks what an answer looks at.
///
/// # Errors
/// [`Error::Setting`] for none or too many looks, or for one that is no part of a side.
pub fn check_looks(looks: &[f32]) -> Result<()> {
    if (1..=8).contains(&looks.len()) && looks.iter().all(|part| (0.1..=1.0).contains(part)) {
        return Ok(());
    }
    let expected = Words::of("expected.looks");
    Err(Error::setting(Words::of("name.looks"), expected, format!("{looks:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cosine_rises_then_falls_to_nothing() {
        let recipe = Recipe { schedule: Schedule::Cosine { warmup: 0.1 }, ..Recipe::textbook() };
        let rates: Vec<f32> = (0..100).map(|step| recipe.learning_rate_at(step, 100)).collect();
        assert!(rates[..9].windows(2).all(|pair| pair[0] < pair[1]));
        assert!(rates[10..].windows(2).all(|pair| pair[0] > pair[1]));
        assert!(rates[99] < 1e-6 && rates[10] > 0.99e-3);
    }

    #[test]
    fn photos_decide_on_mirroring_unless_the_recipe_does() {
        let verdict = |allowed| Verdict { allowed, photos: 10, pair: None };
        let settled = |mirror, allowed| {
            let mut recipe = Recipe::modern();
            recipe.set_mirroring(mirror);
            recipe.settle_mirroring(&verdict(allowed));
            (recipe.mirror, recipe.augmentation.flip)
        };
        assert_eq!(settled(Mirroring::Auto, true), (Mirroring::Yes, true));
        assert_eq!(settled(Mirroring::Auto, false), (Mirroring::No, false));
        assert_eq!(settled(Mirroring::Yes, false), (Mirroring::Yes, true));
        assert_eq!(settled(Mirroring::No, true), (Mirroring::No, false));
        let mut textbook = Recipe::textbook();
        textbook.settle_mirroring(&verdict(true));
        assert_eq!(textbook, Recipe::textbook());
    }

    #[test]
    fn mirroring_is_written_as_files_always_had_it() {
        for (mirror, text) in
            [(Mirroring::Auto, "\"auto\""), (Mirroring::Yes, "true"), (Mirroring::No, "false")]
        {
            assert_eq!(serde_json::to_string(&mirror).unwrap(), text);
            assert_eq!(serde_json::from_str::<Mirroring>(text).unwrap(), mirror);
        }
        assert_eq!(serde_json::from_str::<Mirroring>("\"no\"").unwrap(), Mirroring::No);
        assert!(serde_json::from_str::<Mirroring>("\"maybe\"").is_err());
    }

    #[test]
    fn names_the_setting_that_is_out_of_range() {
        let recipe = Recipe { learning_rate: f32::NAN, ..Recipe::textbook() };
        assert!(recipe.check().unwrap_err().to_string().starts_with("learning rate"));
        for looks in [vec![], vec![1.0, f32::NAN], vec![1.5]] {
            let recipe = Recipe { looks, ..Recipe::textbook() };
            assert!(recipe.check().unwrap_err().to_string().starts_with("looks"));
        }
        assert!(Recipe::named("modem").unwrap_err().to_string().contains("modern"));
        assert_eq!(Recipe::modern().check(), Ok(()));
    }

    #[test]
    fn a_file_says_what_differs_from_the_modern_recipe() {
        let recipe: Recipe = serde_json::from_str(r#"{"epochs": 40}"#).unwrap();
        assert_eq!(recipe, Recipe { epochs: 40, ..Recipe::modern() });
        let error = serde_json::from_str::<Recipe>(r#"{"epoch": 40}"#).unwrap_err();
        assert!(error.to_string().contains("epochs"), "{error}");
    }
}
