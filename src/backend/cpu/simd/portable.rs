//! Four plain numbers: what every target has.
#![allow(dead_code, reason = "the whole of it is only used where no vector instructions are known")]

use super::Simd;

#[derive(Clone, Copy)]
pub(super) struct Portable;

impl Simd for Portable {
    type Vector = [f32; 4];
    type Half = Self;
    const LANES: usize = 4;
    const TILE: usize = 4;

    #[inline(always)]
    unsafe fn splat(x: f32) -> [f32; 4] {
        [x; 4]
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> [f32; 4] {
        // SAFETY: by the trait's contract.
        unsafe { from.cast::<[f32; 4]>().read_unaligned() }
    }

    #[inline(always)]
    unsafe fn store(to: *mut f32, vector: [f32; 4]) {
        // SAFETY: by the trait's contract.
        unsafe { to.cast::<[f32; 4]>().write_unaligned(vector) }
    }

    #[inline(always)]
    unsafe fn mul_add(a: [f32; 4], b: [f32; 4], c: [f32; 4]) -> [f32; 4] {
        [a[0] * b[0] + c[0], a[1] * b[1] + c[1], a[2] * b[2] + c[2], a[3] * b[3] + c[3]]
    }

    #[inline(always)]
    unsafe fn add(a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
        [a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3]]
    }

    #[inline(always)]
    unsafe fn relu(x: [f32; 4]) -> [f32; 4] {
        x.map(|x| if x < 0.0 { 0.0 } else { x })
    }

    #[inline(always)]
    unsafe fn where_positive(condition: [f32; 4], x: [f32; 4]) -> [f32; 4] {
        std::array::from_fn(|lane| if condition[lane] > 0.0 { x[lane] } else { 0.0 })
    }

    #[inline(always)]
    unsafe fn larger([a, p]: [[f32; 4]; 2], [b, q]: [[f32; 4]; 2]) -> [[f32; 4]; 2] {
        let larger = |lane: usize| a[lane] > b[lane] || a[lane].is_nan();
        let select = |a: [f32; 4], b: [f32; 4]| {
            std::array::from_fn(|lane| if larger(lane) { a[lane] } else { b[lane] })
        };
        [select(a, b), select(p, q)]
    }
}
