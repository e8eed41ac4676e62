// input, grad_output -> grad_block, as a matrix product: windows, transposed, times grad_output. A row is a place in the
// kernel, a column an output channel, and the sum runs over all output pixels of the batch.
//
// That sum is long and the product small, so `main` cuts it into SPLITS parts (the grid's third axis), each of which
// writes a product of its own; `finish` adds them in order. With one part, `main` writes the gradient itself.
override SPLITS: u32;
// Output pixels in a part.
override SPLIT_ROWS: u32;
// From one part's product to the next, and from a product to its bias.
override SPLIT_LEN: u32;
override SPLIT_BIAS: u32;

@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read> grad_output: array<f32>;
@group(0) @binding(3) var<storage, read> input_vec4: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> grad_output_vec4: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> products: array<f32>;
// Bound by `finish` alone.
@group(0) @binding(1) var<storage, read> parts: array<f32>;
@group(0) @binding(2) var<storage, read_write> grad_block: array<f32>;

override WINDOW_TILE: u32 = TILE_DEPTH * TILE_ROWS / 4u;
override GRADIENT_TILE: u32 = TILE_DEPTH * TILE_COLUMNS / 4u;
// Output pixels of the window matrix, four kernel places to an element.
var<workgroup> windows: array<vec4<f32>, WINDOW_TILE>;
// Output pixels of the gradient, four channels to an element.
var<workgroup> gradients: array<vec4<f32>, GRADIENT_TILE>;

fn gradient_number(row: u32, column: u32) -> f32 {
    if (column >= OUT_CHANNELS) {
        return 0.0;
    }
    return grad_output[row * OUT_CHANNELS + column];
}

fn gradient_numbers(row: u32, rows: u32, column: u32) -> vec4<f32> {
    if (row >= rows || column >= OUT_CHANNELS) {
        return vec4<f32>(0.0);
    }
    if (OUT_CHANNELS % 4u == 0u) {
        return grad_output_vec4[(row * OUT_CHANNELS + column) / 4u];
    }
    return vec4<f32>(
        gradient_number(row, column),
        gradient_number(row, column + 1u),
        gradient_number(row, column + 2u),
        gradient_number(row, column + 3u),
    );
}

fn store(start: u32, place: u32, places: u32, column: u32, sums: vec4<f32>) {
    if (place >= places) {
        return;
    }
    for (var i = 0u; i < min(4u, OUT_CHANNELS - min(column, OUT_CHANNELS)); i += 1u) {
        products[start + place * OUT_CHANNELS + column + i] = sums[i];
    }
}

@compute @workgroup_size(THREADS)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let column_tiles = (OUT_CHANNELS + TILE_COLUMNS - 1u) / TILE_COLUMNS;
    let flat = flat_group(group, groups);
    let first_place = flat / column_tiles * TILE_ROWS;
    let first_column = flat % column_tiles * TILE_COLUMNS;
    let thread_row = local / COLUMN_THREADS;
    let thread_column = local % COLUMN_THREADS;
    // The bias is the sum of the gradient alone; the first row of workgroups sees to it.
    let sums_bias = first_place == 0u;
    let start = group.z * SPLIT_ROWS;
    let end = min(start + SPLIT_ROWS, step_inputs.batch_size * OUTPUT_PIXELS);
    var sum0 = vec4<f32>(0.0);
    var sum1 = vec4<f32>(0.0);
    var sum2 = vec4<f32>(0.0);
    var sum3 = vec4<f32>(0.0);
    var sum4 = vec4<f32>(0.0);
    var sum5 = vec4<f32>(0.0);
    var sum6 = vec4<f32>(0.0);
    var sum7 = vec4<f32>(0.0);
    var bias = vec4<f32>(0.0);
    for (var row = start; row < end; row += TILE_DEPTH) {
        for (var i = local; i < WINDOW_TILE; i += THREADS) {
            let place = first_place + i % (2u * ROW_THREADS) * 4u;
            windows[i] = window_numbers(row + i / (2u * ROW_THREADS), end, place);
        }
        for (var i = local; i < GRADIENT_TILE; i += THREADS) {
            let column = first_column + i % COLUMN_THREADS * 4u;
            gradients[i] = gradient_numbers(row + i / COLUMN_THREADS, end, column);
        }
        workgroupBarrier();
        for (var term = 0u; term < TILE_DEPTH; term += 1u) {
            let b = gradients[term * COLUMN_THREADS + thread_column];
            let low = windows[term * 2u * ROW_THREADS + thread_row];
            let high = windows[term * 2u * ROW_THREADS + ROW_THREADS + thread_row];
            sum0 = b * low.x + sum0;
            sum1 = b * low.y + sum1;
            sum2 = b * low.z + sum2;
            sum3 = b * low.w + sum3;
            sum4 = b * high.x + sum4;
            sum5 = b * high.y + sum5;
            sum6 = b * high.z + sum6;
            sum7 = b * high.w + sum7;
            if (sums_bias) {
                bias += b;
            }
        }
        workgroupBarrier();
    }
    let product = group.z * SPLIT_LEN;
    let low = first_place + thread_row * 4u;
    let high = low + ROW_THREADS * 4u;
    let column = first_column + thread_column * 4u;
    store(product, low, DEPTH, column, sum0);
    store(product, low + 1u, DEPTH, column, sum1);
    store(product, low + 2u, DEPTH, column, sum2);
    store(product, low + 3u, DEPTH, column, sum3);
    store(product, high, DEPTH, column, sum4);
    store(product, high + 1u, DEPTH, column, sum5);
    store(product, high + 2u, DEPTH, column, sum6);
    store(product, high + 3u, DEPTH, column, sum7);
    if (sums_bias && thread_row == 0u) {
        store(product + SPLIT_BIAS, 0u, 1u, column, bias);
    }
}

// One number of the gradient an invocation.
@compute @workgroup_size(64)
fn finish(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = flat_index(group, groups, local);
    if (index >= (DEPTH + 1u) * OUT_CHANNELS) {
        return;
    }
    let is_bias = index >= DEPTH * OUT_CHANNELS;
    let bias_column = index - min(index, DEPTH * OUT_CHANNELS);
    let place = select(index, SPLIT_BIAS + bias_column, is_bias);
    var sum = 0.0;
    for (var split = 0u; split < SPLITS; split += 1u) {
        sum += parts[split * SPLIT_LEN + place];
    }
    grad_block[select(index, BIAS_OFFSET + bias_column, is_bias)] = sum;
}
