//! Per-channel numbers repeated over a run of pixels, so that inner loops are long whatever the channels.

/// Numbers in a run at least.
const RUN: usize = 64;

/// Pixels in a run.
pub(crate) fn run_pixels(channels: usize) -> usize {
    RUN.div_ceil(channels)
}

/// Fills each of `COUNT` stretches of a run with what `number(channel)` gives for it.
pub(crate) fn repeat_channels<const COUNT: usize>(
    channels: usize,
    runs: &mut [f32],
    number: impl Fn(usize) -> [f32; COUNT],
) -> [&[f32]; COUNT] {
    let len = run_pixels(channels) * channels;
    for index in 0..len {
        let numbers = number(index % channels);
        for (part, number) in numbers.into_iter().enumerate() {
            runs[part * len + index] = number;
        }
    }
    let runs = &*runs;
    std::array::from_fn(|part| &runs[part * len..(part + 1) * len])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_holds_whole_pixels() {
        let mut runs = [0.0; 2 * 66];
        let [plain, negative] =
            repeat_channels(3, &mut runs, |channel| [channel as f32, -(channel as f32)]);
        assert_eq!((plain.len(), plain[64], negative[65]), (66, 1.0, -2.0));
    }
}
