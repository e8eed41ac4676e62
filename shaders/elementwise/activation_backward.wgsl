#import activation
#import step

// output, grad_output -> grad_input. Four elements an invocation.
override LEN: u32;
override ACTIVATION: u32;
override ACCUMULATE: bool;

@group(0) @binding(1) var<storage, read> output: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> grad_output: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> grad_input: array<vec4<f32>>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = flat_index(group, groups, local);
    if (4u * index >= LEN * step_inputs.batch_size) {
        return;
    }
    var gradient = grad_output[index] * derivative4(output[index], ACTIVATION);
    if (ACCUMULATE) {
        gradient += grad_input[index];
    }
    grad_input[index] = gradient;
}
