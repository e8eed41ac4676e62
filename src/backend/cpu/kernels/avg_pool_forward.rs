//! Average pooling: `input → output`.

use crate::backend::cpu::kernels::average::average;
use crate::backend::cpu::threads::Workers;
use crate::kernel::{Pooling, StepInputs};

pub(crate) fn run(
    pooling: &Pooling,
    step: &StepInputs,
    reads: &[&[f32]],
    writes: &mut [&mut [f32]],
    workers: &mut Workers,
) {
    let output = &mut writes[0][..pooling.output.len() * step.batch_size];
    average(pooling, [false, false], reads[0], output, workers);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::{Padding, Shape, Window};

    #[test]
    fn divides_by_the_real_pixels() {
        let pooling = Pooling {
            input: Shape::new(1, 4, 1),
            output: Shape::new(1, 2, 1),
            window: Window::new([1, 3], [1, 2], Padding::Same),
        };
        let mut output = [9.0; 2];
        let step = crate::backend::cpu::test_step(1);
        let reads: [&[f32]; 1] = [&[1.0, 2.0, 3.0, 7.0]];
        run(&pooling, &step, &reads, &mut [&mut output], &mut Workers::new(1));
        assert_eq!(output, [1.5, 4.0]);
    }
}
