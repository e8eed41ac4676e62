//! Backward through an activation: `output, grad_output → grad_input`.

use crate::backend::cpu::threads::Workers;
use crate::kernel::{Activation, StepInputs};

pub(crate) fn run(
    len: usize,
    activation: Activation,
    accumulate: bool,
    step: &StepInputs,
    reads: &[&[f32]],
    writes: &mut [&mut [f32]],
    workers: &mut Workers,
) {
    let (values, grad_output) = (reads[0], reads[1]);
    workers.elementwise(&mut writes[0][..len * step.batch_size], |range, output| {
        let pairs = values[range.clone()].iter().zip(&grad_output[range]);
        for (output, (&value, gradient)) in output.iter_mut().zip(pairs) {
            let gradient = gradient * activation.slope(value);
            *output = if accumulate { *output + gradient } else { gradient };
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multiplies_by_the_slope_and_adds() {
        let mut output = [1.0; 3];
        let step = crate::backend::cpu::test_step(1);
        let reads: [&[f32]; 2] = [&[0.0, 0.5, -0.5], &[4.0, 4.0, 8.0]];
        let writes: &mut [&mut [f32]] = &mut [&mut output];
        run(3, Activation::Tanh, true, &step, &reads, writes, &mut Workers::new(1));
        assert_eq!(output, [5.0, 4.0, 7.0]);
    }
}
