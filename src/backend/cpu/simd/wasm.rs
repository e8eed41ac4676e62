//! 128-bit vectors of WebAssembly; with relaxed SIMD the multiply-add is fused where the machine has it.

use super::Simd;
use core::arch::wasm32::*;

#[derive(Clone, Copy)]
pub(super) struct Simd128;

impl Simd for Simd128 {
    type Vector = v128;
    type Half = Self;
    const LANES: usize = 4;
    const TILE: usize = 4;
    const NARROW_TILE: usize = 6;
    // LLVM orders the sums of several steps one after the other, whose operands browsers then cannot hold in registers.
    const UNROLLED: usize = 1;

    #[inline(always)]
    unsafe fn splat(x: f32) -> v128 {
        f32x4_splat(x)
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> v128 {
        // SAFETY: by the trait's contract; the instruction takes any alignment.
        unsafe { v128_load(from.cast()) }
    }

    #[inline(always)]
    unsafe fn store(to: *mut f32, vector: v128) {
        // SAFETY: by the trait's contract; the instruction takes any alignment.
        unsafe { v128_store(to.cast(), vector) }
    }

    #[inline(always)]
    unsafe fn mul_add(a: v128, b: v128, c: v128) -> v128 {
        #[cfg(target_feature = "relaxed-simd")]
        return f32x4_relaxed_madd(a, b, c);
        #[cfg(not(target_feature = "relaxed-simd"))]
        return f32x4_add(f32x4_mul(a, b), c);
    }

    #[inline(always)]
    unsafe fn add(a: v128, b: v128) -> v128 {
        f32x4_add(a, b)
    }

    #[inline(always)]
    unsafe fn relu(x: v128) -> v128 {
        // `x < 0 ? 0 : x`, which lets NaN through.
        f32x4_pmax(x, f32x4_splat(0.0))
    }

    #[inline(always)]
    unsafe fn where_positive(condition: v128, x: v128) -> v128 {
        v128_and(x, f32x4_gt(condition, f32x4_splat(0.0)))
    }

    #[inline(always)]
    unsafe fn larger([a, p]: [v128; 2], [b, q]: [v128; 2]) -> [v128; 2] {
        let larger = v128_or(f32x4_gt(a, b), f32x4_ne(a, a));
        [v128_bitselect(a, b, larger), v128_bitselect(p, q, larger)]
    }
}
