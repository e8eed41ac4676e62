// input, grad_output, moments, block -> sums. Without RESCALE the block is not read.
override RESCALE: bool;
override ACTIVATION: u32;
// Place of the second vector in a pair.
override SECOND: u32;

@group(0) @binding(2) var<storage, read> input: array<f32>;
@group(0) @binding(3) var<storage, read> grad_output: array<f32>;
@group(0) @binding(4) var<storage, read> moments: array<f32>;
@group(0) @binding(5) var<storage, read> block: array<f32>;
@group(0) @binding(6) var<storage, read_write> sums_out: array<f32>;

fn terms(row: u32, channel: u32) -> vec2<f32> {
    let index = row * CHANNELS + channel;
    let normalised = (input[index] - moments[channel]) * moments[SECOND + channel];
    var gradient = grad_output[index];
    if (ACTIVATION != 0u) {
        var value = normalised;
        if (RESCALE) {
            value = value * block[channel] + block[SECOND + channel];
        }
        gradient *= slope(activate(value, ACTIVATION), ACTIVATION);
    }
    return vec2<f32>(gradient * normalised, gradient);
}

fn conclude(channel: u32, sums: vec2<f32>) {
    sums_out[channel] = sums.x;
    sums_out[SECOND + channel] = sums.y;
}
