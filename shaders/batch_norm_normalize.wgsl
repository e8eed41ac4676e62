// input, moments, block -> output. One number an invocation. Without RESCALE the block is not read.
override PIXELS: u32;
override CHANNELS: u32;
override RESCALE: bool;
override ACTIVATION: u32;
// Place of the second vector in a pair.
override SECOND: u32;

@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read> moments: array<f32>;
@group(0) @binding(3) var<storage, read> block: array<f32>;
@group(0) @binding(4) var<storage, read_write> output: array<f32>;

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
    var value = (input[index] - moments[channel]) * moments[SECOND + channel];
    if (RESCALE) {
        value = value * block[channel] + block[SECOND + channel];
    }
    output[index] = activate(value, ACTIVATION);
}
