//! Moments of a convolution's output, which it takes block by block, while it has the elements in registers, for the batch
//! normalisation that comes next.

use crate::backend::cpu::scratch::grown;
use crate::backend::cpu::simd::{MOST_LANES, Simd};
use crate::backend::cpu::threads::Disjoint;
use crate::kernel::{Call, Conv2dForward, Kernel};
use std::ops::Range;

/// Pivots, sums and sums of squares: elements of a channel in each block.
const PARTS: usize = 3;

/// The partial statistics that a convolution leaves of its output.
#[derive(Debug, Default)]
pub(crate) struct BlockMoments {
    /// For each block a row of pivots, one of sums of the deviations from them, one of sums of those deviations' squares.
    elements: Vec<f32>,
    /// Pixels of every block but the last.
    block_pixels: usize,
}

/// Returns for each call of a plan whether it leaves moments for the next call, or finds those of the one before.
pub(crate) fn shared_moments(calls: &[Call]) -> Vec<bool> {
    let is_pair = |conv: &Call, statistics: &Call| {
        matches!(conv.kernel, Kernel::Conv2dForward(Conv2dForward { norm: None, .. }))
            && matches!(statistics.kernel, Kernel::BatchNormStatistics(_))
            && statistics.reads[0] == conv.writes[0]
    };
    let mut shared = vec![false; calls.len()];
    for (index, pair) in calls.windows(2).enumerate() {
        if is_pair(&pair[0], &pair[1]) {
            shared[index..=index + 1].fill(true);
        }
    }
    shared
}

impl BlockMoments {
    /// Room for `blocks` blocks of `block_pixels` pixels.
    pub(crate) fn start(
        &mut self,
        blocks: usize,
        block_pixels: usize,
        channels: usize,
    ) -> Blocks<'_> {
        self.block_pixels = block_pixels;
        let elements = grown(&mut self.elements, blocks * PARTS * channels);
        Blocks { elements: Disjoint::new(elements), channels }
    }

    /// Returns what was left for each block.
    pub(crate) fn elements(&self) -> &[f32] {
        &self.elements
    }

    /// Returns the pixels of every block but the last.
    pub(crate) fn block_pixels(&self) -> usize {
        self.block_pixels
    }
}

/// Moments of all blocks, to be stored by the tasks of a convolution.
pub(crate) struct Blocks<'a> {
    elements: Disjoint<'a>,
    channels: usize,
}

impl Blocks<'_> {
    /// Stores the moments of a panel's channels in a block.
    ///
    /// # Safety
    /// One task alone stores these channels of this block.
    pub(crate) unsafe fn store(
        &self,
        block: usize,
        channels: Range<usize>,
        moments: &PanelMoments,
    ) {
        let parts = [&moments.pivots, &moments.sums, &moments.squares];
        for (part, elements) in parts.into_iter().enumerate() {
            let start = (block * PARTS + part) * self.channels;
            // SAFETY: by the caller's promise.
            let row = unsafe { self.elements.slice(start + channels.start..start + channels.end) };
            row.copy_from_slice(&elements[..channels.len()]);
        }
    }
}

/// Moments of a panel's channels in a block. Deviations count from a pivot near the mean, so that squares stay exact for
/// values far from zero.
#[derive(Debug)]
pub(crate) struct PanelMoments {
    pivots: [f32; 2 * MOST_LANES],
    sums: [f32; 2 * MOST_LANES],
    squares: [f32; 2 * MOST_LANES],
    started: bool,
}

impl PanelMoments {
    /// Begins with the moments of no pixels.
    pub(crate) fn new() -> Self {
        let zeros = [0.0; 2 * MOST_LANES];
        Self { pivots: zeros, sums: zeros, squares: zeros, started: false }
    }

    /// Adds up `pixels` pixels; the pivots are the means of the first that come.
    ///
    /// # Safety
    /// As [`Simd`]; `tile` holds `pixels` × `WIDTH` vectors, of two times [`MOST_LANES`] elements a pixel at most.
    #[inline(always)]
    pub(crate) unsafe fn add<S: Simd, const WIDTH: usize>(
        &mut self,
        tile: *const f32,
        pixels: usize,
    ) {
        for vector in 0..WIDTH {
            let channel = vector * S::LANES;
            // SAFETY: by the caller's promise.
            unsafe {
                let tile = tile.add(channel);
                let pivots = self.pivots.as_mut_ptr().add(channel);
                let zero = S::splat(0.0);
                if !self.started {
                    let mut sum = zero;
                    for pixel in 0..pixels {
                        sum = S::add(sum, S::load(tile.add(pixel * WIDTH * S::LANES)));
                    }
                    S::store(pivots, S::mul_add(sum, S::splat(1.0 / pixels as f32), zero));
                }
                let negated_pivot = S::mul_add(S::load(pivots), S::splat(-1.0), zero);
                let [sums, squares] =
                    [&mut self.sums, &mut self.squares].map(|all| all.as_mut_ptr().add(channel));
                let (mut sum, mut square) = (S::load(sums), S::load(squares));
                for pixel in 0..pixels {
                    let x = S::load(tile.add(pixel * WIDTH * S::LANES));
                    let deviation = S::add(x, negated_pivot);
                    sum = S::add(sum, deviation);
                    square = S::mul_add(deviation, deviation, square);
                }
                S::store(sums, sum);
                S::store(squares, square);
            }
        }
        self.started = true;
    }
}

#[cfg(test)]
mod tests {
    use super::{BlockMoments, shared_moments};
    use crate::backend::cpu::kernels::conv2d::cases::{
        Case, cases, more_weights_than_are_packed_at_once,
    };
    use crate::backend::cpu::{Operands, Workers, test_step};
    use crate::kernel::{
        Activation, BatchNorm, BatchNormStatistics, Conv2dForward, Kernel, round_up_to_row,
    };
    use crate::network::Network;
    use crate::plan::parameters::Parameters;
    use crate::plan::{Optimizer, Plan, PlanOptions, Source};
    use crate::shape::Shape;

    /// Output, moments and running statistics.
    fn run(case: &Case, activation: Activation, shared: bool, threads: usize) -> [Vec<f32>; 3] {
        let convolution = case.convolution;
        let output = convolution.output;
        let norm = BatchNorm {
            pixels: output.pixels(),
            channels: output.channels,
            epsilon: 1e-5,
            momentum: 0.1,
            rescale: false,
            activation: Activation::None,
        };
        let mut workers = Workers::new(threads);
        let mut between = BlockMoments::default();
        let step = test_step(case.batch_size);
        let mut run_one = |kernel: Kernel, reads: &[&[f32]], writes: &mut [&mut [f32]]| {
            let mut context = workers.context(&step);
            context.moments = shared.then_some(&mut between);
            let operands = Operands::new(kernel.name(), case.batch_size, reads, writes);
            crate::backend::cpu::run(&kernel, operands, &mut context).unwrap();
        };
        let mut numbers = vec![9.0; case.batch_size * output.len()];
        let pair = round_up_to_row(output.channels) + output.channels;
        let [mut moments, mut running] = [(); 2].map(|()| vec![0.0; pair]);
        let conv = Kernel::Conv2dForward(Conv2dForward { convolution, activation, norm: None });
        run_one(conv, &[&case.input, &case.block], &mut [&mut numbers]);
        let statistics = Kernel::BatchNormStatistics(BatchNormStatistics { norm });
        run_one(statistics, &[&numbers], &mut [&mut moments, &mut running]);
        [numbers, moments, running]
    }

    #[test]
    fn equal_those_taken_apart_on_any_number_of_threads() {
        for case in cases().into_iter().chain([more_weights_than_are_packed_at_once()]) {
            for activation in [Activation::None, Activation::Relu, Activation::Tanh] {
                let apart = run(&case, activation, false, 1);
                let shared = run(&case, activation, true, 1);
                assert_eq!(apart[0], shared[0], "{:?}", case.convolution);
                for (apart, shared) in apart.iter().zip(&shared) {
                    for (a, b) in apart.iter().zip(shared) {
                        assert!((a - b).abs() <= 1e-5 * a.abs().max(1.0), "{a} {b}");
                    }
                }
                assert_eq!(shared, run(&case, activation, true, 2));
            }
        }
    }

    #[test]
    fn far_from_zero() {
        let mut case = cases().swap_remove(1);
        let bias = case.convolution.bias_offset();
        let near = run(&case, Activation::None, true, 1);
        case.block[bias..].iter_mut().for_each(|bias| *bias += 10_000.0);
        let far = run(&case, Activation::None, true, 1);
        for channel in 0..16 {
            let [near, far] = [&near, &far].map(|run| [run[1][channel], run[1][64 + channel]]);
            assert!((far[0] - near[0] - 10_000.0).abs() < 0.01, "{near:?} {far:?}");
            assert!((far[1] / near[1] - 1.0).abs() < 1e-3, "{near:?} {far:?}");
        }
    }

    #[test]
    fn are_shared_between_a_convolution_and_the_statistics_of_its_output() {
        let text = "['serial', ['conv', {'ksize': 3, 'chn': 4, 'actions': 'LAB'}], ['max', {'stride': 2}], ['batch_normal', {}]]";
        let network = Network::new(text, Shape::new(4, 4, 3), 2).unwrap();
        let parameters = Parameters::new(&network.graph);
        let options = PlanOptions::training(2, Source::Tensor, Optimizer::ADAM);
        let plan = Plan::new(&network.graph, &parameters, &options).unwrap();
        let names: Vec<_> = plan.calls.iter().map(|call| call.kernel.name()).collect();
        let shared = shared_moments(&plan.calls);
        let shared: Vec<_> = (0..names.len()).filter(|&index| shared[index]).collect();
        let conv = names.iter().position(|name| *name == "conv2d_forward").unwrap();
        assert_eq!(shared, [conv, conv + 1], "{names:?}");
        assert_eq!(names[conv + 1], "batch_norm_statistics");
        assert_eq!(names.iter().filter(|name| **name == "batch_norm_statistics").count(), 2);
    }
}
