//! Vectors of f32 behind one small trait, so that each inner loop is written once.

/// A vector type with the few operations that the inner loops need.
///
/// # Safety
/// Of all methods: the processor has the instructions that the implementing type stands for, and pointers are good for
/// [`Simd::LANES`] numbers.
pub(super) trait Simd: Copy {
    /// The vector.
    type Vector: Copy;
    /// Numbers in a vector.
    const LANES: usize;

    /// All lanes `x`.
    unsafe fn splat(x: f32) -> Self::Vector;
    /// The numbers at `from`, which need not be aligned.
    unsafe fn load(from: *const f32) -> Self::Vector;
    /// Stores to `to`, which need not be aligned.
    unsafe fn store(to: *mut f32, vector: Self::Vector);
    /// `a · b + c`, rounded once or twice.
    unsafe fn mul_add(a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
}

/// Four plain numbers: what every target has.
#[derive(Clone, Copy)]
pub(super) struct Portable;

impl Simd for Portable {
    type Vector = [f32; 4];
    const LANES: usize = 4;

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
}
