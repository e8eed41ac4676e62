//! The epilogue of a matrix product, applied to its sums before they are stored: bias, activation and normalisation, or a gradient's mask.

use crate::backend::cpu::matmul::fused_moments::{Blocks, PanelMoments};
use crate::backend::cpu::matmul::microkernel::{MOST_SUMS, activate, add_bias_and_activate};
use crate::backend::cpu::simd::{MOST_LANES, Simd, map_lanes};
use crate::backend::cpu::threads::Disjoint;
use crate::kernel::Activation;
use std::ops::Range;

/// The operation on a sum before it is stored.
#[derive(Clone, Copy)]
pub(crate) enum Epilogue<'a> {
    /// `activation(sum + bias)`, and what a normalisation wants of it.
    Forward { bias: &'a [f32], activation: Activation, norm: NextNorm<'a> },
    /// The sum times the derivative of `activation` at `values`, laid out as the output; added to it where `accumulate`.
    Gradient { activation: Activation, values: &'a [f32], accumulate: bool },
}

/// The fusion that the normalisation after a convolution allows.
#[derive(Clone, Copy)]
pub(crate) enum NextNorm<'a> {
    /// Nothing, or there is none.
    Apart,
    /// Normalise: the statistics are known.
    Running(RunningNorm<'a>),
    /// Take the moments of the batch.
    Batch(&'a Blocks<'a>),
}

/// `activation(x · factor + offset)`, channel by channel.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RunningNorm<'a> {
    pub(crate) factors: &'a [f32],
    pub(crate) offsets: &'a [f32],
    pub(crate) activation: Activation,
}

/// An epilogue for one panel of channels.
pub(crate) struct Finish<'a> {
    epilogue: &'a Epilogue<'a>,
    /// Channels of the output.
    channels: Range<usize>,
    coefficients: Coefficients,
    output: &'a Disjoint<'a>,
}

/// Elements of a panel's channels, zeros beyond them.
struct Coefficients {
    bias: [f32; 2 * MOST_LANES],
    factors: [f32; 2 * MOST_LANES],
    offsets: [f32; 2 * MOST_LANES],
}

impl Coefficients {
    fn new(epilogue: &Epilogue, channels: &Range<usize>) -> Self {
        let own = |all: &[f32]| {
            let mut padded = [0.0; 2 * MOST_LANES];
            let own = all.get(channels.clone()).unwrap_or_default();
            padded[..own.len()].copy_from_slice(own);
            padded
        };
        let (bias, factors, offsets): (&[f32], &[f32], &[f32]) = match *epilogue {
            Epilogue::Forward { bias, norm: NextNorm::Running(norm), .. } => {
                (bias, norm.factors, norm.offsets)
            }
            Epilogue::Forward { bias, .. } => (bias, &[], &[]),
            Epilogue::Gradient { .. } => (&[], &[], &[]),
        };
        Self { bias: own(bias), factors: own(factors), offsets: own(offsets) }
    }
}

impl<'a> Finish<'a> {
    /// Prepares the epilogue of some channels of `output`.
    pub(crate) fn new(
        epilogue: &'a Epilogue<'a>,
        channels: Range<usize>,
        output: &'a Disjoint<'a>,
    ) -> Self {
        let coefficients = Coefficients::new(epilogue, &channels);
        Self { epilogue, channels, coefficients, output }
    }

    /// Finishes and stores the sums of some pixels, of a panel's channels each, at the `targets`; adds them to the moments
    /// where the batch's are taken.
    ///
    /// # Safety
    /// As [`Simd`]; the pixels' channels of the panel are this task's alone.
    #[inline(always)]
    pub(crate) unsafe fn run<S: Simd, const WIDTH: usize>(
        &self,
        sums: &mut [f32; MOST_SUMS],
        targets: &[usize],
        moments: &mut PanelMoments,
    ) {
        // SAFETY: by the caller's promise.
        unsafe {
            match *self.epilogue {
                Epilogue::Forward { activation, norm: NextNorm::Batch(_), .. } => {
                    let bias = self.coefficients.bias.as_ptr();
                    add_bias_and_activate::<S, WIDTH>(sums, targets.len(), bias, activation);
                    moments.add::<S, WIDTH>(sums.as_ptr(), targets.len());
                    self.each_vector::<S, WIDTH>(sums, targets, |finished, _, _| finished);
                }
                Epilogue::Forward { activation, norm: NextNorm::Running(norm), .. } => {
                    self.normalized::<S, WIDTH>(sums, targets, activation, norm.activation);
                }
                Epilogue::Forward { activation, norm: NextNorm::Apart, .. } => {
                    self.activated::<S, WIDTH>(sums, targets, activation);
                }
                Epilogue::Gradient { activation, values, accumulate } => {
                    let mask = Mask { activation, values };
                    self.gradient::<S, WIDTH>(sums, targets, mask, accumulate);
                }
            }
        }
    }

    /// Stores the moments of the panel's channels in a block, where they are taken.
    ///
    /// # Safety
    /// One task alone has these channels of this block.
    pub(crate) unsafe fn store_moments(&self, block: usize, moments: &PanelMoments) {
        if let Epilogue::Forward { norm: NextNorm::Batch(blocks), .. } = *self.epilogue {
            // SAFETY: by the caller's promise.
            unsafe { blocks.store(block, self.channels.clone(), moments) };
        }
    }

    /// # Safety
    /// As [`Finish::run`].
    #[inline(always)]
    unsafe fn activated<S: Simd, const WIDTH: usize>(
        &self,
        sums: &[f32],
        targets: &[usize],
        activation: Activation,
    ) {
        let bias = self.coefficients.bias.as_ptr();
        // SAFETY: by the caller's promise; coefficients hold the panel.
        unsafe {
            let biased = |sum, at: At| S::add(sum, S::load(bias.add(at.channel)));
            match activation {
                Activation::None => {
                    self.each_vector::<S, WIDTH>(sums, targets, |sum, at, _| biased(sum, at));
                }
                Activation::Relu => {
                    self.each_vector::<S, WIDTH>(sums, targets, |sum, at, _| {
                        S::relu(biased(sum, at))
                    });
                }
                other => {
                    self.each_vector::<S, WIDTH>(sums, targets, |sum, at, _| {
                        activate::<S>(other, biased(sum, at))
                    });
                }
            }
        }
    }

    /// # Safety
    /// As [`Finish::run`].
    #[inline(always)]
    unsafe fn normalized<S: Simd, const WIDTH: usize>(
        &self,
        sums: &[f32],
        targets: &[usize],
        activation: Activation,
        last: Activation,
    ) {
        let Coefficients { bias, factors, offsets } = &self.coefficients;
        let [bias, factors, offsets] = [bias, factors, offsets].map(|all| all.as_ptr());
        // SAFETY: by the caller's promise; coefficients hold the panel.
        unsafe {
            let biased = |sum, at: At| S::add(sum, S::load(bias.add(at.channel)));
            let normalized = |x, at: At| {
                let factor = S::load(factors.add(at.channel));
                S::mul_add(x, factor, S::load(offsets.add(at.channel)))
            };
            match (activation, last) {
                (Activation::Relu, Activation::None) => {
                    self.each_vector::<S, WIDTH>(sums, targets, |sum, at, _| {
                        normalized(S::relu(biased(sum, at)), at)
                    });
                }
                (Activation::None, Activation::Relu) => {
                    self.each_vector::<S, WIDTH>(sums, targets, |sum, at, _| {
                        S::relu(normalized(biased(sum, at), at))
                    });
                }
                (activation, last) => {
                    self.each_vector::<S, WIDTH>(sums, targets, |sum, at, _| {
                        let x = activate::<S>(activation, biased(sum, at));
                        activate::<S>(last, normalized(x, at))
                    });
                }
            }
        }
    }

    /// # Safety
    /// As [`Finish::run`].
    #[inline(always)]
    unsafe fn gradient<S: Simd, const WIDTH: usize>(
        &self,
        sums: &[f32],
        targets: &[usize],
        mask: Mask,
        accumulate: bool,
    ) {
        // SAFETY: by the caller's promise; `each_vector` gives places of at least `count` elements.
        unsafe {
            match (mask.activation, accumulate) {
                (Activation::None, false) => {
                    self.each_vector::<S, WIDTH>(sums, targets, |sum, _, _| sum);
                }
                (Activation::None, true) => {
                    self.each_vector::<S, WIDTH>(sums, targets, |sum, at, before| {
                        S::add(sum, S::load_up_to(before, at.count))
                    });
                }
                (activation, accumulate) => {
                    self.each_vector::<S, WIDTH>(sums, targets, |sum, at, before| {
                        let values = mask.values[at.element..at.element + at.count].as_ptr();
                        let values = S::load_up_to(values, at.count);
                        let gradient = match activation {
                            Activation::Relu => S::where_positive(values, sum),
                            other => {
                                map_lanes::<S>(sum, values, |sum, y| sum * other.derivative(y))
                            }
                        };
                        if accumulate {
                            S::add(gradient, S::load_up_to(before, at.count))
                        } else {
                            gradient
                        }
                    });
                }
            }
        }
    }

    /// Stores what `finish` makes of each vector of sums; it is told where the vector goes.
    ///
    /// # Safety
    /// As [`Finish::run`].
    #[inline(always)]
    unsafe fn each_vector<S: Simd, const WIDTH: usize>(
        &self,
        sums: &[f32],
        targets: &[usize],
        finish: impl Fn(S::Vector, At, *const f32) -> S::Vector,
    ) {
        let channels = self.channels.len();
        let adds = matches!(self.epilogue, Epilogue::Gradient { accumulate: true, .. });
        // Where the next pixel follows at once, whole vectors may reach into it: it is stored later.
        let in_a_row = !adds && targets.windows(2).all(|pair| pair[1] - pair[0] == channels);
        let last = targets.last().map_or(0, |last| last + self.channels.end);
        for (sums, &target) in sums.chunks_exact(WIDTH * S::LANES).zip(targets) {
            let start = target + self.channels.start;
            let end = if in_a_row { last } else { start + channels };
            // SAFETY: each pixel belongs to one block, each channel to one panel; vectors end with the sums and the output.
            unsafe {
                let output = self.output.slice(start..end).as_mut_ptr();
                for channel in (0..channels).step_by(S::LANES) {
                    let count = S::LANES.min(channels - channel);
                    let at = At { channel, element: start + channel, count };
                    let to = output.add(channel);
                    let result = finish(S::load(sums.as_ptr().add(channel)), at, to);
                    S::store_up_to(to, result, S::LANES.min(end - start - channel));
                }
            }
        }
    }
}

/// A gradient is multiplied by the derivative of `activation` where its value is that of `values`.
#[derive(Clone, Copy)]
struct Mask<'a> {
    activation: Activation,
    values: &'a [f32],
}

/// Where a vector of sums goes.
#[derive(Clone, Copy)]
struct At {
    /// Its first channel, counted from the panel's first.
    channel: usize,
    /// Its first element in the output.
    element: usize,
    /// Channels that the output has of it.
    count: usize,
}
