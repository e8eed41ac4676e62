//! The sum with a tiled second summand, and that summand's gradient.

use super::Run;
use super::activation::activate;
use crate::backend::cpu::context::Context;
use crate::backend::cpu::operands::{Operands, slice_of, slice_of_mut};
use crate::backend::cpu::threads::elementwise_rows;
use crate::error::Result;
use crate::kernel::{AddBackward, AddForward, TiledAdd};
use ndarray::{Zip, s};

impl Run for AddForward {
    fn run(&self, mut operands: Operands, context: &mut Context) -> Result<()> {
        let TiledAdd { pixels, channels, tile } = self.add;
        let first = operands.pixels(pixels, channels)?;
        let second = operands.pixels(pixels, tile)?;
        let output = operands.pixels_mut(pixels, channels)?;
        context.pool.chunks([output], elementwise_rows(channels), |range, [mut output]| {
            let (first, second) = (first.slice(s![range.clone(), ..]), second.slice(s![range, ..]));
            for start in (0..channels).step_by(tile) {
                let of_tile = s![.., start..start + tile];
                Zip::from(output.slice_mut(of_tile))
                    .and(first.slice(of_tile))
                    .and(second)
                    .for_each(|sum, a, b| *sum = a + b);
            }
            activate(self.activation, output);
        });
        Ok(())
    }
}

impl Run for AddBackward {
    fn run(&self, mut operands: Operands, context: &mut Context) -> Result<()> {
        let TiledAdd { pixels, channels, tile } = self.add;
        let grad_output = operands.pixels(pixels, channels)?;
        let grad_second = operands.pixels_mut(pixels, tile)?;
        context.pool.chunks([grad_second], elementwise_rows(tile), |range, [mut grad_second]| {
            if !self.accumulate {
                grad_second.fill(0.0);
            }
            let gradient = slice_of(grad_output.slice(s![range, ..]));
            let pixels = slice_of_mut(grad_second).chunks_exact_mut(tile);
            for (sums, gradient) in pixels.zip(gradient.chunks_exact(channels)) {
                for tile in gradient.chunks_exact(tile) {
                    sums.iter_mut().zip(tile).for_each(|(sum, gradient)| *sum += gradient);
                }
            }
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::cpu::run_alone;
    use crate::kernel::Activation;

    const ADD: TiledAdd = TiledAdd { pixels: 2, channels: 2, tile: 1 };

    #[test]
    fn repeats_the_second_summand() {
        let mut output = [9.0; 4];
        let kernel = AddForward { add: ADD, activation: Activation::Relu };
        run_alone(kernel, 1, &[&[1.0, 2.0, 3.0, 4.0], &[10.0, -20.0]], &mut [&mut output]);
        assert_eq!(output, [11.0, 12.0, 0.0, 0.0]);
    }

    #[test]
    fn the_gradient_sums_the_tiles() {
        for (accumulate, expected) in [(false, [3.0, 7.0]), (true, [4.0, 8.0])] {
            let mut output = [1.0; 2];
            let kernel = AddBackward { add: ADD, accumulate };
            run_alone(kernel, 1, &[&[1.0, 2.0, 3.0, 4.0]], &mut [&mut output]);
            assert_eq!(output, expected);
        }
    }
}
