//! Vectors of f32 behind one small trait, so that each inner loop is written once, and the choice of instructions: at
//! compile time in wasm and on AArch64, by asking the processor on x86-64.

#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm;
#[cfg(target_arch = "x86_64")]
mod x86;

/// A vector type with the few operations that the inner loops need.
///
/// # Safety
/// Of all methods: the processor has the instructions that the implementing type stands for, and pointers are good for
/// [`Simd::LANES`] numbers.
pub(super) trait Simd: Copy {
    /// The vector.
    type Vector: Copy;
    /// Vectors of half the length, or the same where there are none.
    type Half: Simd;
    /// Numbers in a vector.
    const LANES: usize;
    /// Vectors that the processor holds in registers.
    const REGISTERS: usize;

    /// All lanes `x`.
    unsafe fn splat(x: f32) -> Self::Vector;
    /// The numbers at `from`, which need not be aligned.
    unsafe fn load(from: *const f32) -> Self::Vector;
    /// Stores to `to`, which need not be aligned.
    unsafe fn store(to: *mut f32, vector: Self::Vector);
    /// `a · b + c`, rounded once or twice.
    unsafe fn mul_add(a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
}

/// Work that wants the longest vectors; `run` has to be `#[inline(always)]` so that it is compiled for them.
pub(super) trait Vectorized {
    /// Does it with vectors `S`.
    ///
    /// # Safety
    /// The processor has the instructions that `S` stands for.
    unsafe fn run<S: Simd>(self);
}

/// Instructions that the processor has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Instructions {
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(not(target_arch = "aarch64"))]
    Baseline,
    #[cfg(target_arch = "aarch64")]
    Neon,
}

impl Instructions {
    /// The best that this processor has.
    pub(super) fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
            if avx2 && is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vl") {
                return Self::Avx512;
            }
            if avx2 {
                return Self::Avx2;
            }
        }
        #[cfg(target_arch = "aarch64")]
        return Self::Neon;
        #[cfg(not(target_arch = "aarch64"))]
        Self::Baseline
    }

    /// Numbers in the longest vector.
    pub(super) fn lanes(self) -> usize {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => 16,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => 8,
            #[cfg(not(target_arch = "aarch64"))]
            Self::Baseline => 4,
            #[cfg(target_arch = "aarch64")]
            Self::Neon => 4,
        }
    }

    /// Does `work`, compiled for these instructions.
    pub(super) fn vectorize(self, work: impl Vectorized) {
        // SAFETY: only `detect` makes a value, from what the processor says.
        unsafe {
            match self {
                #[cfg(target_arch = "x86_64")]
                Self::Avx512 => x86::with_avx512(work),
                #[cfg(target_arch = "x86_64")]
                Self::Avx2 => x86::with_avx2(work),
                #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
                Self::Baseline => work.run::<wasm::Simd128>(),
                #[cfg(not(any(
                    target_arch = "aarch64",
                    all(target_arch = "wasm32", target_feature = "simd128")
                )))]
                Self::Baseline => work.run::<portable::Portable>(),
                #[cfg(target_arch = "aarch64")]
                Self::Neon => work.run::<neon::Neon>(),
            }
        }
    }

    /// Calls `work` compiled for these instructions, as far as the compiler finds vectors in it by itself.
    pub(super) fn enable(self, work: impl FnOnce()) {
        self.vectorize(Plain(work));
    }
}

struct Plain<F>(F);

impl<F: FnOnce()> Vectorized for Plain<F> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        (self.0)();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Check<'a>(&'a mut Vec<f32>);

    impl Vectorized for Check<'_> {
        #[inline(always)]
        unsafe fn run<S: Simd>(self) {
            let numbers: Vec<f32> = (0..S::LANES).map(|lane| lane as f32).collect();
            self.0.resize(S::LANES, 0.0);
            // SAFETY: both hold LANES numbers.
            unsafe {
                let vector = S::load(numbers.as_ptr());
                let sum = S::mul_add(vector, S::splat(2.0), S::splat(1.0));
                S::store(self.0.as_mut_ptr(), sum);
            }
        }
    }

    #[test]
    fn vectors_hold_as_many_lanes_as_stated() {
        let mut numbers = Vec::new();
        Instructions::detect().vectorize(Check(&mut numbers));
        assert_eq!(numbers.len(), Instructions::detect().lanes());
        assert!(numbers.iter().enumerate().all(|(lane, &x)| x == 2.0 * lane as f32 + 1.0));
    }
}
