//! Batch normalisation: statistics, normalisation and gradients (Ioffe and Szegedy, 2015).

mod backward_input;
mod backward_reduce;
mod normalize;
mod statistics;

use crate::backend::cpu::operands::Pair;
use crate::kernel::BatchNorm;

/// The elements of one channel.
#[derive(Debug, Clone, Copy)]
pub(super) struct Affine {
    pub(super) mean: f32,
    pub(super) inverse: f32,
    pub(super) scale: f32,
    pub(super) shift: f32,
}

impl Affine {
    /// Reads a channel's `moments`, and scale and shift from `block`; without one these are 1 and 0.
    fn new(moments: &Pair, block: Option<&Pair>, channel: usize) -> Self {
        Self {
            mean: moments.first[channel],
            inverse: moments.second[channel],
            scale: block.map_or(1.0, |block| block.first[channel]),
            shift: block.map_or(0.0, |block| block.second[channel]),
        }
    }

    /// Reads a channel's `running` statistics instead.
    pub(super) fn of_running(
        norm: &BatchNorm,
        running: &Pair,
        block: Option<&Pair>,
        channel: usize,
    ) -> Self {
        let inverse = inverse_deviation(norm, running.second[channel]);
        Self { inverse, ..Self::new(running, block, channel) }
    }

    /// Returns `[f, o]` such that the output before the activation is `input · f + o`.
    pub(super) fn factor_and_offset(&self) -> [f32; 2] {
        let factor = self.inverse * self.scale;
        [factor, self.shift - self.mean * factor]
    }
}

/// Returns `1 / √(variance + epsilon)`.
fn inverse_deviation(norm: &BatchNorm, variance: f32) -> f32 {
    1.0 / (variance + norm.epsilon).sqrt()
}
