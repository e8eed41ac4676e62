#import activation
#import convolution
#import direct_convolution
#import direct_product
#import normalize
#import step
#import window_origin
#import windows

// input, block, running, norm_block -> output: patches times kernel, as in conv2d/forward.wgsl. A row is an output pixel, a
// column an output channel. With NORM, what is stored is normalised by the running statistics; without, these and the norm's
// block are not read, nor is the latter without RESCALE.

// Offset of the bias in the parameter block.
override BIAS_OFFSET: u32;
override ACTIVATION: u32;

@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read> block: array<f32>;
@group(0) @binding(3) var<storage, read> running: array<f32>;
@group(0) @binding(4) var<storage, read> norm_block: array<f32>;
@group(0) @binding(5) var<storage, read_write> output: array<f32>;

override LEFT_CHANNELS: u32 = IN_CHANNELS;
override LEFT_HEIGHT: u32 = INPUT_HEIGHT;
override COLUMNS: u32 = OUT_CHANNELS;
override LEFT_LINE: u32 = INPUT_LINE;

fn left_origin(row: u32) -> WindowOrigin {
    return window_origin(row, step_inputs.batch_size * OUTPUT_PIXELS);
}

fn left_element(index: u32) -> f32 {
    return input[index];
}

fn right_element(index: u32) -> f32 {
    return block[index];
}

fn right_start(line: u32, position: u32) -> u32 {
    return (line * WINDOW_LINE + position * IN_CHANNELS) * OUT_CHANNELS;
}

fn store_element(row: u32, column: u32, sum: f32) {
    if (row >= step_inputs.batch_size * OUTPUT_PIXELS || column >= OUT_CHANNELS) {
        return;
    }
    var value = activate(sum + block[BIAS_OFFSET + column], ACTIVATION);
    if (NORM) {
        value = normalize(value, column);
    }
    output[row * OUT_CHANNELS + column] = value;
}

@compute @workgroup_size(LANES)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let flat = flat_group(group, groups);
    let row = row_of(flat, local);
    let columns = columns_of(flat, local);
    store_sums(row, columns, sums_of(row, columns, KERNEL_HEIGHT, KERNEL_WIDTH));
}
