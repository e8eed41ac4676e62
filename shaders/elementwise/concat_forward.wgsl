#import step

// part -> whole. One element of the part an invocation.
override PIXELS: u32;
override CHANNELS: u32;
override FIRST: u32;
override COUNT: u32;

@group(0) @binding(1) var<storage, read> part: array<f32>;
@group(0) @binding(2) var<storage, read_write> whole: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = flat_index(group, groups, local);
    if (index < PIXELS * COUNT * step_inputs.batch_size) {
        whole[index / COUNT * CHANNELS + FIRST + index % COUNT] = part[index];
    }
}
