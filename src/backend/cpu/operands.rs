//! The operands of a call, as views whose shape is checked once: here.
//!
//! A kernel takes its operands in the order that the kernel table states, those it reads and those it writes, each with the
//! shape that it should have. Tensors are `[sample, row, column, channel]`, or `[pixel, channel]` where rows and columns do
//! not matter; convolution kernels are `[row, column, input channel, output channel]`. All views are contiguous.

use crate::backend::cpu::internal;
use crate::error::Result;
use crate::kernel::{Convolution, GroupedConvolution, round_up_to_row};
use crate::shape::Shape;
use ndarray::{
    ArrayView, ArrayView1, ArrayView2, ArrayView4, ArrayViewMut, ArrayViewMut1, ArrayViewMut2,
    ArrayViewMut4, Dimension, IntoDimension,
};

/// The operands that a kernel has not taken yet.
pub(crate) struct Operands<'a, 'b> {
    kernel: &'static str,
    batch_size: usize,
    reads: std::slice::Iter<'a, &'a [f32]>,
    writes: std::slice::IterMut<'a, &'b mut [f32]>,
}

/// The parameter block of a linear map.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LinearBlock<'a> {
    /// HWIO.
    pub(crate) kernel: ArrayView4<'a, f32>,
    pub(crate) bias: ArrayView1<'a, f32>,
}

/// The gradient of a linear map's parameter block, whose gap between kernel and bias holds zeros.
pub(crate) struct LinearGradient<'a> {
    /// HWIO.
    pub(crate) kernel: ArrayViewMut4<'a, f32>,
    pub(crate) bias: ArrayViewMut1<'a, f32>,
}

/// Two vectors of an element a channel, such as mean and variance, or scale and shift.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pair<'a> {
    pub(crate) first: ArrayView1<'a, f32>,
    pub(crate) second: ArrayView1<'a, f32>,
}

/// A [`Pair`] to be written, whose gap holds zeros.
pub(crate) struct PairMut<'a> {
    pub(crate) first: ArrayViewMut1<'a, f32>,
    pub(crate) second: ArrayViewMut1<'a, f32>,
}

/// A linear map's kernel and where its bias lies.
trait Linear {
    /// Returns the kernel's shape, HWIO.
    fn kernel_shape(&self) -> [usize; 4];
    /// Returns the offset of the bias in the parameter block.
    fn bias_offset(&self) -> usize;
}

impl Linear for Convolution {
    fn kernel_shape(&self) -> [usize; 4] {
        let [height, width] = self.window.kernel_size;
        [height, width, self.input.channels, self.output.channels]
    }

    fn bias_offset(&self) -> usize {
        self.bias_offset()
    }
}

impl Linear for GroupedConvolution {
    fn kernel_shape(&self) -> [usize; 4] {
        let [height, width] = self.window.kernel_size;
        [height, width, self.group_inputs(), self.output.channels]
    }

    fn bias_offset(&self) -> usize {
        self.bias_offset()
    }
}

impl<'a, 'b> Operands<'a, 'b> {
    /// Wraps the operands of a kernel at a batch size.
    pub(crate) fn new(
        kernel: &'static str,
        batch_size: usize,
        reads: &'a [&'a [f32]],
        writes: &'a mut [&'b mut [f32]],
    ) -> Self {
        Self { kernel, batch_size, reads: reads.iter(), writes: writes.iter_mut() }
    }

    /// Takes the next operand that is read, of any length.
    ///
    /// # Errors
    /// [`crate::error::Error::Internal`] where the call has no more; so do all others, and where the shape is not the one asked for.
    pub(crate) fn read_all(&mut self) -> Result<&'a [f32]> {
        let kernel = self.kernel;
        let next = self.reads.next().copied();
        next.ok_or_else(|| internal(format!("{kernel} lacks an operand to read")))
    }

    fn write_all(&mut self) -> Result<&'a mut [f32]> {
        let kernel = self.kernel;
        let next = self.writes.next().map(|slice| &mut **slice);
        next.ok_or_else(|| internal(format!("{kernel} lacks an operand to write")))
    }

    fn read<D: IntoDimension>(&mut self, shape: D) -> Result<ArrayView<'a, f32, D::Dim>> {
        let (slice, shape) = (self.read_all()?, shape.into_dimension());
        check(self.kernel, &shape, slice.len())?;
        ArrayView::from_shape(shape, slice).map_err(|error| internal(error.to_string()))
    }

    fn write<D: IntoDimension>(&mut self, shape: D) -> Result<ArrayViewMut<'a, f32, D::Dim>> {
        let (kernel, shape) = (self.kernel, shape.into_dimension());
        let slice = self.write_all()?;
        check(kernel, &shape, slice.len())?;
        ArrayViewMut::from_shape(shape, slice).map_err(|error| internal(error.to_string()))
    }

    fn batch_shape(&self, shape: Shape) -> [usize; 4] {
        [self.batch_size, shape.height, shape.width, shape.channels]
    }

    /// Takes a batch of samples, NHWC.
    pub(crate) fn batch(&mut self, shape: Shape) -> Result<ArrayView4<'a, f32>> {
        self.read(self.batch_shape(shape))
    }

    /// Takes a batch of samples to be written, NHWC.
    pub(crate) fn batch_mut(&mut self, shape: Shape) -> Result<ArrayViewMut4<'a, f32>> {
        self.write(self.batch_shape(shape))
    }

    /// Takes the pixels of a batch, `[samples · pixels, channels]`.
    pub(crate) fn pixels(&mut self, pixels: usize, channels: usize) -> Result<ArrayView2<'a, f32>> {
        self.read([self.batch_size * pixels, channels])
    }

    /// Takes the pixels of a batch to be written.
    pub(crate) fn pixels_mut(
        &mut self,
        pixels: usize,
        channels: usize,
    ) -> Result<ArrayViewMut2<'a, f32>> {
        self.write([self.batch_size * pixels, channels])
    }

    /// Takes all elements of a batch, `len` a sample, one after the other.
    pub(crate) fn elements(&mut self, len: usize) -> Result<ArrayView1<'a, f32>> {
        self.read([self.batch_size * len])
    }

    /// Takes all elements of a batch to be written.
    pub(crate) fn elements_mut(&mut self, len: usize) -> Result<ArrayViewMut1<'a, f32>> {
        self.write([self.batch_size * len])
    }

    /// Takes an arena, or part of one, of `len` elements whatever the batch.
    pub(crate) fn arena(&mut self, len: usize) -> Result<ArrayView1<'a, f32>> {
        self.read([len])
    }

    /// Takes an arena to be written.
    pub(crate) fn arena_mut(&mut self, len: usize) -> Result<ArrayViewMut1<'a, f32>> {
        self.write([len])
    }

    /// Takes the parameter block of a convolution.
    pub(crate) fn convolution(&mut self, convolution: &Convolution) -> Result<LinearBlock<'a>> {
        self.linear_block(convolution)
    }

    /// Takes the parameter block of a grouped convolution.
    pub(crate) fn grouped(&mut self, convolution: &GroupedConvolution) -> Result<LinearBlock<'a>> {
        self.linear_block(convolution)
    }

    fn linear_block(&mut self, map: &impl Linear) -> Result<LinearBlock<'a>> {
        let shape = map.kernel_shape();
        let outputs = shape[3];
        let block = self.read([map.bias_offset() + outputs])?;
        let block = slice_of(block);
        let (kernel, bias) = block.split_at(map.bias_offset());
        let kernel = &kernel[..shape.iter().product()];
        let kernel = ArrayView::from_shape(shape, kernel);
        Ok(LinearBlock {
            kernel: kernel.map_err(|error| internal(error.to_string()))?,
            bias: ArrayView1::from(bias),
        })
    }

    /// Takes the gradient of a convolution's parameter block, and clears its gap.
    pub(crate) fn convolution_mut(
        &mut self,
        convolution: &Convolution,
    ) -> Result<LinearGradient<'a>> {
        self.linear_gradient(convolution)
    }

    /// Takes the gradient of a grouped convolution's parameter block, and clears its gap.
    pub(crate) fn grouped_mut(
        &mut self,
        convolution: &GroupedConvolution,
    ) -> Result<LinearGradient<'a>> {
        self.linear_gradient(convolution)
    }

    fn linear_gradient(&mut self, map: &impl Linear) -> Result<LinearGradient<'a>> {
        let shape = map.kernel_shape();
        let block = self.write([map.bias_offset() + shape[3]])?;
        let (kernel, bias) = slice_of_mut(block).split_at_mut(map.bias_offset());
        let (kernel, gap) = kernel.split_at_mut(shape.iter().product());
        gap.fill(0.0);
        let kernel = ArrayViewMut::from_shape(shape, kernel);
        Ok(LinearGradient {
            kernel: kernel.map_err(|error| internal(error.to_string()))?,
            bias: ArrayViewMut1::from(bias),
        })
    }

    /// Takes a pair of vectors; the second one begins at the next whole row.
    pub(crate) fn pair(&mut self, channels: usize) -> Result<Pair<'a>> {
        let second = round_up_to_row(channels);
        let pair = slice_of(self.read([second + channels])?);
        let (first, second) = (&pair[..channels], &pair[second..]);
        Ok(Pair { first: ArrayView1::from(first), second: ArrayView1::from(second) })
    }

    /// Takes a pair of vectors to be written.
    pub(crate) fn pair_mut(&mut self, channels: usize) -> Result<PairMut<'a>> {
        let second = round_up_to_row(channels);
        let pair = slice_of_mut(self.write([second + channels])?);
        let (first, second) = pair.split_at_mut(second);
        let (first, gap) = first.split_at_mut(channels);
        gap.fill(0.0);
        Ok(PairMut { first: ArrayViewMut1::from(first), second: ArrayViewMut1::from(second) })
    }
}

fn check(kernel: &str, shape: &impl Dimension, len: usize) -> Result<()> {
    if shape.size_checked() == Some(len) {
        return Ok(());
    }
    let shape = shape.slice();
    Err(internal(format!("an operand of {kernel} has {len} elements, {shape:?} was expected")))
}

/// Returns the elements of a view made here, in order.
///
/// # Panics
/// Never: such views are contiguous.
pub(crate) fn slice_of<D: Dimension>(view: ArrayView<'_, f32, D>) -> &[f32] {
    view.to_slice().expect("operands are contiguous")
}

/// Returns the elements of a view made here, in order, to be written.
///
/// # Panics
/// Never: such views are contiguous.
pub(crate) fn slice_of_mut<D: Dimension>(view: ArrayViewMut<'_, f32, D>) -> &mut [f32] {
    view.into_slice().expect("operands are contiguous")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_that_does_not_fit_names_the_kernel_and_both_sizes() {
        let reads: [&[f32]; 1] = [&[0.0; 5]];
        let mut operands = Operands::new("add_forward", 2, &reads, &mut []);
        let error = operands.pixels(1, 3).unwrap_err().to_string();
        assert!(error.contains("add_forward") && error.contains("[2, 3]"), "{error}");
        let error = operands.pixels(1, 3).unwrap_err().to_string();
        assert!(error.contains("lacks an operand to read"), "{error}");
    }

    #[test]
    fn the_second_of_a_pair_begins_at_the_next_row() {
        let pair: Vec<f32> = (0..66).map(|x| x as f32).collect();
        let reads: [&[f32]; 1] = [&pair];
        let mut operands = Operands::new("batch_norm_normalize", 1, &reads, &mut []);
        let pair = operands.pair(2).unwrap();
        assert_eq!((pair.first[1], pair.second[0], pair.second.len()), (1.0, 64.0, 2));
    }
}
