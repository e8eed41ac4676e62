//! Shapes of one sample (the batch comes in front), and the geometry of windows over it.

use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Height, width and channels of one sample; tensors are NHWC with the batch in front.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Shape {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// Channels, the fastest axis in memory.
    pub channels: usize,
}

impl Shape {
    /// `height × width × channels`.
    pub const fn new(height: usize, width: usize, channels: usize) -> Self {
        Self { height, width, channels }
    }

    /// A vector: 1 × 1 × `width`.
    pub const fn vector(width: usize) -> Self {
        Self::new(1, 1, width)
    }

    /// Numbers in one sample.
    pub const fn len(&self) -> usize {
        self.height * self.width * self.channels
    }

    /// Whether a sample holds no number at all.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Pixels in one sample.
    pub const fn pixels(&self) -> usize {
        self.height * self.width
    }
}

/// Printed as the textbook does: `[16, 16, 3]`, and `[128]` for a vector.
impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.pixels() == 1 {
            write!(f, "[{}]", self.channels)
        } else {
            write!(f, "[{}, {}, {}]", self.height, self.width, self.channels)
        }
    }
}

/// How a window treats the edge of its input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Padding {
    /// Output size `floor(size / stride)`; windows may reach over the edge.
    Same,
    /// Output size `floor((size - kernel_size + 1) / stride)`; windows stay inside.
    Valid,
}

/// A sliding window: kernel size, stride and where the first window starts, each `[height, width]`.
///
/// Window `(i, j)` covers rows `i · stride[0] - offset[0] ..` of `kernel_size[0]` rows, and columns alike; `offset` may
/// be negative (a window that starts inside). Pixels outside the input are missing: 0 in a convolution, −∞ in max
/// pooling, not counted in average pooling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Window {
    /// Kernel height and width.
    pub kernel_size: [usize; 2],
    /// Rows and columns from one window to the next.
    pub stride: [usize; 2],
    /// Rows and columns by which the first window starts before the input.
    pub offset: [isize; 2],
}

impl Window {
    /// The textbook's placement: with SAME window `j` starts at `j·s + (s−1)/2 − (k−1)/2`, with VALID at `j·s + (s−1)/2`
    /// (integer division).
    pub fn new(kernel_size: [usize; 2], stride: [usize; 2], padding: Padding) -> Self {
        let offset = [0, 1].map(|axis| {
            let reach = match padding {
                Padding::Same => (kernel_size[axis] as isize - 1) / 2,
                Padding::Valid => 0,
            };
            reach - (stride[axis] as isize - 1) / 2
        });
        Self { kernel_size, stride, offset }
    }

    /// Where window `number` starts on axis 0 (rows) or 1 (columns); before the input it is negative.
    pub const fn start(&self, axis: usize, number: usize) -> isize {
        (number * self.stride[axis]) as isize - self.offset[axis]
    }

    /// The real positions under window `number` on an axis of `size` rows (axis 0) or columns (axis 1).
    pub fn under(&self, axis: usize, number: usize, size: usize) -> Range<usize> {
        let start = self.start(axis, number);
        let end = (start + self.kernel_size[axis] as isize).clamp(0, size as isize);
        start.clamp(0, end) as usize..end as usize
    }

    /// The windows, of `windows` on an axis, that hold a position; [`Window::under`] the other way round.
    pub fn over(&self, axis: usize, position: usize, windows: usize) -> Range<usize> {
        let stride = self.stride[axis] as isize;
        let place = position as isize + self.offset[axis];
        let end = (place.div_euclid(stride) + 1).clamp(0, windows as isize);
        let start = (place - self.kernel_size[axis] as isize).div_euclid(stride) + 1;
        start.clamp(0, end) as usize..end as usize
    }

    /// The windows, of `windows` on an axis of `size`, whose row or column `tap` is a real position.
    pub fn reaching(&self, axis: usize, tap: usize, size: usize, windows: usize) -> Range<usize> {
        let stride = self.stride[axis] as isize;
        let before = self.offset[axis] - tap as isize;
        let end = ((size as isize - 1 + before).div_euclid(stride) + 1).clamp(0, windows as isize);
        let start = (before - 1).div_euclid(stride) + 1;
        start.clamp(0, end) as usize..end as usize
    }

    /// The row or column of window `number` that lies on a position which it holds.
    pub const fn tap(&self, axis: usize, number: usize, position: usize) -> usize {
        (position as isize - self.start(axis, number)) as usize
    }

    /// Kernel positions.
    pub const fn area(&self) -> usize {
        self.kernel_size[0] * self.kernel_size[1]
    }
}

/// Output rows and columns of a window over `input`; 0 on an axis means that not even one window fits.
pub fn output_size(
    input: &Shape,
    kernel_size: [usize; 2],
    stride: [usize; 2],
    padding: Padding,
) -> [usize; 2] {
    let size = [input.height, input.width];
    [0, 1].map(|axis| match padding {
        Padding::Same => size[axis] / stride[axis],
        Padding::Valid => (size[axis] + 1).saturating_sub(kernel_size[axis]) / stride[axis],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn window_starts_where_the_textbook_starts_it() {
        let start = |k, s, padding| Window::new([k, k], [s, s], padding).start(0, 0);
        assert_eq!(start(3, 1, Padding::Same), -1);
        assert_eq!(start(3, 2, Padding::Same), -1);
        assert_eq!(start(7, 2, Padding::Same), -3);
        assert_eq!(start(2, 2, Padding::Same), 0);
        assert_eq!(start(4, 4, Padding::Same), 0);
        assert_eq!(start(3, 2, Padding::Valid), 0);
        assert_eq!(start(1, 3, Padding::Same), 1);
    }

    #[test]
    fn output_sizes() {
        let input = Shape::new(299, 17, 3);
        assert_eq!(output_size(&input, [3, 3], [2, 2], Padding::Valid), [148, 7]);
        assert_eq!(output_size(&input, [3, 3], [2, 2], Padding::Same), [149, 8]);
        assert_eq!(output_size(&Shape::new(2, 2, 1), [7, 7], [1, 1], Padding::Valid), [0, 0]);
    }

    #[test]
    fn every_window_covers_a_real_pixel() {
        for (size, k, s) in (1..=12)
            .flat_map(|size| (1..=8).map(move |k| (size, k)))
            .flat_map(|(size, k)| (1..=6).map(move |s| (size, k, s)))
        {
            for padding in [Padding::Same, Padding::Valid] {
                let window = Window::new([k, k], [s, s], padding);
                let [count, _] = output_size(&Shape::new(size, size, 1), [k, k], [s, s], padding);
                for number in 0..count {
                    let start = window.start(0, number);
                    let real =
                        (start..start + k as isize).filter(|&at| (0..size as isize).contains(&at));
                    let under = window.under(0, number, size);
                    for position in 0..size {
                        let holds = window.over(0, position, count).contains(&number);
                        assert_eq!(holds, under.contains(&position), "{window:?} over {size}");
                    }
                    for tap in 0..k {
                        let reaches = window.reaching(0, tap, size, count).contains(&number);
                        let at = under.clone().find(|&at| window.tap(0, number, at) == tap);
                        assert_eq!(reaches, at.is_some(), "{window:?} over {size}");
                    }
                    assert!(!under.is_empty(), "{window:?} over {size}");
                    assert!(real.eq(under.map(|at| at as isize)), "{window:?} over {size}");
                }
            }
        }
    }
}
