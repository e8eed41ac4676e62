#import activation
#import convolution
#import phases
#import split_sums
#import splits
#import step
#import tiled_product
#import window_origin

// grad_output, block, input -> grad_input, as a matrix product: patches of grad_output times the kernel, channels swapped.
// Phase STRIDE_X * py + px is the grid's third axis, once for every split of the sums.
//
// Without an INPUT_ACTIVATION the input is not read. `finish` adds up the splits of the sums where there are some; that wants
// a multiple of 4 input channels.
override INPUT_ACTIVATION: u32;
override ACCUMULATE: bool;

@group(0) @binding(1) var<storage, read> grad_output: array<f32>;
@group(0) @binding(2) var<storage, read> block: array<f32>;
@group(0) @binding(3) var<storage, read> input: array<f32>;
@group(0) @binding(4) var<storage, read> grad_output_vec4: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> block_vec4: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read> input_vec4: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> grad_input: array<f32>;
// Bound by `finish` alone, beside the partial sums.
@group(0) @binding(2) var<storage, read> finish_input: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> finish_grad_input: array<vec4<f32>>;

// Terms of the sums of a phase.
fn terms_of(phase: u32) -> u32 {
    let rows = phase_of(phase / STRIDE_X, OFFSET_Y, STRIDE_Y, KERNEL_HEIGHT).count;
    let columns = phase_of(phase % STRIDE_X, OFFSET_X, STRIDE_X, KERNEL_WIDTH).count;
    return rows * columns * OUT_CHANNELS;
}

// The gradient windows of an invocation's rows.
struct LeftRows {
    origins: array<WindowOrigin, 4>,
}

fn left_rows(first_row: u32, index: u32) -> LeftRows {
    let row = first_row + index;
    let spacing = TILE_ROWS / 4u;
    return LeftRows(array<WindowOrigin, 4>(
        window_origin(row),
        window_origin(row + spacing),
        window_origin(row + 2u * spacing),
        window_origin(row + 3u * spacing),
    ));
}

fn gradient_element(origin: WindowOrigin, depth: u32, end: u32) -> f32 {
    let line = horizontal.count * OUT_CHANNELS;
    let window_line = depth / line;
    let element = depth % line;
    if (depth >= end || !is_inside(origin, window_line, element)) {
        return 0.0;
    }
    return grad_output[u32(origin.start + i32(window_line * OUTPUT_LINE + element))];
}

fn gradient_elements(origin: WindowOrigin, depth: u32, end: u32) -> vec4<f32> {
    if (OUT_CHANNELS % 4u == 0u) {
        let line = horizontal.count * OUT_CHANNELS;
        let window_line = depth / line;
        let element = depth % line;
        if (depth >= end || !is_inside(origin, window_line, element)) {
            return vec4<f32>(0.0);
        }
        return grad_output_vec4[u32(origin.start + i32(window_line * OUTPUT_LINE + element)) / 4u];
    }
    return vec4<f32>(
        gradient_element(origin, depth, end),
        gradient_element(origin, depth + 1u, end),
        gradient_element(origin, depth + 2u, end),
        gradient_element(origin, depth + 3u, end),
    );
}

fn left_block(rows: LeftRows, term: u32, end: u32) -> mat4x4<f32> {
    return mat4x4<f32>(
        gradient_elements(rows.origins[0], term, end),
        gradient_elements(rows.origins[1], term, end),
        gradient_elements(rows.origins[2], term, end),
        gradient_elements(rows.origins[3], term, end),
    );
}

// The index in the kernel of input channel `column` and a depth.
fn kernel_index(column: u32, depth: u32) -> u32 {
    let line = horizontal.count * OUT_CHANNELS;
    let y = vertical.first + STRIDE_Y * (vertical.count - 1u - depth / line);
    let x = horizontal.first + STRIDE_X * (horizontal.count - 1u - depth % line / OUT_CHANNELS);
    return ((y * KERNEL_WIDTH + x) * IN_CHANNELS + column) * OUT_CHANNELS + depth % OUT_CHANNELS;
}

fn kernel_element(column: u32, depth: u32, end: u32) -> f32 {
    if (depth >= end) {
        return 0.0;
    }
    return block[kernel_index(column, depth)];
}

fn kernel_elements(column: u32, depth: u32, end: u32) -> vec4<f32> {
    if (depth >= end || column >= IN_CHANNELS) {
        return vec4<f32>(0.0);
    }
    if (OUT_CHANNELS % 4u == 0u) {
        return block_vec4[kernel_index(column, depth) / 4u];
    }
    return vec4<f32>(
        kernel_element(column, depth, end),
        kernel_element(column, depth + 1u, end),
        kernel_element(column, depth + 2u, end),
        kernel_element(column, depth + 3u, end),
    );
}

fn right_block(term: u32, end: u32, column: u32) -> mat4x4<f32> {
    return transpose(mat4x4<f32>(
        kernel_elements(column, term, end),
        kernel_elements(column + 1u, term, end),
        kernel_elements(column + 2u, term, end),
        kernel_elements(column + 3u, term, end),
    ));
}

// Masked and added to what is there already, unless the sums are partial.
fn epilogue(first_row: u32, row: u32, column: u32, sums: vec4<f32>) -> vec4<f32> {
    let start = input_index(first_row + row, column);
    if (SPLITS > 1u || start == OUT_OF_RANGE) {
        return sums;
    }
    var gradient = sums;
    if (IN_CHANNELS % 4u == 0u) {
        if (INPUT_ACTIVATION != 0u) {
            gradient *= derivative4(input_vec4[start / 4u], INPUT_ACTIVATION);
        }
        if (ACCUMULATE) {
            gradient += vec4<f32>(
                grad_input[start],
                grad_input[start + 1u],
                grad_input[start + 2u],
                grad_input[start + 3u],
            );
        }
        return gradient;
    }
    for (var i = 0u; i < min(4u, IN_CHANNELS - column); i += 1u) {
        if (INPUT_ACTIVATION != 0u) {
            gradient[i] *= derivative(input[start + i], INPUT_ACTIVATION);
        }
        if (ACCUMULATE) {
            gradient[i] += grad_input[start + i];
        }
    }
    return gradient;
}

// From the first element of the gradient to those of this workgroup's split.
var<private> split_start: u32;

fn store(first_row: u32, row: u32, column: u32, half: u32, values: vec4<f32>) {
    let index = input_index(first_row + row, column);
    if (index == OUT_OF_RANGE) {
        return;
    }
    let start = split_start + index;
    if (IN_CHANNELS % 4u == 0u) {
        grad_input[start] = values.x;
        grad_input[start + 1u] = values.y;
        grad_input[start + 2u] = values.z;
        grad_input[start + 3u] = values.w;
        return;
    }
    for (var i = 0u; i < min(4u, IN_CHANNELS - column); i += 1u) {
        grad_input[start + i] = values[i];
    }
}

@compute @workgroup_size(THREADS)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let phase = group.z % (STRIDE_X * STRIDE_Y);
    let split = group.z / (STRIDE_X * STRIDE_Y);
    phase_offset = vec2<u32>(phase % STRIDE_X, phase / STRIDE_X);
    split_start = split * SPLIT_LEN;
    vertical = phase_of(phase_offset.y, OFFSET_Y, STRIDE_Y, KERNEL_HEIGHT);
    horizontal = phase_of(phase_offset.x, OFFSET_X, STRIDE_X, KERNEL_WIDTH);
    let column_tiles = (IN_CHANNELS + TILE_COLUMNS - 1u) / TILE_COLUMNS;
    let flat = flat_group(group, groups);
    let first_row = flat / column_tiles * TILE_ROWS;
    let first_column = flat % column_tiles * TILE_COLUMNS;
    let terms = terms_of(phase);
    let start = split * split_terms(terms);
    multiply_tile(local, first_row, first_column, start, min(start + split_terms(terms), terms));
}

// Four elements of the gradient an invocation.
@compute @workgroup_size(64)
fn finish(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = flat_index(group, groups, local);
    if (4u * index >= step_inputs.batch_size * INPUT_HEIGHT * INPUT_WIDTH * IN_CHANNELS) {
        return;
    }
    var gradient = sum_of_splits(index);
    if (INPUT_ACTIVATION != 0u) {
        gradient *= derivative4(finish_input[index], INPUT_ACTIVATION);
    }
    if (ACCUMULATE) {
        gradient += finish_grad_input[index];
    }
    finish_grad_input[index] = gradient;
}
