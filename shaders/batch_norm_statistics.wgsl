// input -> moments, running. Sums of the numbers less the channel's first one, and of their squares: a shift near the
// mean, without which the squares would cancel.
override EPSILON: f32;
override MOMENTUM: f32;
// Place of the second vector in a pair.
override SECOND: u32;

@group(0) @binding(2) var<storage, read> input: array<f32>;
@group(0) @binding(3) var<storage, read_write> moments: array<f32>;
@group(0) @binding(4) var<storage, read_write> running: array<f32>;

fn terms(row: u32, channel: u32) -> vec2<f32> {
    let value = input[row * CHANNELS + channel] - input[channel];
    return vec2<f32>(value, value * value);
}

fn conclude(channel: u32, sums: vec2<f32>) {
    let count = f32(step_inputs.batch_size * PIXELS);
    let shifted_mean = sums.x / count;
    let mean = input[channel] + shifted_mean;
    let variance = max(sums.y / count - shifted_mean * shifted_mean, 0.0);
    moments[channel] = mean;
    moments[SECOND + channel] = 1.0 / sqrt(variance + EPSILON);
    let unbiased = select(0.0, variance * count / max(count - 1.0, 1.0), count > 1.0);
    running[channel] += MOMENTUM * (mean - running[channel]);
    running[SECOND + channel] += MOMENTUM * (unbiased - running[SECOND + channel]);
}
