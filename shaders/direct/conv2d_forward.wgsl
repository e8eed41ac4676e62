// input, block, running, norm_block -> output: windows times kernel, as in ../conv2d_forward.wgsl. A row is an output pixel, a
// column an output channel. With NORM, what is stored is normalised by the running statistics; without, these and the norm's
// block are not read, nor is the latter without RESCALE.
override ACTIVATION: u32;

@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read> block: array<f32>;
@group(0) @binding(3) var<storage, read> running: array<f32>;
@group(0) @binding(4) var<storage, read> norm_block: array<f32>;
@group(0) @binding(5) var<storage, read_write> output: array<f32>;

override CHANNELS: u32 = IN_CHANNELS;
override COLUMNS: u32 = OUT_CHANNELS;
override LEFT_LINE: u32 = INPUT_LINE;

fn corner_at(row: u32) -> Corner {
    return corner_of(row, step_inputs.batch_size * OUTPUT_PIXELS);
}

fn left_number(place: u32) -> f32 {
    return input[place];
}

fn right_number(place: u32) -> f32 {
    return block[place];
}

fn right_start(line: u32, position: u32) -> u32 {
    return (line * WINDOW_LINE + position * IN_CHANNELS) * OUT_CHANNELS;
}

fn store_number(row: u32, column: u32, sum: f32) {
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
