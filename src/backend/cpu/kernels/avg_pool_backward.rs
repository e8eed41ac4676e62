//! Average pooling backward: `grad_output → grad_input`.

use crate::backend::cpu::kernels::average::average;
use crate::backend::cpu::threads::Workers;
use crate::kernel::{Pooling, StepInputs};

pub(crate) fn run(
    pooling: &Pooling,
    accumulate: bool,
    step: &StepInputs,
    reads: &[&[f32]],
    writes: &mut [&mut [f32]],
    workers: &mut Workers,
) {
    let grad_input = &mut writes[0][..pooling.input.len() * step.batch_size];
    average(pooling, [true, accumulate], reads[0], grad_input, workers);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::{Padding, Shape, Window};

    #[test]
    fn shares_gradients_among_the_real_pixels() {
        let pooling = Pooling {
            input: Shape::new(1, 4, 1),
            output: Shape::new(1, 2, 1),
            window: Window::new([1, 3], [1, 2], Padding::Same),
        };
        let step = crate::backend::cpu::test_step(1);
        for (accumulate, expected) in [(false, [5., 9., 4., 4.]), (true, [6., 10., 5., 5.])] {
            let mut grad_input = [1.0; 4];
            let reads: [&[f32]; 1] = [&[10.0, 12.0]];
            let writes: &mut [&mut [f32]] = &mut [&mut grad_input];
            run(&pooling, accumulate, &step, &reads, writes, &mut Workers::new(1));
            assert_eq!(grad_input, expected);
        }
    }
}
