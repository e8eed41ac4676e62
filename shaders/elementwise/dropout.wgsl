#import random
#import step

// input -> output. Four elements an invocation, from one block of random words.
override LEN: u32;
override KEEP_PROB: f32;
override LAYER: u32;
override ACCUMULATE: bool;

const DROPOUT_STREAM: u32 = 3u;

@group(0) @binding(1) var<storage, read> input: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> output: array<vec4<f32>>;

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
    let draws = uniform_numbers(random_words(index, LAYER, DROPOUT_STREAM));
    var kept = select(vec4<f32>(0.0), input[index] / KEEP_PROB, draws < vec4<f32>(KEEP_PROB));
    if (ACCUMULATE) {
        kept += output[index];
    }
    output[index] = kept;
}
