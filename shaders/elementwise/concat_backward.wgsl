#import step

// grad_whole -> grad_part. One element of the part an invocation.
override PIXELS: u32;
override CHANNELS: u32;
override FIRST: u32;
override COUNT: u32;
override ACCUMULATE: bool;

@group(0) @binding(1) var<storage, read> grad_whole: array<f32>;
@group(0) @binding(2) var<storage, read_write> grad_part: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = flat_index(group, groups, local);
    if (index >= PIXELS * COUNT * step_inputs.batch_size) {
        return;
    }
    var gradient = grad_whole[index / COUNT * CHANNELS + FIRST + index % COUNT];
    if (ACCUMULATE) {
        gradient += grad_part[index];
    }
    grad_part[index] = gradient;
}
