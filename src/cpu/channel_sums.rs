//! Sums over pixels, channel by channel.

use super::workers::Workers;

/// Rows that are summed in f32 before they join the total.
pub(super) const ROWS: usize = 256;

/// `sums[c] = Σ numbers[·, c]`.
pub(super) fn channel_sums(
    numbers: &[f32],
    channels: usize,
    sums: &mut [f32],
    workers: &mut Workers,
) {
    partial_sums::<1>(numbers.len() / channels, channels, workers, |rows, [partial]| {
        for row in numbers[rows.start * channels..rows.end * channels].chunks_exact(channels) {
            for (sum, number) in partial.iter_mut().zip(row) {
                *sum += number;
            }
        }
    });
    total::<1>(channels, numbers.len() / channels, workers, [sums]);
}

/// Fills `COUNT` vectors of `channels` zeros for every chunk of [`ROWS`] rows, which `work` adds to; they lie one chunk
/// after the other in the shared scratch memory.
pub(super) fn partial_sums<const COUNT: usize>(
    rows: usize,
    channels: usize,
    workers: &mut Workers,
    work: impl Fn(std::ops::Range<usize>, [&mut [f32]; COUNT]) + Sync,
) {
    let len = COUNT * channels;
    let mut shared = std::mem::take(&mut workers.shared);
    let partials = super::workers::grown(&mut shared, rows.div_ceil(ROWS) * len);
    workers.chunks(partials, len, |range, partial| {
        let chunk = range.start / len;
        partial.fill(0.0);
        let mut parts = partial.chunks_exact_mut(channels);
        let vectors = std::array::from_fn(|_| parts.next().unwrap_or_default());
        work(chunk * ROWS..rows.min((chunk + 1) * ROWS), vectors);
    });
    workers.shared = shared;
}

/// Adds up, in f64, what [`partial_sums`] left.
pub(super) fn total<const COUNT: usize>(
    channels: usize,
    rows: usize,
    workers: &Workers,
    sums: [&mut [f32]; COUNT],
) {
    let len = COUNT * channels;
    let partials = &workers.shared[..rows.div_ceil(ROWS) * len];
    for (part, sums) in sums.into_iter().enumerate() {
        for (channel, sum) in sums.iter_mut().enumerate() {
            let column = partials.iter().skip(part * channels + channel).step_by(len);
            *sum = column.map(|&number| f64::from(number)).sum::<f64>() as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_every_row_once() {
        let rows = 2 * ROWS + 3;
        let numbers: Vec<f32> = (0..rows).flat_map(|row| [1.0, row as f32]).collect();
        let mut sums = [9.0; 2];
        channel_sums(&numbers, 2, &mut sums, &mut Workers::new(1));
        assert_eq!(sums, [rows as f32, (rows * (rows - 1) / 2) as f32]);
    }
}
