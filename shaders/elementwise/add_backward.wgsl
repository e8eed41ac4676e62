#import step

// grad_output -> grad_second. One element an invocation, summed over the tiles in order.
override PIXELS: u32;
override CHANNELS: u32;
override TILE: u32;
override ACCUMULATE: bool;

@group(0) @binding(1) var<storage, read> grad_output: array<f32>;
@group(0) @binding(2) var<storage, read_write> grad_second: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = flat_index(group, groups, local);
    if (index >= PIXELS * TILE * step_inputs.batch_size) {
        return;
    }
    let start = index / TILE * CHANNELS + index % TILE;
    var sum = 0.0;
    for (var channel = 0u; channel < CHANNELS; channel += TILE) {
        sum += grad_output[start + channel];
    }
    if (ACCUMULATE) {
        sum += grad_second[index];
    }
    grad_second[index] = sum;
}
