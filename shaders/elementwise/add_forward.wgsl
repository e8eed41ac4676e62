#import activation
#import step

// first, second -> output. One element an invocation.
override PIXELS: u32;
override CHANNELS: u32;
override TILE: u32;
override ACTIVATION: u32;

@group(0) @binding(1) var<storage, read> first: array<f32>;
@group(0) @binding(2) var<storage, read> second: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;

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
    // The tile divides the channels, so the pixels need no index of their own where the two are equal.
    let pixel = index / CHANNELS;
    let channel = index % CHANNELS;
    output[index] = activate(first[index] + second[pixel * TILE + channel % TILE], ACTIVATION);
}
