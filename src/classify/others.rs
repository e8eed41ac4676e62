//! How often drawn pictures that show no flower pass for one.

use super::{Classifier, EVALUATION_BATCH};
use crate::draw::{HELD_OUT_OTHERS, LEARNED_OTHERS, draw_other};
use crate::error::{Error, Result, Words};
use serde::Serialize;

/// One kind of drawn pictures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OtherKind {
    /// Its name.
    pub kind: &'static str,
    /// Whether the score was fitted without seeing this kind.
    pub held_out: bool,
    /// Pictures judged.
    pub pictures: usize,
    /// Those that were taken for one of the classes: false positives.
    pub accepted: usize,
}

/// All kinds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Others {
    /// Share that was taken for one of the classes, of the kinds that the score was fitted without.
    pub false_positive_rate: f64,
    /// The same of other pictures of the kinds that it was fitted with.
    pub learned_false_positive_rate: f64,
    /// Each kind on its own.
    pub kinds: Vec<OtherKind>,
}

impl Classifier {
    /// Draws `per_kind` pictures of every kind and counts those that pass for one of the model's classes.
    ///
    /// # Errors
    /// [`Error::Data`] for a model that has no score for it, device errors.
    pub async fn judge_others(&mut self, seed: u64, per_kind: u32) -> Result<Others> {
        if self.model.calibration.is_none() {
            return Err(Error::Data {
                problem: Words::of("problem.no_outlier_score"),
                remedy: Words::of("remedy.calibrate"),
            });
        }
        let size = self.model.preprocessing.stored_size;
        let mut kinds = Vec::new();
        let held_out = HELD_OUT_OTHERS.map(|kind| (kind, true));
        for (kind, held_out) in held_out.into_iter().chain(LEARNED_OTHERS.map(|kind| (kind, false)))
        {
            let pictures = (0..per_kind)
                .map(|index| draw_other(seed, kind, index, size))
                .collect::<Result<Vec<_>>>()?;
            let mut accepted = 0;
            for batch in pictures.chunks(EVALUATION_BATCH) {
                let pixels: Vec<&[u8]> = batch.iter().map(Vec::as_slice).collect();
                let answers = self.classify(&pixels).await?;
                let outliers = answers.iter().filter_map(|answer| answer.outlier);
                accepted += outliers.filter(|outlier| !outlier.none_of_these).count();
            }
            kinds.push(OtherKind { kind, held_out, pictures: pictures.len(), accepted });
        }
        let rate = |held_out: bool| {
            let kinds = kinds.iter().filter(|kind| kind.held_out == held_out);
            let (accepted, pictures) =
                kinds.fold((0, 0), |sum, kind| (sum.0 + kind.accepted, sum.1 + kind.pictures));
            accepted as f64 / pictures.max(1) as f64
        };
        let (false_positive_rate, learned_false_positive_rate) = (rate(true), rate(false));
        Ok(Others { false_positive_rate, learned_false_positive_rate, kinds })
    }
}
