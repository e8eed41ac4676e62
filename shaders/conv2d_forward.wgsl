// input, block -> output, as a matrix product: windows times kernel. A row is an output pixel, a column an output channel.
override ACTIVATION: u32;

@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read> block: array<f32>;
@group(0) @binding(3) var<storage, read> input_vec4: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> block_vec4: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> output: array<f32>;

override WINDOW_TILE: u32 = TILE_ROWS * TILE_DEPTH / 4u;
override KERNEL_TILE: u32 = TILE_DEPTH * TILE_COLUMNS / 4u;
// Rows of the window matrix, four columns to an element.
var<workgroup> windows: array<vec4<f32>, WINDOW_TILE>;
// Rows of the kernel matrix, four columns to an element.
var<workgroup> kernel: array<vec4<f32>, KERNEL_TILE>;

fn kernel_number(depth: u32, column: u32) -> f32 {
    if (column >= OUT_CHANNELS) {
        return 0.0;
    }
    return block[depth * OUT_CHANNELS + column];
}

fn kernel_numbers(depth: u32, column: u32) -> vec4<f32> {
    if (depth >= DEPTH || column >= OUT_CHANNELS) {
        return vec4<f32>(0.0);
    }
    if (OUT_CHANNELS % 4u == 0u) {
        return block_vec4[(depth * OUT_CHANNELS + column) / 4u];
    }
    return vec4<f32>(
        kernel_number(depth, column),
        kernel_number(depth, column + 1u),
        kernel_number(depth, column + 2u),
        kernel_number(depth, column + 3u),
    );
}

fn store(row: u32, rows: u32, column: u32, sums: vec4<f32>) {
    if (row >= rows) {
        return;
    }
    for (var i = 0u; i < min(4u, OUT_CHANNELS - min(column, OUT_CHANNELS)); i += 1u) {
        let value = sums[i] + block[BIAS_OFFSET + column + i];
        output[row * OUT_CHANNELS + column + i] = activate(value, ACTIVATION);
    }
}

@compute @workgroup_size(THREADS)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let rows = step_inputs.batch_size * OUTPUT_PIXELS;
    let column_tiles = (OUT_CHANNELS + TILE_COLUMNS - 1u) / TILE_COLUMNS;
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
    for (var depth = 0u; depth < DEPTH; depth += TILE_DEPTH) {
        for (var i = local; i < WINDOW_TILE; i += THREADS) {
            windows[i] = window_numbers(first_row + i / 4u, rows, depth + i % 4u * 4u);
        }
        for (var i = local; i < KERNEL_TILE; i += THREADS) {
            let column = first_column + i % COLUMN_THREADS * 4u;
            kernel[i] = kernel_numbers(depth + i / COLUMN_THREADS, column);
        }
        workgroupBarrier();
        for (var quarter = 0u; quarter < TILE_DEPTH / 4u; quarter += 1u) {
            let k = quarter * 4u * COLUMN_THREADS + thread_column;
            let b0 = kernel[k];
            let b1 = kernel[k + COLUMN_THREADS];
            let b2 = kernel[k + 2u * COLUMN_THREADS];
            let b3 = kernel[k + 3u * COLUMN_THREADS];
            // An invocation's rows are ROW_THREADS apart, so that neighbours read neighbouring memory.
            let w = thread_row * 4u + quarter;
            let apart = ROW_THREADS * 4u;
            sum0 = multiply_add(sum0, windows[w], b0, b1, b2, b3);
            sum1 = multiply_add(sum1, windows[w + apart], b0, b1, b2, b3);
            sum2 = multiply_add(sum2, windows[w + 2u * apart], b0, b1, b2, b3);
            sum3 = multiply_add(sum3, windows[w + 3u * apart], b0, b1, b2, b3);
            sum4 = multiply_add(sum4, windows[w + 4u * apart], b0, b1, b2, b3);
            sum5 = multiply_add(sum5, windows[w + 5u * apart], b0, b1, b2, b3);
            sum6 = multiply_add(sum6, windows[w + 6u * apart], b0, b1, b2, b3);
            sum7 = multiply_add(sum7, windows[w + 7u * apart], b0, b1, b2, b3);
        }
        workgroupBarrier();
    }
    let row = first_row + thread_row;
    let column = first_column + thread_column * 4u;
    store(row, rows, column, sum0);
    store(row + ROW_THREADS, rows, column, sum1);
    store(row + 2u * ROW_THREADS, rows, column, sum2);
    store(row + 3u * ROW_THREADS, rows, column, sum3);
    store(row + 4u * ROW_THREADS, rows, column, sum4);
    store(row + 5u * ROW_THREADS, rows, column, sum5);
    store(row + 6u * ROW_THREADS, rows, column, sum6);
    store(row + 7u * ROW_THREADS, rows, column, sum7);
}
