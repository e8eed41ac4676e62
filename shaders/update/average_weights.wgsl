#import step

// weights -> averaged weights. Four elements an invocation.
override LEN: u32;
override DECAY: f32;

@group(0) @binding(1) var<storage, read> weights: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> averaged: array<vec4<f32>>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = flat_index(group, groups, local);
    if (4u * index >= LEN) {
        return;
    }
    let step = f32(step_inputs.step);
    let decay = min(DECAY, (1.0 + step) / (10.0 + step));
    averaged[index] += (1.0 - decay) * (weights[index] - averaged[index]);
}
