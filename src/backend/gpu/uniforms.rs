//! The uniform buffer of values that change from step to step, as `shaders/shared/step.wgsl` declares it.

use crate::kernel::{Adam, Kernel, StepInputs};
use bytemuck::{Pod, Zeroable};

/// The uniform buffer's content.
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub(super) struct StepUniform {
    batch_size: u32,
    step: u32,
    seed_low: u32,
    seed_high: u32,
    learning_rate: f32,
    weight_decay: f32,
    first_correction: f32,
    second_correction: f32,
}

impl StepUniform {
    /// Lays out a step whose optimizer, if it is Adam, has these betas.
    pub fn new(step: &StepInputs, betas: Option<[f32; 2]>) -> Self {
        let correction =
            |beta: f32| (1.0 - f64::from(beta).powf(f64::from(step.step) + 1.0)) as f32;
        let [first_correction, second_correction] = betas.map_or([1.0; 2], |b| b.map(correction));
        Self {
            batch_size: step.batch_size as u32,
            step: step.step,
            seed_low: step.seed as u32,
            seed_high: (step.seed >> 32) as u32,
            learning_rate: step.learning_rate,
            weight_decay: step.weight_decay,
            first_correction,
            second_correction,
        }
    }
}

/// Returns the decays of the moments, if the kernel is Adam.
pub(super) fn betas(kernel: &Kernel) -> Option<[f32; 2]> {
    match *kernel {
        Kernel::Adam(Adam { beta1, beta2, .. }) => Some([beta1, beta2]),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corrections_are_exact_at_the_first_step_and_vanish_later() {
        let step = |step| StepInputs {
            batch_size: 1,
            step,
            seed: 1 << 32,
            learning_rate: 0.0,
            weight_decay: 0.0,
        };
        let first = StepUniform::new(&step(0), Some([0.9, 0.999]));
        assert!((first.second_correction - (1.0 - f64::from(0.999f32)) as f32).abs() < 1e-10);
        assert_eq!((first.seed_low, first.seed_high), (0, 1));
        assert_eq!(StepUniform::new(&step(1_000_000), Some([0.9, 0.999])).second_correction, 1.0);
    }
}
