#import coordinates
#import pooling
#import step

// input -> output. One output element an invocation.
@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = flat_index(group, groups, local);
    let at = coordinates_of(index, u32(OUTPUT_HEIGHT), u32(OUTPUT_WIDTH), CHANNELS);
    if (at.sample >= step_inputs.batch_size) {
        return;
    }
    let window = clipped_window(at.y, at.x);
    var sum = 0.0;
    for (var y = window.x; y < window.z; y += 1) {
        for (var x = window.y; x < window.w; x += 1) {
            sum += input[input_index(at, y, x)];
        }
    }
    output[index] = sum / f32((window.z - window.x) * (window.w - window.y));
}
