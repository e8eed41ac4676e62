#import activation
#import convolution

// The normalisation of a convolution's outputs by the running statistics, with NORM. The importing shader binds `running` and,
// for RESCALE, `norm_block`.
override NORM: bool;
override EPSILON: f32 = 0.0;
override RESCALE: bool = false;
override NORM_ACTIVATION: u32 = 0u;
// Offset of the second vector of a pair: the variance in `running`, the shift in `norm_block`.
override SECOND: u32 = (OUT_CHANNELS + 63u) / 64u * 64u;

fn normalize(x: f32, channel: u32) -> f32 {
    var value = (x - running[channel]) * inverseSqrt(running[SECOND + channel] + EPSILON);
    if (RESCALE) {
        value = value * norm_block[channel] + norm_block[SECOND + channel];
    }
    return activate(value, NORM_ACTIVATION);
}
