//! One part of a concatenation along the channels, and its gradient.

use super::Run;
use crate::backend::cpu::context::Context;
use crate::backend::cpu::operands::{Operands, slice_of, slice_of_mut};
use crate::backend::cpu::threads::elementwise_rows;
use crate::error::Result;
use crate::kernel::{ConcatBackward, ConcatForward, Part};
use ndarray::s;

impl Run for ConcatForward {
    fn run(&self, mut operands: Operands, context: &mut Context) -> Result<()> {
        let Part { pixels, channels, first, count } = self.part;
        let part = operands.pixels(pixels, count)?;
        let whole = operands.pixels_mut(pixels, channels)?;
        context.pool.chunks([whole], elementwise_rows(channels), |range, [whole]| {
            let parts = slice_of(part.slice(s![range, ..])).chunks_exact(count);
            let wholes = slice_of_mut(whole).chunks_exact_mut(channels);
            for (whole, part) in wholes.zip(parts) {
                short_copy(part, &mut whole[first..first + count]);
            }
        });
        Ok(())
    }
}

impl Run for ConcatBackward {
    fn run(&self, mut operands: Operands, context: &mut Context) -> Result<()> {
        let Part { pixels, channels, first, count } = self.part;
        let grad_whole = operands.pixels(pixels, channels)?;
        let grad_part = operands.pixels_mut(pixels, count)?;
        context.pool.chunks([grad_part], elementwise_rows(count), |range, [mut grad_part]| {
            let gradient = grad_whole.slice(s![range, first..first + count]);
            if self.accumulate {
                grad_part += &gradient;
                return;
            }
            let parts = slice_of_mut(grad_part).chunks_exact_mut(count);
            for (part, gradient) in parts.zip(gradient.rows()) {
                short_copy(gradient.to_slice().unwrap_or_default(), part);
            }
        });
        Ok(())
    }
}

// A copy of a length that is known only when it runs is a call, and costs more than what it copies. Lengths that are frequent,
// those of the inception modules, are loads and stores on the spot.

/// Copies `from` to `to`, of the same length.
///
/// # Panics
/// Where the lengths differ.
#[inline(always)]
fn short_copy(from: &[f32], to: &mut [f32]) {
    assert_eq!(from.len(), to.len());
    match to.len() {
        4 => fixed::<4>(from, to),
        6 => fixed::<6>(from, to),
        8 => fixed::<8>(from, to),
        12 => fixed::<12>(from, to),
        16 => fixed::<16>(from, to),
        20 => fixed::<20>(from, to),
        _ => to.copy_from_slice(from),
    }
}

#[inline(always)]
fn fixed<const LEN: usize>(from: &[f32], to: &mut [f32]) {
    if let (Some(from), Some(to)) = (from.first_chunk::<LEN>(), to.first_chunk_mut::<LEN>()) {
        *to = *from;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::cpu::run_alone;

    #[test]
    fn writes_its_channels_only() {
        let part = Part { pixels: 2, channels: 3, first: 1, count: 1 };
        let mut whole = [0.0; 6];
        run_alone(ConcatForward { part }, 1, &[&[1.0, 2.0]], &mut [&mut whole]);
        assert_eq!(whole, [0.0, 1.0, 0.0, 0.0, 2.0, 0.0]);
    }

    #[test]
    fn the_gradient_is_of_its_channels_only() {
        let part = Part { pixels: 2, channels: 3, first: 1, count: 2 };
        let whole: Vec<f32> = (0..6).map(|x| x as f32).collect();
        for (accumulate, expected) in [(false, [1., 2., 4., 5.]), (true, [2., 3., 5., 6.])] {
            let mut output = [1.0; 4];
            run_alone(ConcatBackward { part, accumulate }, 1, &[&whole], &mut [&mut output]);
            assert_eq!(output, expected);
        }
    }

    #[test]
    fn copies_any_length() {
        let from: Vec<f32> = (0..40).map(|x| x as f32).collect();
        for len in 0..40 {
            let mut to = [-1.0; 40];
            short_copy(&from[..len], &mut to[..len]);
            assert_eq!(to[..len], from[..len]);
            assert!(to[len..].iter().all(|&x| x == -1.0));
        }
    }
}
