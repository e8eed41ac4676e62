//! Photos to the batch: `photos page, transforms → input`.

use super::Run;
use crate::backend::cpu::context::Context;
use crate::backend::cpu::operands::{Operands, slice_of, slice_of_mut};
use crate::error::Result;
use crate::kernel::{CONTRIBUTION, PrepareBatch, TRANSFORM};
use crate::shape::Shape;
use ndarray::Axis;

impl Run for PrepareBatch {
    fn run(&self, mut operands: Operands, context: &mut Context) -> Result<()> {
        let &Self { page, stored_size, output } = self;
        // The plan does not know how many photos a page holds.
        let photos: &[u8] = bytemuck::cast_slice(operands.read_all()?);
        let transforms = operands.pixels(1, TRANSFORM)?;
        let batch = operands.batch_mut(output)?;
        let photo_len = 4 * stored_size * stored_size;
        context.pool.chunks([batch], 1, |samples, [sample]| {
            let sample = slice_of_mut(sample);
            if page == 0 {
                sample.fill(0.0);
            }
            let records = slice_of(transforms.index_axis(Axis(0), samples.start));
            for record in records.chunks_exact(CONTRIBUTION) {
                let contribution = Contribution::read(record);
                if contribution.page != page || contribution.weight == 0.0 {
                    continue;
                }
                let start = contribution.slot.saturating_mul(photo_len);
                // A slot beyond the page would be a fault of the trainer's; the sample then stays as it is.
                if let Some(photo) = photos.get(start..start.saturating_add(photo_len)) {
                    contribution.add(photo, stored_size, output, sample);
                }
            }
        });
        Ok(())
    }
}

/// One photo's share of a sample, as [`CONTRIBUTION`] lays it out.
struct Contribution<'a> {
    page: u32,
    slot: usize,
    weight: f32,
    matrix: &'a [f32],
    colour: &'a [f32],
    cutout: &'a [f32],
}

impl<'a> Contribution<'a> {
    fn read(record: &'a [f32]) -> Self {
        Self {
            page: record[0] as u32,
            slot: record[1] as usize,
            weight: record[2],
            matrix: &record[3..9],
            colour: &record[9..21],
            cutout: &record[21..25],
        }
    }

    fn add(&self, photo: &[u8], stored_size: usize, output: Shape, sample: &mut [f32]) {
        let m = self.matrix;
        for (pixel, rgb) in sample.chunks_exact_mut(output.channels).enumerate() {
            let (x, y) = ((pixel % output.width) as f32, (pixel / output.width) as f32);
            if self.cut_out(x, y) {
                continue;
            }
            let source_x = m[0] * (x + 0.5) + m[1] * (y + 0.5) + m[2] - 0.5;
            let source_y = m[3] * (x + 0.5) + m[4] * (y + 0.5) + m[5] - 0.5;
            let colour = bilinear(photo, stored_size, source_x, source_y);
            for (value, row) in rgb.iter_mut().zip(self.colour.chunks_exact(4)) {
                let mixed = row[0] * colour[0] + row[1] * colour[1] + row[2] * colour[2] + row[3];
                *value += self.weight * mixed;
            }
        }
    }

    fn cut_out(&self, x: f32, y: f32) -> bool {
        let [left, top, right, bottom] = [0, 1, 2, 3].map(|side| self.cutout[side]);
        x >= left && x < right && y >= top && y < bottom
    }
}

/// Normalised RGB (`value / 127.5 − 1`) between the four nearest pixels, clamped to the photo.
fn bilinear(photo: &[u8], size: usize, x: f32, y: f32) -> [f32; 3] {
    let last = size - 1;
    let (x, y) = (x.clamp(0.0, last as f32), y.clamp(0.0, last as f32));
    let (left, top) = (x as usize, y as usize);
    let (right, bottom) = (last.min(left + 1), last.min(top + 1));
    let (fx, fy) = (x - left as f32, y - top as f32);
    [0, 1, 2].map(|channel| {
        let at = |row: usize, column: usize| f32::from(photo[4 * (row * size + column) + channel]);
        let upper = at(top, left) + fx * (at(top, right) - at(top, left));
        let lower = at(bottom, left) + fx * (at(bottom, right) - at(bottom, left));
        (upper + fy * (lower - upper)) * (1.0 / 127.5) - 1.0
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two grey photos of 2 × 2 pixels: left column 0, right column 255; all 51.
    fn page() -> Vec<f32> {
        let mut bytes = Vec::new();
        for value in [0u8, 255, 0, 255, 51, 51, 51, 51] {
            bytes.extend([value, value, value, 255]);
        }
        bytes.chunks_exact(4).map(bytemuck::pod_read_unaligned).collect()
    }

    fn contribution(page: f32, slot: f32, weight: f32) -> [f32; CONTRIBUTION] {
        let mut record = [0.0; CONTRIBUTION];
        record[..3].copy_from_slice(&[page, slot, weight]);
        record[3..9].copy_from_slice(&[1.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
        for channel in 0..3 {
            record[9 + 4 * channel + channel] = 1.0;
        }
        record
    }

    fn prepared(page_number: u32, records: [[f32; CONTRIBUTION]; 2]) -> Vec<f32> {
        let mut output = vec![0.5; 12];
        let kernel =
            PrepareBatch { page: page_number, stored_size: 2, output: Shape::new(2, 2, 3) };
        crate::backend::cpu::run_alone(
            kernel,
            1,
            &[&page(), &records.concat()],
            &mut [&mut output],
        );
        output.chunks_exact(3).map(|rgb| rgb[1]).collect()
    }

    fn assert_close(found: &[f32], expected: &[f32]) {
        let close = found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6);
        assert!(close && found.len() == expected.len(), "{found:?}, expected {expected:?}");
    }

    #[test]
    fn mixes_two_photos_and_cuts_out() {
        let mut first = contribution(0.0, 0.0, 0.75);
        first[21..25].copy_from_slice(&[1.0, 0.0, 2.0, 1.0]);
        let output = prepared(0, [first, contribution(0.0, 1.0, 0.25)]);
        assert_close(&output, &[-0.9, -0.15, -0.9, 0.6]);
    }

    #[test]
    fn samples_of_other_pages_stay() {
        let records = [contribution(0.0, 0.0, 1.0), contribution(1.0, 1.0, 1.0)];
        assert_close(&prepared(1, records), &[-0.1; 4]);
        // No such slot.
        assert_close(&prepared(1, [contribution(1.0, 2.0, 1.0); 2]), &[0.5; 4]);
    }

    #[test]
    fn mirrors_and_interpolates() {
        let mut mirrored = contribution(0.0, 0.0, 1.0);
        mirrored[3..6].copy_from_slice(&[-1.0, 0.0, 2.0]);
        let none = contribution(0.0, 0.0, 0.0);
        assert_close(&prepared(0, [mirrored, none]), &[1.0, -1.0, 1.0, -1.0]);
        let mut half = contribution(0.0, 0.0, 1.0);
        half[5] = 0.5;
        assert_close(&prepared(0, [half, none]), &[0.0, 1.0, 0.0, 1.0]);
    }
}
