#import coordinates
#import pooling
#import step

// grad_output -> grad_input. One input element an invocation gathers its share of every window over it.
override ACCUMULATE: bool;

@group(0) @binding(1) var<storage, read> grad_output: array<f32>;
@group(0) @binding(2) var<storage, read_write> grad_input: array<f32>;

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
            let window = clipped_window(y, x);
            let pixels = (window.z - window.x) * (window.w - window.y);
            sum += grad_output[output_index(at, y, x)] / f32(pixels);
        }
    }
    if (ACCUMULATE) {
        sum += grad_input[index];
    }
    grad_input[index] = sum;
}
