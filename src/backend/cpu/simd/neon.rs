//! 128-bit vectors of AArch64, which every such processor has.

use super::Simd;
use core::arch::aarch64::*;

#[derive(Clone, Copy)]
pub(super) struct Neon;

impl Simd for Neon {
    type Vector = float32x4_t;
    type Half = Self;
    const LANES: usize = 4;
    const TILE: usize = 8;

    #[inline(always)]
    unsafe fn splat(x: f32) -> float32x4_t {
        // SAFETY: NEON is there.
        unsafe { vdupq_n_f32(x) }
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> float32x4_t {
        // SAFETY: by the trait's contract.
        unsafe { vld1q_f32(from) }
    }

    #[inline(always)]
    unsafe fn store(to: *mut f32, vector: float32x4_t) {
        // SAFETY: by the trait's contract.
        unsafe { vst1q_f32(to, vector) }
    }

    #[inline(always)]
    unsafe fn mul_add(a: float32x4_t, b: float32x4_t, c: float32x4_t) -> float32x4_t {
        // SAFETY: NEON is there.
        unsafe { vfmaq_f32(c, a, b) }
    }

    #[inline(always)]
    unsafe fn add(a: float32x4_t, b: float32x4_t) -> float32x4_t {
        // SAFETY: as above.
        unsafe { vaddq_f32(a, b) }
    }

    #[inline(always)]
    unsafe fn relu(x: float32x4_t) -> float32x4_t {
        // SAFETY: as above; this maximum lets NaN through.
        unsafe { vmaxq_f32(x, vdupq_n_f32(0.0)) }
    }

    #[inline(always)]
    unsafe fn where_positive(condition: float32x4_t, x: float32x4_t) -> float32x4_t {
        // SAFETY: as above.
        unsafe {
            let positive = vcgtq_f32(condition, vdupq_n_f32(0.0));
            vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(x), positive))
        }
    }

    #[inline(always)]
    unsafe fn larger([a, p]: [float32x4_t; 2], [b, q]: [float32x4_t; 2]) -> [float32x4_t; 2] {
        // SAFETY: as above.
        unsafe {
            let larger = vorrq_u32(vcgtq_f32(a, b), vmvnq_u32(vceqq_f32(a, a)));
            [vbslq_f32(larger, a, b), vbslq_f32(larger, p, q)]
        }
    }
}
