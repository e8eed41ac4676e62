//! An activation on its own, and the gradient through it.

use super::Run;
use crate::backend::cpu::context::Context;
use crate::backend::cpu::operands::Operands;
use crate::error::Result;
use crate::kernel::{Activation, ActivationBackward, ActivationForward};
use ndarray::{ArrayViewMut, Dimension, Zip, s};

impl Run for ActivationForward {
    fn run(&self, mut operands: Operands, context: &mut Context) -> Result<()> {
        let input = operands.elements(self.len)?;
        let output = operands.elements_mut(self.len)?;
        context.pool.elementwise(output, |range, mut output| {
            output.assign(&input.slice(s![range]));
            activate(self.activation, output);
        });
        Ok(())
    }
}

impl Run for ActivationBackward {
    fn run(&self, mut operands: Operands, context: &mut Context) -> Result<()> {
        let output = operands.elements(self.len)?;
        let grad_output = operands.elements(self.len)?;
        let grad_input = operands.elements_mut(self.len)?;
        context.pool.elementwise(grad_input, |range, grad_input| {
            let (output, gradient) =
                (output.slice(s![range.clone()]), grad_output.slice(s![range]));
            Zip::from(grad_input).and(output).and(gradient).for_each(|grad_input, &y, gradient| {
                let gradient = gradient * self.activation.derivative(y);
                *grad_input = if self.accumulate { *grad_input + gradient } else { gradient };
            });
        });
        Ok(())
    }
}

/// Applies an activation in place.
pub(super) fn activate<D: Dimension>(activation: Activation, mut values: ArrayViewMut<f32, D>) {
    match activation {
        Activation::None => {}
        Activation::Relu => values.mapv_inplace(|x| Activation::Relu.apply(x)),
        other => values.mapv_inplace(|x| other.apply(x)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::cpu::run_alone;

    #[test]
    fn cuts_off_negatives() {
        let mut output = [9.0; 3];
        let kernel = ActivationForward { len: 3, activation: Activation::Relu };
        run_alone(kernel, 1, &[&[-1.0, 0.0, 2.0]], &mut [&mut output]);
        assert_eq!(output, [0.0, 0.0, 2.0]);
    }

    #[test]
    fn multiplies_by_the_derivative_and_adds() {
        let mut grad_input = [1.0; 3];
        let activation = Activation::Tanh;
        let kernel = ActivationBackward { len: 3, activation, accumulate: true };
        run_alone(kernel, 1, &[&[0.0, 0.5, -0.5], &[4.0, 4.0, 8.0]], &mut [&mut grad_input]);
        assert_eq!(grad_input, [5.0, 4.0, 7.0]);
    }
}
