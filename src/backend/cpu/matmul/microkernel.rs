//! The innermost loops of a product: a tile of pixels × one panel of channels, whose sums stay in registers.

use crate::backend::cpu::simd::{Simd, map_lanes};
use crate::kernel::Activation;

/// Numbers of the largest tile.
pub(crate) const MOST_SUMS: usize = 8 * 32;

/// Where the rows of a window lie, counted from its first element.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WindowRows {
    /// Rows.
    pub(crate) count: usize,
    /// Elements of a row.
    pub(crate) len: usize,
    /// From one row to the next.
    pub(crate) stride: usize,
}

/// Sums a tile: `pixels` are the first elements of windows of the given `rows`.
///
/// # Safety
/// As [`Simd`]; windows and `weights` (patch elements × panel) are readable, `sums` (pixels × panel) is writable.
#[inline(always)]
pub(crate) unsafe fn tile_sums<S: Simd, const PIXELS: usize, const WIDTH: usize>(
    pixels: [*const f32; PIXELS],
    rows: WindowRows,
    mut weights: *const f32,
    sums: *mut f32,
) {
    // SAFETY: by the caller's promise.
    unsafe {
        let mut acc = [[S::splat(0.0); WIDTH]; PIXELS];
        for row in 0..rows.count {
            // Pointers that move: what is added to them inside a step is constant, and so part of the load.
            let mut pixels = pixels.map(|pixel| pixel.add(row * rows.stride));
            for _ in 0..rows.len / S::UNROLLED {
                for k in 0..S::UNROLLED {
                    step::<S, PIXELS, WIDTH>(&mut acc, pixels, k, weights);
                }
                weights = weights.add(S::UNROLLED * WIDTH * S::LANES);
                pixels = pixels.map(|pixel| pixel.add(S::UNROLLED));
            }
            for _ in 0..rows.len % S::UNROLLED {
                step::<S, PIXELS, WIDTH>(&mut acc, pixels, 0, weights);
                weights = weights.add(WIDTH * S::LANES);
                pixels = pixels.map(|pixel| pixel.add(1));
            }
        }
        for (i, acc) in acc.iter().enumerate() {
            for (v, &vector) in acc.iter().enumerate() {
                S::store(sums.add((i * WIDTH + v) * S::LANES), vector);
            }
        }
    }
}

/// Adds number `k` of each window times row `k` of weights.
///
/// # Safety
/// As [`tile_sums`].
#[inline(always)]
unsafe fn step<S: Simd, const PIXELS: usize, const WIDTH: usize>(
    acc: &mut [[S::Vector; WIDTH]; PIXELS],
    pixels: [*const f32; PIXELS],
    k: usize,
    weights: *const f32,
) {
    // SAFETY: by the caller's promise.
    unsafe {
        let mut columns = [S::splat(0.0); WIDTH];
        for (v, column) in columns.iter_mut().enumerate() {
            *column = S::load(weights.add((k * WIDTH + v) * S::LANES));
        }
        for (acc, pixel) in acc.iter_mut().zip(pixels) {
            let x = S::splat(*pixel.add(k));
            for (acc, column) in acc.iter_mut().zip(columns) {
                *acc = S::mul_add(x, column, *acc);
            }
        }
    }
}

/// Makes `activation(sum + bias)` of the sums of `pixels` pixels.
///
/// # Safety
/// As [`Simd`]; `sums` holds the pixels, `bias` one of them.
#[inline(always)]
pub(crate) unsafe fn add_bias_and_activate<S: Simd, const WIDTH: usize>(
    sums: &mut [f32; MOST_SUMS],
    pixels: usize,
    bias: *const f32,
    activation: Activation,
) {
    // SAFETY: by the caller's promise.
    unsafe {
        for pixel in 0..pixels {
            for vector in 0..WIDTH {
                let sum = sums.as_mut_ptr().add((pixel * WIDTH + vector) * S::LANES);
                let biased = S::add(S::load(sum), S::load(bias.add(vector * S::LANES)));
                S::store(sum, activate::<S>(activation, biased));
            }
        }
    }
}

/// A vector of the activation's values.
///
/// # Safety
/// As [`Simd`].
#[inline(always)]
pub(crate) unsafe fn activate<S: Simd>(activation: Activation, x: S::Vector) -> S::Vector {
    // SAFETY: by the caller's promise.
    unsafe {
        match activation {
            Activation::None => x,
            Activation::Relu => S::relu(x),
            other => map_lanes::<S>(x, x, |x, _| other.apply(x)),
        }
    }
}
