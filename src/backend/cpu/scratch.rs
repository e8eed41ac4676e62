//! Memory that kernels need while they run: it grows to what the largest one needs, and stays.

/// Buffers that all threads read, of any contents between kernels.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    /// Packed weights, padded batches, partial sums.
    pub(crate) elements: Vec<f32>,
    /// Elements a channel.
    pub(crate) coefficients: Vec<f32>,
    /// Offsets of windows.
    pub(crate) offsets: Vec<usize>,
}

/// Buffers of one thread.
#[derive(Debug, Default)]
pub(crate) struct ThreadScratch {
    elements: Vec<f32>,
    offsets: Vec<usize>,
}

impl ThreadScratch {
    /// Returns `len` elements and `count` offsets, of any value.
    pub(crate) fn elements_and_offsets(
        &mut self,
        len: usize,
        count: usize,
    ) -> (&mut [f32], &mut [usize]) {
        (grown(&mut self.elements, len), grown(&mut self.offsets, count))
    }
}

/// Returns the first `len` items of a buffer, which grows when it must.
pub(crate) fn grown<T: Copy + Default>(buffer: &mut Vec<T>, len: usize) -> &mut [T] {
    if buffer.len() < len {
        buffer.resize(len, T::default());
    }
    &mut buffer[..len]
}
