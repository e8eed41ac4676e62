//! An activation on its own: `input → output`.

use crate::backend::cpu::kernels::batch_norm::normalize::activate;
use crate::backend::cpu::threads::Workers;
use crate::kernel::{Activation, StepInputs};

pub(crate) fn run(
    len: usize,
    activation: Activation,
    step: &StepInputs,
    reads: &[&[f32]],
    writes: &mut [&mut [f32]],
    workers: &mut Workers,
) {
    let input = reads[0];
    workers.elementwise(&mut writes[0][..len * step.batch_size], |range, output| {
        output.copy_from_slice(&input[range]);
        activate(activation, output);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_off_negatives() {
        let mut output = [9.0; 3];
        let step = crate::backend::cpu::test_step(1);
        let reads: [&[f32]; 1] = [&[-1.0, 0.0, 2.0]];
        run(3, Activation::Relu, &step, &reads, &mut [&mut output], &mut Workers::new(1));
        assert_eq!(output, [0.0, 0.0, 2.0]);
    }
}
