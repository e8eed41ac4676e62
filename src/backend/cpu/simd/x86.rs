//! 512-, 256- and 128-bit vectors of x86-64, with fused multiply-add.

use super::{Simd, Vectorized};
use core::arch::x86_64::*;

/// # Safety
/// The processor has AVX-512 F and VL, AVX2 and FMA.
#[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
pub(super) unsafe fn with_avx512(work: impl Vectorized) {
    // SAFETY: by the caller's promise.
    unsafe { work.run::<Avx512>() }
}

/// # Safety
/// The processor has AVX2 and FMA.
#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn with_avx2(work: impl Vectorized) {
    // SAFETY: by the caller's promise.
    unsafe { work.run::<Avx2>() }
}

#[derive(Clone, Copy)]
pub(super) struct Avx512;

impl Simd for Avx512 {
    type Vector = __m512;
    type Half = Avx2;
    const LANES: usize = 16;
    const TILE: usize = 8;

    #[inline(always)]
    unsafe fn splat(x: f32) -> __m512 {
        // SAFETY: by the trait's contract, as in all methods here.
        unsafe { _mm512_set1_ps(x) }
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> __m512 {
        // SAFETY: as above.
        unsafe { _mm512_loadu_ps(from) }
    }

    #[inline(always)]
    unsafe fn store(to: *mut f32, vector: __m512) {
        // SAFETY: as above.
        unsafe { _mm512_storeu_ps(to, vector) }
    }

    #[inline(always)]
    unsafe fn mul_add(a: __m512, b: __m512, c: __m512) -> __m512 {
        // SAFETY: as above.
        unsafe { _mm512_fmadd_ps(a, b, c) }
    }

    #[inline(always)]
    unsafe fn add(a: __m512, b: __m512) -> __m512 {
        // SAFETY: as above.
        unsafe { _mm512_add_ps(a, b) }
    }

    #[inline(always)]
    unsafe fn relu(x: __m512) -> __m512 {
        // SAFETY: as above; of a NaN and a number this maximum is its second operand.
        unsafe { _mm512_max_ps(_mm512_setzero_ps(), x) }
    }

    #[inline(always)]
    unsafe fn where_positive(condition: __m512, x: __m512) -> __m512 {
        // SAFETY: as above.
        unsafe {
            let positive = _mm512_cmp_ps_mask::<_CMP_GT_OQ>(condition, _mm512_setzero_ps());
            _mm512_maskz_mov_ps(positive, x)
        }
    }

    #[inline(always)]
    unsafe fn load_first(from: *const f32, count: usize) -> __m512 {
        // SAFETY: as above; numbers that the mask leaves out are not read.
        unsafe { _mm512_maskz_loadu_ps(first(count), from) }
    }

    #[inline(always)]
    unsafe fn store_first(to: *mut f32, vector: __m512, count: usize) {
        // SAFETY: as above; numbers that the mask leaves out are not written.
        unsafe { _mm512_mask_storeu_ps(to, first(count), vector) }
    }

    #[inline(always)]
    unsafe fn larger([a, p]: [__m512; 2], [b, q]: [__m512; 2]) -> [__m512; 2] {
        // SAFETY: as above.
        unsafe {
            let larger =
                _mm512_cmp_ps_mask::<_CMP_GT_OQ>(a, b) | _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(a, a);
            [_mm512_mask_blend_ps(larger, b, a), _mm512_mask_blend_ps(larger, q, p)]
        }
    }
}

/// The mask of the first `count` lanes.
#[inline(always)]
fn first(count: usize) -> u16 {
    ((1u32 << count.min(16)) - 1) as u16
}

#[derive(Clone, Copy)]
pub(super) struct Avx2;

impl Simd for Avx2 {
    type Vector = __m256;
    type Half = Sse;
    const LANES: usize = 8;
    const TILE: usize = 6;

    #[inline(always)]
    unsafe fn splat(x: f32) -> __m256 {
        // SAFETY: by the trait's contract, as in all methods here.
        unsafe { _mm256_set1_ps(x) }
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> __m256 {
        // SAFETY: as above.
        unsafe { _mm256_loadu_ps(from) }
    }

    #[inline(always)]
    unsafe fn store(to: *mut f32, vector: __m256) {
        // SAFETY: as above.
        unsafe { _mm256_storeu_ps(to, vector) }
    }

    #[inline(always)]
    unsafe fn mul_add(a: __m256, b: __m256, c: __m256) -> __m256 {
        // SAFETY: as above.
        unsafe { _mm256_fmadd_ps(a, b, c) }
    }

    #[inline(always)]
    unsafe fn add(a: __m256, b: __m256) -> __m256 {
        // SAFETY: as above.
        unsafe { _mm256_add_ps(a, b) }
    }

    #[inline(always)]
    unsafe fn relu(x: __m256) -> __m256 {
        // SAFETY: as above; of a NaN and a number this maximum is its second operand.
        unsafe { _mm256_max_ps(_mm256_setzero_ps(), x) }
    }

    #[inline(always)]
    unsafe fn where_positive(condition: __m256, x: __m256) -> __m256 {
        // SAFETY: as above.
        unsafe { _mm256_and_ps(x, _mm256_cmp_ps::<_CMP_GT_OQ>(condition, _mm256_setzero_ps())) }
    }

    #[inline(always)]
    unsafe fn larger([a, p]: [__m256; 2], [b, q]: [__m256; 2]) -> [__m256; 2] {
        // SAFETY: as above.
        unsafe {
            let larger = _mm256_or_ps(
                _mm256_cmp_ps::<_CMP_GT_OQ>(a, b),
                _mm256_cmp_ps::<_CMP_UNORD_Q>(a, a),
            );
            [_mm256_blendv_ps(b, a, larger), _mm256_blendv_ps(q, p, larger)]
        }
    }
}

/// The 128-bit vectors of a processor with FMA.
#[derive(Clone, Copy)]
pub(super) struct Sse;

impl Simd for Sse {
    type Vector = __m128;
    type Half = Self;
    const LANES: usize = 4;
    const TILE: usize = 6;

    #[inline(always)]
    unsafe fn splat(x: f32) -> __m128 {
        // SAFETY: by the trait's contract, as in all methods here.
        unsafe { _mm_set1_ps(x) }
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> __m128 {
        // SAFETY: as above.
        unsafe { _mm_loadu_ps(from) }
    }

    #[inline(always)]
    unsafe fn store(to: *mut f32, vector: __m128) {
        // SAFETY: as above.
        unsafe { _mm_storeu_ps(to, vector) }
    }

    #[inline(always)]
    unsafe fn mul_add(a: __m128, b: __m128, c: __m128) -> __m128 {
        // SAFETY: as above.
        unsafe { _mm_fmadd_ps(a, b, c) }
    }

    #[inline(always)]
    unsafe fn add(a: __m128, b: __m128) -> __m128 {
        // SAFETY: as above.
        unsafe { _mm_add_ps(a, b) }
    }

    #[inline(always)]
    unsafe fn relu(x: __m128) -> __m128 {
        // SAFETY: as above; of a NaN and a number this maximum is its second operand.
        unsafe { _mm_max_ps(_mm_setzero_ps(), x) }
    }

    #[inline(always)]
    unsafe fn where_positive(condition: __m128, x: __m128) -> __m128 {
        // SAFETY: as above.
        unsafe { _mm_and_ps(x, _mm_cmpgt_ps(condition, _mm_setzero_ps())) }
    }

    #[inline(always)]
    unsafe fn larger([a, p]: [__m128; 2], [b, q]: [__m128; 2]) -> [__m128; 2] {
        // SAFETY: as above.
        unsafe {
            let larger = _mm_or_ps(_mm_cmpgt_ps(a, b), _mm_cmpunord_ps(a, a));
            [_mm_blendv_ps(b, a, larger), _mm_blendv_ps(q, p, larger)]
        }
    }
}
