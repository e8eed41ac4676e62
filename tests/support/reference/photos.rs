//! A batch from stored photos.

use floret::kernel::{CONTRIBUTION, TRANSFORM};
use floret::shape::Shape;

pub fn prepare_batch(
    page: u32,
    stored_size: usize,
    output: Shape,
    photos: &[f64],
    transforms: &[f64],
    input: &mut [f64],
) {
    for (sample, transform) in transforms.chunks(TRANSFORM).enumerate() {
        let pixels = &mut input[sample * output.len()..][..output.len()];
        if page == 0 {
            pixels.fill(0.0);
        }
        for contribution in transform.chunks(CONTRIBUTION) {
            if contribution[0] != f64::from(page) {
                continue;
            }
            let slot = contribution[1] as usize;
            let photo = &photos[slot * stored_size * stored_size..][..stored_size * stored_size];
            for (pixel, rgb) in pixels.chunks_mut(3).enumerate() {
                let (x, y) = ((pixel % output.width) as f64, (pixel / output.width) as f64);
                let colour = colour_at(contribution, photo, stored_size, x, y);
                for channel in 0..3 {
                    rgb[channel] += contribution[2] * colour[channel];
                }
            }
        }
    }
}

fn colour_at(contribution: &[f64], photo: &[f64], stored_size: usize, x: f64, y: f64) -> [f64; 3] {
    let (matrix, colour, cutout) =
        (&contribution[3..9], &contribution[9..21], &contribution[21..25]);
    if cutout[0] <= x && x < cutout[2] && cutout[1] <= y && y < cutout[3] {
        return [0.0; 3];
    }
    let along = |m: &[f64]| (x + 0.5) * m[0] + (y + 0.5) * m[1] + m[2] - 0.5;
    let (column, row) = (along(&matrix[..3]), along(&matrix[3..]));
    let (left, top) = (column.floor(), row.floor());
    let stored = [0, 1, 2].map(|channel| {
        let mut value = 0.0;
        for at_row in [top, top + 1.0] {
            for at_column in [left, left + 1.0] {
                let nearness = (1.0 - (row - at_row).abs()) * (1.0 - (column - at_column).abs());
                value += nearness * byte_at(photo, stored_size, at_column, at_row, channel);
            }
        }
        value / 127.5 - 1.0
    });
    [0, 1, 2].map(|channel| {
        let row = &colour[4 * channel..][..4];
        row[0] * stored[0] + row[1] * stored[1] + row[2] * stored[2] + row[3]
    })
}

/// A channel's byte of the stored pixel; edges are repeated.
fn byte_at(photo: &[f64], stored_size: usize, column: f64, row: f64, channel: usize) -> f64 {
    let clamp = |at: f64| at.clamp(0.0, stored_size as f64 - 1.0) as usize;
    let pixel = photo[clamp(row) * stored_size + clamp(column)] as u32;
    f64::from(pixel.to_le_bytes()[channel])
}
