#import activation
#import step

// input -> output. Four elements an invocation.
override LEN: u32;
override ACTIVATION: u32;

@group(0) @binding(1) var<storage, read> input: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> output: array<vec4<f32>>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = flat_index(group, groups, local);
    if (4u * index < LEN * step_inputs.batch_size) {
        output[index] = activate4(input[index], ACTIVATION);
    }
}
