// grad_output, block, input -> grad_input, as a matrix product: gradient windows times the kernel, channels swapped.
// Phase STRIDE_X * py + px is the grid's third axis, once for every part of the sums.
//
// Without an INPUT_ACTIVATION the input is not read. `finish` adds up the parts of the sums where there are some; that wants
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
// Bound by `finish` alone, beside the parts.
@group(0) @binding(2) var<storage, read> points: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> whole: array<vec4<f32>>;

// Terms of the sums in phase `number`.
fn terms_of(number: u32) -> u32 {
    let rows = phase_of(number / STRIDE_X, OFFSET_Y, STRIDE_Y, KERNEL_HEIGHT).count;
    let columns = phase_of(number % STRIDE_X, OFFSET_X, STRIDE_X, KERNEL_WIDTH).count;
    return rows * columns * OUT_CHANNELS;
}

// The gradient windows of an invocation's rows.
struct Aim {
    corners: array<Corner, 4>,
}

fn aim_at(first_row: u32, index: u32) -> Aim {
    let row = first_row + index;
    let apart = TILE_ROWS / 4u;
    return Aim(array<Corner, 4>(
        corner_of(row),
        corner_of(row + apart),
        corner_of(row + 2u * apart),
        corner_of(row + 3u * apart),
    ));
}

fn gradient_number(corner: Corner, depth: u32, end: u32) -> f32 {
    let line = horizontal.count * OUT_CHANNELS;
    let y = depth / line;
    let x = depth % line;
    if (depth >= end || !is_real(corner, y, x)) {
        return 0.0;
    }
    return grad_output[u32(corner.start + i32(y * OUTPUT_LINE + x))];
}

fn gradient_numbers(corner: Corner, depth: u32, end: u32) -> vec4<f32> {
    if (OUT_CHANNELS % 4u == 0u) {
        let line = horizontal.count * OUT_CHANNELS;
        let y = depth / line;
        let x = depth % line;
        if (depth >= end || !is_real(corner, y, x)) {
            return vec4<f32>(0.0);
        }
        return grad_output_vec4[u32(corner.start + i32(y * OUTPUT_LINE + x)) / 4u];
    }
    return vec4<f32>(
        gradient_number(corner, depth, end),
        gradient_number(corner, depth + 1u, end),
        gradient_number(corner, depth + 2u, end),
        gradient_number(corner, depth + 3u, end),
    );
}

fn left_block(aim: Aim, term: u32, end: u32) -> mat4x4<f32> {
    return mat4x4<f32>(
        gradient_numbers(aim.corners[0], term, end),
        gradient_numbers(aim.corners[1], term, end),
        gradient_numbers(aim.corners[2], term, end),
        gradient_numbers(aim.corners[3], term, end),
    );
}

// Place in the kernel of input channel `column` and a depth.
fn kernel_index(column: u32, depth: u32) -> u32 {
    let line = horizontal.count * OUT_CHANNELS;
    let y = vertical.first + STRIDE_Y * (vertical.count - 1u - depth / line);
    let x = horizontal.first + STRIDE_X * (horizontal.count - 1u - depth % line / OUT_CHANNELS);
    return ((y * KERNEL_WIDTH + x) * IN_CHANNELS + column) * OUT_CHANNELS + depth % OUT_CHANNELS;
}

fn kernel_number(column: u32, depth: u32, end: u32) -> f32 {
    if (depth >= end) {
        return 0.0;
    }
    return block[kernel_index(column, depth)];
}

fn kernel_numbers(column: u32, depth: u32, end: u32) -> vec4<f32> {
    if (depth >= end || column >= IN_CHANNELS) {
        return vec4<f32>(0.0);
    }
    if (OUT_CHANNELS % 4u == 0u) {
        return block_vec4[kernel_index(column, depth) / 4u];
    }
    return vec4<f32>(
        kernel_number(column, depth, end),
        kernel_number(column, depth + 1u, end),
        kernel_number(column, depth + 2u, end),
        kernel_number(column, depth + 3u, end),
    );
}

fn right_block(term: u32, end: u32, column: u32) -> mat4x4<f32> {
    return transpose(mat4x4<f32>(
        kernel_numbers(column, term, end),
        kernel_numbers(column + 1u, term, end),
        kernel_numbers(column + 2u, term, end),
        kernel_numbers(column + 3u, term, end),
    ));
}

// Masked and added to what is there already, unless the sums are parts.
fn finished(first_row: u32, row: u32, column: u32, sums: vec4<f32>) -> vec4<f32> {
    let start = input_place(first_row + row, column);
    if (SPLITS > 1u || start == NOWHERE) {
        return sums;
    }
    var gradient = sums;
    if (IN_CHANNELS % 4u == 0u) {
        if (INPUT_ACTIVATION != 0u) {
            gradient *= slope4(input_vec4[start / 4u], INPUT_ACTIVATION);
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
            gradient[i] *= slope(input[start + i], INPUT_ACTIVATION);
        }
        if (ACCUMULATE) {
            gradient[i] += grad_input[start + i];
        }
    }
    return gradient;
}

// From the gradient's first number to those of this workgroup's part.
var<private> part_start: u32;

fn store(first_row: u32, row: u32, column: u32, half: u32, values: vec4<f32>) {
    let place = input_place(first_row + row, column);
    if (place == NOWHERE) {
        return;
    }
    let start = part_start + place;
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
    part = vec2<u32>(phase % STRIDE_X, phase / STRIDE_X);
    part_start = split * SPLIT_LEN;
    vertical = phase_of(part.y, OFFSET_Y, STRIDE_Y, KERNEL_HEIGHT);
    horizontal = phase_of(part.x, OFFSET_X, STRIDE_X, KERNEL_WIDTH);
    let column_tiles = (IN_CHANNELS + TILE_COLUMNS - 1u) / TILE_COLUMNS;
    let flat = flat_group(group, groups);
    let first_row = flat / column_tiles * TILE_ROWS;
    let first_column = flat % column_tiles * TILE_COLUMNS;
    let terms = terms_of(phase);
    let start = split * part_terms(terms);
    multiply(local, first_row, first_column, start, min(start + part_terms(terms), terms));
}

// Four numbers of the gradient an invocation.
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
    var gradient = sum_of_parts(index);
    if (INPUT_ACTIVATION != 0u) {
        gradient *= slope4(points[index], INPUT_ACTIVATION);
    }
    if (ACCUMULATE) {
        gradient += whole[index];
    }
    whole[index] = gradient;
}
