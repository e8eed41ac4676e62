#import step

// gradients, flags -> weights, first moment. Four elements an invocation, so all of one row.
override LEN: u32;
override MOMENTUM: f32;

@group(0) @binding(1) var<storage, read> gradients: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> flags: array<vec2<f32>>;
@group(0) @binding(3) var<storage, read_write> weights: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> first_moment: array<vec4<f32>>;

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
    let moment = MOMENTUM * first_moment[index] + gradients[index];
    first_moment[index] = moment;
    let scales = flags[index / 16u];
    let weight = weights[index];
    let decay = step_inputs.weight_decay * scales.y * weight;
    weights[index] = weight - step_inputs.learning_rate * scales.x * (moment + decay);
}
