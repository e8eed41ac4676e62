// Normalisation of a convolution's numbers by the running statistics, with NORM. A kernel that includes this binds `running`
// and, for RESCALE, `norm_block`.
override NORM: bool;
override EPSILON: f32 = 0.0;
override RESCALE: bool = false;
override NORM_ACTIVATION: u32 = 0u;
// Place of the second vector in a pair of the norm's.
override SECOND: u32 = (OUT_CHANNELS + 63u) / 64u * 64u;

fn normalize(x: f32, channel: u32) -> f32 {
    var value = (x - running[channel]) * inverseSqrt(running[SECOND + channel] + EPSILON);
    if (RESCALE) {
        value = value * norm_block[channel] + norm_block[SECOND + channel];
    }
    return activate(value, NORM_ACTIVATION);
}
