#import step

// gradients, flags -> weights, first moment, second moment. Four elements an invocation, so all of one row.
override LEN: u32;
override BETA1: f32;
override BETA2: f32;
override EPSILON: f32;

@group(0) @binding(1) var<storage, read> gradients: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> flags: array<vec2<f32>>;
@group(0) @binding(3) var<storage, read_write> weights: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> first_moment: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> second_moment: array<vec4<f32>>;

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
    let gradient = gradients[index];
    let first = BETA1 * first_moment[index] + (1.0 - BETA1) * gradient;
    let second = BETA2 * second_moment[index] + (1.0 - BETA2) * gradient * gradient;
    first_moment[index] = first;
    second_moment[index] = second;
    let scales = flags[index / 16u];
    let weight = weights[index];
    let quotient = (first / step_inputs.first_correction)
        / (sqrt(second / step_inputs.second_correction) + EPSILON);
    let decay = step_inputs.weight_decay * scales.y * weight;
    weights[index] = weight - step_inputs.learning_rate * scales.x * (quotient + decay);
}
