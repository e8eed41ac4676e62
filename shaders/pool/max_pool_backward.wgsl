#import coordinates
#import pooling
#import step

// grad_output, indices -> grad_input. One input element an invocation gathers from the windows that chose it.
override ACCUMULATE: bool;

@group(0) @binding(1) var<storage, read> grad_output: array<f32>;
@group(0) @binding(2) var<storage, read> indices: array<f32>;
@group(0) @binding(3) var<storage, read_write> grad_input: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = flat_index(group, groups, local);
    let at = coordinates_of(index, u32(INPUT_HEIGHT), u32(INPUT_WIDTH), CHANNELS);
    if (at.sample >= step_inputs.batch_size) {
        return;
    }
    let windows = windows_over(at.y, at.x);
    var sum = 0.0;
    for (var y = windows.x; y < windows.z; y += 1) {
        for (var x = windows.y; x < windows.w; x += 1) {
            let row = at.y + OFFSET_Y - y * STRIDE_Y;
            let column = at.x + OFFSET_X - x * STRIDE_X;
            let window = output_index(at, y, x);
            if (indices[window] == f32(row * KERNEL_WIDTH + column)) {
                sum += grad_output[window];
            }
        }
    }
    if (ACCUMULATE) {
        sum += grad_input[index];
    }
    grad_input[index] = sum;
}
