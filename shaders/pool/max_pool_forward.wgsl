#import coordinates
#import nan
#import pooling
#import step

// input -> output, indices. One output element an invocation.
@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;
@group(0) @binding(3) var<storage, read_write> indices: array<f32>;

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
    let top = at.y * STRIDE_Y - OFFSET_Y;
    let left = at.x * STRIDE_X - OFFSET_X;
    var largest = 0.0;
    var position = 0;
    for (var y = window.x; y < window.z; y += 1) {
        for (var x = window.y; x < window.w; x += 1) {
            let value = input[input_index(at, y, x)];
            let is_first = y == window.x && x == window.y;
            if (is_first || is_nan(value) || is_greater(value, largest)) {
                largest = value;
                position = (y - top) * KERNEL_WIDTH + x - left;
            }
        }
    }
    output[index] = largest;
    indices[index] = f32(position);
}
