#import step

// running -> moments. One channel an invocation.
override CHANNELS: u32;
override EPSILON: f32;
// Offset of the second vector of a pair: the variance, and the inverse standard deviation.
override SECOND: u32;

@group(0) @binding(1) var<storage, read> running: array<f32>;
@group(0) @binding(2) var<storage, read_write> moments: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let channel = flat_index(group, groups, local);
    if (channel < CHANNELS) {
        moments[channel] = running[channel];
        moments[SECOND + channel] = 1.0 / sqrt(running[SECOND + channel] + EPSILON);
    }
}
