// input, grad_output, moments, sums, block -> grad_input. One number an invocation. Without RESCALE the block is not
// read.
override PIXELS: u32;
override CHANNELS: u32;
override RESCALE: bool;
override ACTIVATION: u32;
override INPUT_ACTIVATION: u32;
override ACCUMULATE: bool;
// Place of the second vector in a pair.
override SECOND: u32;

@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read> grad_output: array<f32>;
@group(0) @binding(3) var<storage, read> moments: array<f32>;
@group(0) @binding(4) var<storage, read> sums: array<f32>;
@group(0) @binding(5) var<storage, read> block: array<f32>;
@group(0) @binding(6) var<storage, read_write> grad_input: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = flat_index(group, groups, local);
    if (index >= PIXELS * CHANNELS * step_inputs.batch_size) {
        return;
    }
    let channel = index % CHANNELS;
    let deviation = moments[SECOND + channel];
    let normalised = (input[index] - moments[channel]) * deviation;
    var value = normalised;
    var factor = deviation;
    if (RESCALE) {
        value = value * block[channel] + block[SECOND + channel];
        factor *= block[channel];
    }
    var gradient = grad_output[index];
    if (ACTIVATION != 0u) {
        gradient *= slope(activate(value, ACTIVATION), ACTIVATION);
    }
    let count = f32(step_inputs.batch_size * PIXELS);
    gradient -= (sums[SECOND + channel] + normalised * sums[channel]) / count;
    gradient *= factor * slope(input[index], INPUT_ACTIVATION);
    if (ACCUMULATE) {
        gradient += grad_input[index];
    }
    grad_input[index] = gradient;
}
