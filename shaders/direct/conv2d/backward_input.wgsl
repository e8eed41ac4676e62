#import activation
#import convolution
#import direct_convolution
#import direct_product
#import phases
#import step
#import window_origin

// grad_output, block, input -> grad_input: patches of grad_output times the kernel, as in conv2d/backward_input.wgsl. A row is an
// input pixel of a phase, a column an input channel; phase STRIDE_X * py + px is the grid's third axis. `transpose` has put
// the kernel into scratch before, input channels last, as the right matrix has its columns.
// Without an INPUT_ACTIVATION the input is not read.
override INPUT_ACTIVATION: u32;
override ACCUMULATE: bool;

@group(0) @binding(1) var<storage, read> grad_output: array<f32>;
@group(0) @binding(2) var<storage, read> transposed: array<f32>;
@group(0) @binding(3) var<storage, read> input: array<f32>;
@group(0) @binding(4) var<storage, read_write> grad_input: array<f32>;
// Bound by `transpose` alone.
@group(0) @binding(1) var<storage, read> block: array<f32>;
@group(0) @binding(2) var<storage, read_write> scratch: array<f32>;

override LEFT_CHANNELS: u32 = OUT_CHANNELS;
override LEFT_HEIGHT: u32 = OUTPUT_HEIGHT;
override COLUMNS: u32 = IN_CHANNELS;
override LEFT_LINE: u32 = OUTPUT_LINE;

fn left_origin(row: u32) -> WindowOrigin {
    return window_origin(row);
}

fn left_element(index: u32) -> f32 {
    return grad_output[index];
}

fn right_element(index: u32) -> f32 {
    return transposed[index];
}

fn right_start(line: u32, position: u32) -> u32 {
    let y = vertical.first + STRIDE_Y * (vertical.count - 1u - line);
    let x = horizontal.first + STRIDE_X * (horizontal.count - 1u - position);
    return (y * KERNEL_WIDTH + x) * OUT_CHANNELS * IN_CHANNELS;
}

fn store_element(row: u32, column: u32, sum: f32) {
    let index = input_index(row, column);
    if (index == OUT_OF_RANGE) {
        return;
    }
    var gradient = sum;
    if (INPUT_ACTIVATION != 0u) {
        gradient *= derivative(input[index], INPUT_ACTIVATION);
    }
    if (ACCUMULATE) {
        gradient += grad_input[index];
    }
    grad_input[index] = gradient;
}

@compute @workgroup_size(LANES)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    phase_offset = vec2<u32>(group.z % STRIDE_X, group.z / STRIDE_X);
    vertical = phase_of(phase_offset.y, OFFSET_Y, STRIDE_Y, KERNEL_HEIGHT);
    horizontal = phase_of(phase_offset.x, OFFSET_X, STRIDE_X, KERNEL_WIDTH);
    let flat = flat_group(group, groups);
    let row = row_of(flat, local);
    let columns = columns_of(flat, local);
    store_sums(row, columns, sums_of(row, columns, vertical.count, horizontal.count));
}

// One element of the kernel an invocation.
@compute @workgroup_size(LANES)
fn transpose(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = flat_index(group, groups, local);
    if (index >= KERNEL_HEIGHT * KERNEL_WIDTH * IN_CHANNELS * OUT_CHANNELS) {
        return;
    }
    let position = index / (IN_CHANNELS * OUT_CHANNELS);
    let channel = index / IN_CHANNELS % OUT_CHANNELS;
    scratch[index] = block[(position * IN_CHANNELS + index % IN_CHANNELS) * OUT_CHANNELS + channel];
}
