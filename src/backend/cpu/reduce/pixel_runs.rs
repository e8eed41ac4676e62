//! Elements a channel repeated over a run of pixels, so that inner loops are long whatever the channels.

/// Elements in a run at least.
const RUN: usize = 64;

/// Returns the pixels in a run.
pub(crate) fn run_pixels(channels: usize) -> usize {
    RUN.div_ceil(channels)
}

/// Fills each of `COUNT` stretches of a run with what `of(channel)` gives for it.
pub(crate) fn repeat_channels<const COUNT: usize>(
    channels: usize,
    runs: &mut [f32],
    of: impl Fn(usize) -> [f32; COUNT],
) -> [&[f32]; COUNT] {
    let len = run_pixels(channels) * channels;
    for index in 0..len {
        let elements = of(index % channels);
        for (part, element) in elements.into_iter().enumerate() {
            runs[part * len + index] = element;
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
