//! Batch normalisation, moments for evaluation: `running → moments`.

use crate::kernel::{BatchNorm, round_up_to_row};

pub(crate) fn run(norm: &BatchNorm, reads: &[&[f32]], writes: &mut [&mut [f32]]) {
    let (running, moments) = (reads[0], &mut *writes[0]);
    let second = round_up_to_row(norm.channels);
    for channel in 0..norm.channels {
        moments[channel] = running[channel];
        moments[second + channel] = inverse_deviation(norm, running[second + channel]);
    }
}

/// Of a channel with that variance.
pub(crate) fn inverse_deviation(norm: &BatchNorm, variance: f32) -> f32 {
    1.0 / (variance + norm.epsilon).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Activation;

    #[test]
    fn inverse_deviation_of_the_running_variance() {
        let norm = BatchNorm {
            pixels: 1,
            channels: 1,
            epsilon: 1.0,
            momentum: 0.1,
            rescale: false,
            activation: Activation::None,
        };
        let (mut running, mut moments) = ([0.0; 65], [0.0; 65]);
        (running[0], running[64]) = (2.0, 3.0);
        run(&norm, &[&running], &mut [&mut moments]);
        assert_eq!([moments[0], moments[64]], [2.0, 0.5]);
    }
}
