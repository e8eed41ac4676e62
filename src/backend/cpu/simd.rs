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
/// [`Simd::LANES`] elements.
pub(crate) trait Simd: Copy {
    /// The vector.
    type Vector: Copy;
    /// Vectors of half the length, or the same where there are none.
    type Half: Simd;
    /// Numbers in a vector.
    const LANES: usize;
    /// Rows of the largest tile, two vectors wide, whose sums stay in registers.
    const TILE: usize;
    /// Rows of the largest tile one vector wide.
    const NARROW_TILE: usize = 8;
    /// Steps of an inner loop that are written out one after the other.
    const UNROLLED: usize = 4;

    /// All lanes `x`.
    unsafe fn splat(x: f32) -> Self::Vector;
    /// The elements at `from`, which need not be aligned.
    unsafe fn load(from: *const f32) -> Self::Vector;
    /// Stores to `to`, which need not be aligned.
    unsafe fn store(to: *mut f32, vector: Self::Vector);
    /// `a · b + c`, rounded once or twice.
    unsafe fn mul_add(a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
    /// `a + b`.
    unsafe fn add(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// 0 where `x` is negative; NaN stays NaN.
    unsafe fn relu(x: Self::Vector) -> Self::Vector;
    /// `x` where `condition` is above 0, else 0.
    unsafe fn where_positive(condition: Self::Vector, x: Self::Vector) -> Self::Vector;
    /// `[a, p]` where `a` is larger than `b` or NaN, else `[b, q]`, lane by lane, of `[a, p]` and `[b, q]`.
    unsafe fn larger(ap: [Self::Vector; 2], bq: [Self::Vector; 2]) -> [Self::Vector; 2];

    /// As [`Simd::load`], or [`Simd::load_first`] of less than a vector.
    #[inline(always)]
    unsafe fn load_up_to(from: *const f32, count: usize) -> Self::Vector {
        // SAFETY: by the caller's promise.
        unsafe {
            if count == Self::LANES { Self::load(from) } else { Self::load_first(from, count) }
        }
    }

    /// As [`Simd::store`], or [`Simd::store_first`] of less than a vector.
    #[inline(always)]
    unsafe fn store_up_to(to: *mut f32, vector: Self::Vector, count: usize) {
        // SAFETY: by the caller's promise.
        unsafe {
            if count == Self::LANES {
                Self::store(to, vector);
            } else {
                Self::store_first(to, vector, count);
            }
        }
    }

    /// The first `count` elements at `from`, which need not hold more; zeros after them.
    #[inline(always)]
    unsafe fn load_first(from: *const f32, count: usize) -> Self::Vector {
        let mut values = [0.0; MOST_LANES];
        for (lane, value) in values.iter_mut().enumerate().take(Self::LANES) {
            if lane < count {
                // SAFETY: by the caller's promise.
                *value = unsafe { *from.add(lane) };
            }
        }
        // SAFETY: the array is long enough.
        unsafe { Self::load(values.as_ptr()) }
    }

    /// Stores the first `count` elements to `to`, which need not hold more.
    #[inline(always)]
    unsafe fn store_first(to: *mut f32, vector: Self::Vector, count: usize) {
        let mut values = [0.0; MOST_LANES];
        // SAFETY: the array is long enough.
        unsafe { Self::store(values.as_mut_ptr(), vector) };
        for (lane, &value) in values.iter().enumerate().take(Self::LANES) {
            if lane < count {
                // SAFETY: by the caller's promise.
                unsafe { *to.add(lane) = value };
            }
        }
    }
}

/// Lanes of the longest vector.
pub(crate) const MOST_LANES: usize = 16;

/// A vector of `map(x, y)`, for functions that have no vector instruction.
///
/// # Safety
/// As [`Simd`].
#[inline(always)]
pub(crate) unsafe fn map_lanes<S: Simd>(
    x: S::Vector,
    y: S::Vector,
    map: impl Fn(f32, f32) -> f32,
) -> S::Vector {
    let (mut xs, mut ys) = ([0.0; MOST_LANES], [0.0; MOST_LANES]);
    // SAFETY: both arrays hold a vector.
    unsafe {
        S::store(xs.as_mut_ptr(), x);
        S::store(ys.as_mut_ptr(), y);
        for (x, y) in xs.iter_mut().zip(ys).take(S::LANES) {
            *x = map(*x, y);
        }
        S::load(xs.as_ptr())
    }
}

/// Work that wants the longest vectors; `run` has to be `#[inline(always)]` so that it is compiled for them.
pub(crate) trait Vectorized {
    /// Does it with vectors `S`.
    ///
    /// # Safety
    /// The processor has the instructions that `S` stands for.
    unsafe fn run<S: Simd>(self);
}

/// Instructions that the processor has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Instructions {
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
    pub(crate) fn detect() -> Self {
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
    pub(crate) fn lanes(self) -> usize {
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
    pub(crate) fn vectorize(self, work: impl Vectorized) {
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
    pub(crate) fn enable(self, work: impl FnOnce()) {
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
            let values: Vec<f32> = (0..S::LANES).map(|lane| lane as f32).collect();
            self.0.resize(S::LANES, 0.0);
            // SAFETY: both hold LANES elements.
            unsafe {
                let vector = S::load(values.as_ptr());
                let sum = S::mul_add(vector, S::splat(2.0), S::splat(1.0));
                S::store(self.0.as_mut_ptr(), sum);
            }
            check_lanes::<S>();
        }
    }

    /// Each operation is compared with its definition, lane by lane.
    #[inline(always)]
    fn check_lanes<S: Simd>() {
        let values = [f32::NAN, -1.5, 0.0, 2.0].repeat(4);
        let mut found = [9.0; MOST_LANES + 1];
        let to = found.as_mut_ptr();
        // SAFETY: all hold LANES elements and more.
        unsafe {
            let x = S::load(values.as_ptr());
            S::store(to, S::relu(x));
            assert!(found[0].is_nan() && found[1..4] == [0.0, 0.0, 2.0], "{found:?}");
            S::store(to, S::where_positive(x, S::splat(3.0)));
            assert_eq!(found[..4], [0.0, 0.0, 0.0, 3.0]);
            let (two, three) = (S::splat(2.0), S::splat(3.0));
            let [larger, position] = S::larger([x, two], [S::splat(-1.0), three]);
            S::store(to, larger);
            assert!(found[0].is_nan() && found[1..4] == [-1.0, 0.0, 2.0], "{found:?}");
            S::store(to, position);
            assert_eq!(found[..4], [2.0, 3.0, 2.0, 2.0]);
            S::store(to, S::larger([two, two], [x, three])[0]);
            assert!(found[0].is_nan() && found[1..4] == [2.0, 2.0, 2.0], "{found:?}");
            S::store(to, S::add(S::splat(1.0), x));
            assert!(found[0].is_nan() && found[1..4] == [-0.5, 1.0, 3.0], "{found:?}");
            for count in 0..S::LANES {
                let ones = vec![1.0; count];
                S::store(to, S::load_first(ones.as_ptr(), count));
                assert!(found[..count] == ones && found[count] == 0.0, "{count}: {found:?}");
                S::store_first(to, S::splat(4.0), count);
                assert!(found[..count].iter().all(|&x| x == 4.0) && found[count] == 0.0);
            }
        }
    }

    #[test]
    fn vectors_hold_as_many_lanes_as_stated() {
        let mut values = Vec::new();
        Instructions::detect().vectorize(Check(&mut values));
        assert_eq!(values.len(), Instructions::detect().lanes());
        assert!(values.iter().enumerate().all(|(lane, &x)| x == 2.0 * lane as f32 + 1.0));
    }
}
