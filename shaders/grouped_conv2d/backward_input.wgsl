#import activation
#import convolution
#import coordinates
#import grouped_convolution
#import step

// grad_output, block, input -> grad_input. One input element an invocation gathers from the windows that hold it. `input` is read
// with INPUT_ACTIVATION alone.
override INPUT_ACTIVATION: u32;
override ACCUMULATE: bool;

@group(0) @binding(1) var<storage, read> grad_output: array<f32>;
@group(0) @binding(2) var<storage, read> block: array<f32>;
@group(0) @binding(3) var<storage, read> input: array<f32>;
@group(0) @binding(4) var<storage, read_write> grad_input: array<f32>;

// The windows that hold a place, counted from the first window's start: the first one, and the one after the last.
fn windows_over(place: i32, kernel_size: u32, stride: u32, count: u32) -> vec2<u32> {
    if (place < 0) {
        return vec2<u32>(0u);
    }
    let first = u32(max(place - i32(kernel_size) + i32(stride), 0)) / stride;
    return vec2<u32>(first, min(u32(place) / stride + 1u, count));
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = flat_index(group, groups, local);
    let at = coordinates_of(index, INPUT_HEIGHT, INPUT_WIDTH, IN_CHANNELS);
    if (at.sample >= step_inputs.batch_size) {
        return;
    }
    let down = at.y + OFFSET_Y;
    let right = at.x + OFFSET_X;
    let rows = windows_over(down, KERNEL_HEIGHT, STRIDE_Y, OUTPUT_HEIGHT);
    let columns = windows_over(right, KERNEL_WIDTH, STRIDE_X, OUTPUT_WIDTH);
    let first_channel = at.channel / GROUP_INPUTS * GROUP_OUTPUTS;
    var gradient = 0.0;
    for (var y = rows.x; y < rows.y; y += 1u) {
        let line = u32(down) - y * STRIDE_Y;
        for (var x = columns.x; x < columns.y; x += 1u) {
            let column = u32(right) - x * STRIDE_X;
            let pixel = (at.sample * OUTPUT_HEIGHT + y) * OUTPUT_WIDTH + x;
            for (var next = 0u; next < GROUP_OUTPUTS; next += 1u) {
                let channel = first_channel + next;
                let weight = block[weight_index(line, column, at.channel % GROUP_INPUTS, channel)];
                gradient += grad_output[pixel * OUT_CHANNELS + channel] * weight;
            }
        }
    }
    if (INPUT_ACTIVATION != 0u) {
        gradient *= derivative(input[index], INPUT_ACTIVATION);
    }
    if (ACCUMULATE) {
        gradient += grad_input[index];
    }
    grad_input[index] = gradient;
}
