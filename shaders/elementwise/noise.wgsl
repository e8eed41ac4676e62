#import random
#import step

// input -> output. Four elements an invocation; normal numbers by Box and Muller from two words each.
override LEN: u32;
override MEAN: f32;
override STD: f32;
override RATIO: f32;
override LAYER: u32;

const NOISE_STREAM: u32 = 4u;
const TAU: f32 = 6.283185307179586;

@group(0) @binding(1) var<storage, read> input: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> output: array<vec4<f32>>;

fn normal_pair(block: u32) -> vec2<f32> {
    let draws = uniform_numbers(random_words(block, LAYER, NOISE_STREAM));
    let radius = sqrt(-2.0 * log(1.0 - draws.xz));
    return radius * cos(TAU * draws.yw);
}

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
    let decision = uniform_numbers(random_words(0u, LAYER + 65536u, NOISE_STREAM)).x;
    var value = input[index];
    if (decision < RATIO) {
        let normal = vec4<f32>(normal_pair(2u * index), normal_pair(2u * index + 1u));
        value += MEAN + STD * normal;
    }
    output[index] = value;
}
