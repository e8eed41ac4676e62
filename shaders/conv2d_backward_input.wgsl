// grad_output, block, input -> grad_input, as a matrix product: gradient windows times the kernel, channels swapped.
//
// Input pixels whose places agree modulo the stride meet the same kernel positions. Such a phase is a convolution of
// stride 1 over grad_output, so no product with a zero is ever made: phase STRIDE_X * py + px is the grid's third axis.
// Kernel positions run backwards, so that a line of a gradient window is contiguous in memory.
// Without an INPUT_ACTIVATION the input is not read.
override INPUT_ACTIVATION: u32;
override ACCUMULATE: bool;

@group(0) @binding(1) var<storage, read> grad_output: array<f32>;
@group(0) @binding(2) var<storage, read> block: array<f32>;
@group(0) @binding(3) var<storage, read> input: array<f32>;
@group(0) @binding(4) var<storage, read> grad_output_vec4: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> block_vec4: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> grad_input: array<f32>;

override OUTPUT_LINE: u32 = OUTPUT_WIDTH * OUT_CHANNELS;
// Rows and columns of input pixels in a phase.
override PHASE_HEIGHT: u32 = (INPUT_HEIGHT + STRIDE_Y - 1u) / STRIDE_Y;
override PHASE_WIDTH: u32 = (INPUT_WIDTH + STRIDE_X - 1u) / STRIDE_X;

// Elements from one column's terms to the next one's: 4, and 1 that keeps neighbours off the same memory bank.
const COLUMN_STRIDE: u32 = 5u;

override WINDOW_TILE: u32 = TILE_ROWS * TILE_DEPTH / 4u;
override KERNEL_TILE: u32 = TILE_COLUMNS * TILE_DEPTH / 4u;
override PADDED_TILE: u32 = TILE_COLUMNS * COLUMN_STRIDE;
// Rows of the gradient-window matrix, four terms to an element.
var<workgroup> windows: array<vec4<f32>, WINDOW_TILE>;
// Columns of the kernel matrix, four terms to an element.
var<workgroup> kernel: array<vec4<f32>, PADDED_TILE>;

// A phase along one axis.
struct Phase {
    // First kernel position that meets its pixels, and how many do, a stride apart.
    first: u32,
    count: u32,
    // From a pixel's number in the phase to the first output pixel that it reaches.
    shift: i32,
}

fn phase_of(part: u32, offset: i32, stride: u32, kernel_size: u32) -> Phase {
    let place = i32(part) + offset;
    // The remainder as mathematics has it, never negative.
    let first = ((place % i32(stride)) + i32(stride)) % i32(stride);
    let count = (max(kernel_size, u32(first)) - u32(first) + stride - 1u) / stride;
    return Phase(u32(first), count, (place - first) / i32(stride) - i32(count) + 1);
}

fn gradient_number(sample: u32, top: i32, left: i32, line: u32, height: u32, depth: u32) -> f32 {
    let y = top + i32(depth / line);
    let x = left + i32(depth % line);
    if (depth >= height * line || y < 0 || y >= i32(OUTPUT_HEIGHT) || x < 0 || x >= i32(OUTPUT_LINE)) {
        return 0.0;
    }
    return grad_output[(sample * OUTPUT_HEIGHT + u32(y)) * OUTPUT_LINE + u32(x)];
}

fn gradient_numbers(row: u32, rows: u32, depth: u32, vertical: Phase, horizontal: Phase) -> vec4<f32> {
    if (row >= rows) {
        return vec4<f32>(0.0);
    }
    let sample = row / (PHASE_HEIGHT * PHASE_WIDTH);
    let pixel = row % (PHASE_HEIGHT * PHASE_WIDTH);
    let top = i32(pixel / PHASE_WIDTH) + vertical.shift;
    let left = (i32(pixel % PHASE_WIDTH) + horizontal.shift) * i32(OUT_CHANNELS);
    let line = horizontal.count * OUT_CHANNELS;
    if (OUT_CHANNELS % 4u == 0u) {
        let y = top + i32(depth / line);
        let x = left + i32(depth % line);
        if (depth >= vertical.count * line
            || y < 0 || y >= i32(OUTPUT_HEIGHT) || x < 0 || x >= i32(OUTPUT_LINE)) {
            return vec4<f32>(0.0);
        }
        return grad_output_vec4[((sample * OUTPUT_HEIGHT + u32(y)) * OUTPUT_LINE + u32(x)) / 4u];
    }
    return vec4<f32>(
        gradient_number(sample, top, left, line, vertical.count, depth),
        gradient_number(sample, top, left, line, vertical.count, depth + 1u),
        gradient_number(sample, top, left, line, vertical.count, depth + 2u),
        gradient_number(sample, top, left, line, vertical.count, depth + 3u),
    );
}

// Place in the kernel of input channel `column` and a depth.
fn kernel_index(column: u32, depth: u32, vertical: Phase, horizontal: Phase) -> u32 {
    let line = horizontal.count * OUT_CHANNELS;
    let y = vertical.first + STRIDE_Y * (vertical.count - 1u - depth / line);
    let x = horizontal.first + STRIDE_X * (horizontal.count - 1u - depth % line / OUT_CHANNELS);
    return ((y * KERNEL_WIDTH + x) * IN_CHANNELS + column) * OUT_CHANNELS + depth % OUT_CHANNELS;
}

fn kernel_number(column: u32, depth: u32, depths: u32, vertical: Phase, horizontal: Phase) -> f32 {
    if (depth >= depths) {
        return 0.0;
    }
    return block[kernel_index(column, depth, vertical, horizontal)];
}

fn kernel_numbers(column: u32, depth: u32, depths: u32, vertical: Phase, horizontal: Phase) -> vec4<f32> {
    if (depth >= depths || column >= IN_CHANNELS) {
        return vec4<f32>(0.0);
    }
    if (OUT_CHANNELS % 4u == 0u) {
        return block_vec4[kernel_index(column, depth, vertical, horizontal) / 4u];
    }
    return vec4<f32>(
        kernel_number(column, depth, depths, vertical, horizontal),
        kernel_number(column, depth + 1u, depths, vertical, horizontal),
        kernel_number(column, depth + 2u, depths, vertical, horizontal),
        kernel_number(column, depth + 3u, depths, vertical, horizontal),
    );
}

fn store(row: u32, rows: u32, column: u32, phase: vec2<u32>, sums: vec4<f32>) {
    let sample = row / (PHASE_HEIGHT * PHASE_WIDTH);
    let pixel = row % (PHASE_HEIGHT * PHASE_WIDTH);
    let y = pixel / PHASE_WIDTH * STRIDE_Y + phase.y;
    let x = pixel % PHASE_WIDTH * STRIDE_X + phase.x;
    if (row >= rows || y >= INPUT_HEIGHT || x >= INPUT_WIDTH) {
        return;
    }
    let start = ((sample * INPUT_HEIGHT + y) * INPUT_WIDTH + x) * IN_CHANNELS;
    for (var i = 0u; i < 4u; i += 1u) {
        let channel = column + i * COLUMN_THREADS;
        if (channel < IN_CHANNELS) {
            var gradient = sums[i];
            if (INPUT_ACTIVATION != 0u) {
                gradient *= slope(input[start + channel], INPUT_ACTIVATION);
            }
            if (ACCUMULATE) {
                gradient += grad_input[start + channel];
            }
            grad_input[start + channel] = gradient;
        }
    }
}

@compute @workgroup_size(THREADS)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let phase = vec2<u32>(group.z % STRIDE_X, group.z / STRIDE_X);
    let vertical = phase_of(phase.y, OFFSET_Y, STRIDE_Y, KERNEL_HEIGHT);
    let horizontal = phase_of(phase.x, OFFSET_X, STRIDE_X, KERNEL_WIDTH);
    let depths = vertical.count * horizontal.count * OUT_CHANNELS;
    let rows = step_inputs.batch_size * PHASE_HEIGHT * PHASE_WIDTH;
    let column_tiles = (IN_CHANNELS + TILE_COLUMNS - 1u) / TILE_COLUMNS;
    let flat = flat_group(group, groups);
    let first_row = flat / column_tiles * TILE_ROWS;
    let first_column = flat % column_tiles * TILE_COLUMNS;
    let thread_row = local / COLUMN_THREADS;
    let thread_column = local % COLUMN_THREADS;
    var sum0 = vec4<f32>(0.0);
    var sum1 = vec4<f32>(0.0);
    var sum2 = vec4<f32>(0.0);
    var sum3 = vec4<f32>(0.0);
    var sum4 = vec4<f32>(0.0);
    var sum5 = vec4<f32>(0.0);
    var sum6 = vec4<f32>(0.0);
    var sum7 = vec4<f32>(0.0);
    for (var depth = 0u; depth < depths; depth += TILE_DEPTH) {
        for (var i = local; i < WINDOW_TILE; i += THREADS) {
            let term = depth + i % 4u * 4u;
            windows[i] = gradient_numbers(first_row + i / 4u, rows, term, vertical, horizontal);
        }
        for (var i = local; i < KERNEL_TILE; i += THREADS) {
            let term = depth + i % 4u * 4u;
            kernel[i / 4u * COLUMN_STRIDE + i % 4u] =
                kernel_numbers(first_column + i / 4u, term, depths, vertical, horizontal);
        }
        workgroupBarrier();
        for (var quarter = 0u; quarter < TILE_DEPTH / 4u; quarter += 1u) {
            // An invocation's rows and columns are apart, so that neighbours read neighbouring memory.
            let k = thread_column * COLUMN_STRIDE + quarter;
            let columns_apart = COLUMN_THREADS * COLUMN_STRIDE;
            let b = transpose(mat4x4<f32>(
                kernel[k],
                kernel[k + columns_apart],
                kernel[k + 2u * columns_apart],
                kernel[k + 3u * columns_apart],
            ));
            let w = thread_row * 4u + quarter;
            let apart = ROW_THREADS * 4u;
            sum0 = multiply_add(sum0, windows[w], b[0], b[1], b[2], b[3]);
            sum1 = multiply_add(sum1, windows[w + apart], b[0], b[1], b[2], b[3]);
            sum2 = multiply_add(sum2, windows[w + 2u * apart], b[0], b[1], b[2], b[3]);
            sum3 = multiply_add(sum3, windows[w + 3u * apart], b[0], b[1], b[2], b[3]);
            sum4 = multiply_add(sum4, windows[w + 4u * apart], b[0], b[1], b[2], b[3]);
            sum5 = multiply_add(sum5, windows[w + 5u * apart], b[0], b[1], b[2], b[3]);
            sum6 = multiply_add(sum6, windows[w + 6u * apart], b[0], b[1], b[2], b[3]);
            sum7 = multiply_add(sum7, windows[w + 7u * apart], b[0], b[1], b[2], b[3]);
        }
        workgroupBarrier();
    }
    let row = first_row + thread_row;
    let column = first_column + thread_column;
    store(row, rows, column, phase, sum0);
    store(row + ROW_THREADS, rows, column, phase, sum1);
    store(row + 2u * ROW_THREADS, rows, column, phase, sum2);
    store(row + 3u * ROW_THREADS, rows, column, phase, sum3);
    store(row + 4u * ROW_THREADS, rows, column, phase, sum4);
    store(row + 5u * ROW_THREADS, rows, column, phase, sum5);
    store(row + 6u * ROW_THREADS, rows, column, phase, sum6);
    store(row + 7u * ROW_THREADS, rows, column, phase, sum7);
}
