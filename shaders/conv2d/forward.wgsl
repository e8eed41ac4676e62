#import activation
#import convolution
#import normalize
#import patch_elements
#import split_sums
#import splits
#import step
#import tiled_product
#import window_origin
#import windows

// input, block, running, norm_block -> output, as a matrix product: patches times kernel. A row is an output pixel, a column
// an output channel. With NORM, what is stored is normalised by the running statistics; without, these and the norm's block
// are not read, nor is the latter without RESCALE.
// `finish` adds up the splits of the sums where there are some; that wants a multiple of 4 output channels.
// With STATISTICS, which wants a multiple of 4 output channels, scratch gets the mean of every channel over the tile's rows
// and the sum of the squared deviations from it, for batch_norm/statistics.wgsl.

// Offset of the bias in the parameter block.
override BIAS_OFFSET: u32;
override ACTIVATION: u32;
override STATISTICS: bool;

@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read> block: array<f32>;
@group(0) @binding(3) var<storage, read> running: array<f32>;
@group(0) @binding(4) var<storage, read> norm_block: array<f32>;
@group(0) @binding(5) var<storage, read> input_vec4: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read> block_vec4: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> output: array<f32>;
@group(0) @binding(8) var<storage, read_write> scratch: array<vec2<f32>>;
// Bound by `finish` alone, beside the partial sums and the norm's two.
@group(0) @binding(2) var<storage, read> finish_block: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> finish_output: array<vec4<f32>>;

// The windows of an invocation's rows.
struct LeftRows {
    origins: array<WindowOrigin, 4>,
}

fn left_rows(first_row: u32, index: u32) -> LeftRows {
    let rows = step_inputs.batch_size * OUTPUT_PIXELS;
    let row = first_row + index;
    let spacing = TILE_ROWS / 4u;
    return LeftRows(array<WindowOrigin, 4>(
        window_origin(row, rows),
        window_origin(row + spacing, rows),
        window_origin(row + 2u * spacing, rows),
        window_origin(row + 3u * spacing, rows),
    ));
}

fn left_block(rows: LeftRows, term: u32, end: u32) -> mat4x4<f32> {
    return mat4x4<f32>(
        patch_elements(rows.origins[0], term),
        patch_elements(rows.origins[1], term),
        patch_elements(rows.origins[2], term),
        patch_elements(rows.origins[3], term),
    );
}

fn kernel_element(depth: u32, column: u32) -> f32 {
    if (column >= OUT_CHANNELS) {
        return 0.0;
    }
    return block[depth * OUT_CHANNELS + column];
}

fn kernel_elements(depth: u32, column: u32) -> vec4<f32> {
    if (depth >= DEPTH || column >= OUT_CHANNELS) {
        return vec4<f32>(0.0);
    }
    if (OUT_CHANNELS % 4u == 0u) {
        return block_vec4[(depth * OUT_CHANNELS + column) / 4u];
    }
    return vec4<f32>(
        kernel_element(depth, column),
        kernel_element(depth, column + 1u),
        kernel_element(depth, column + 2u),
        kernel_element(depth, column + 3u),
    );
}

fn right_block(term: u32, end: u32, column: u32) -> mat4x4<f32> {
    return mat4x4<f32>(
        kernel_elements(term, column),
        kernel_elements(term + 1u, column),
        kernel_elements(term + 2u, column),
        kernel_elements(term + 3u, column),
    );
}

// How many values an invocation has stored, their means and the sums of their squared deviations from those, in the left and
// the right half of its columns.
var<private> counts: array<f32, 2>;
var<private> means: array<vec4<f32>, 2>;
var<private> squared_deviations: array<vec4<f32>, 2>;

fn update_moments(half: u32, values: vec4<f32>) {
    counts[half] += 1.0;
    let difference = values - means[half];
    means[half] += difference / counts[half];
    squared_deviations[half] += difference * (values - means[half]);
}

// What is stored of four sums from output channel `column`, of which there are four.
fn values_of(sums: vec4<f32>, bias: vec4<f32>, column: u32) -> vec4<f32> {
    let values = activate4(sums + bias, ACTIVATION);
    if (!NORM) {
        return values;
    }
    return vec4<f32>(
        normalize(values.x, column),
        normalize(values.y, column + 1u),
        normalize(values.z, column + 2u),
        normalize(values.w, column + 3u),
    );
}

// What is stored of the sums, unless they are partial.
fn epilogue(first_row: u32, row: u32, column: u32, sums: vec4<f32>) -> vec4<f32> {
    if (SPLITS > 1u || column >= OUT_CHANNELS) {
        return sums;
    }
    if (OUT_CHANNELS % 4u == 0u) {
        return values_of(sums, block_vec4[(BIAS_OFFSET + column) / 4u], column);
    }
    var values = sums;
    for (var i = 0u; i < min(4u, OUT_CHANNELS - column); i += 1u) {
        values[i] = activate(sums[i] + block[BIAS_OFFSET + column + i], ACTIVATION);
        if (NORM) {
            values[i] = normalize(values[i], column + i);
        }
    }
    return values;
}

// From the first element of the output to those of this workgroup's split.
var<private> split_start: u32;

fn store(first_row: u32, row: u32, column: u32, half: u32, values: vec4<f32>) {
    let pixel = first_row + row;
    if (pixel >= step_inputs.batch_size * OUTPUT_PIXELS || column >= OUT_CHANNELS) {
        return;
    }
    let start = split_start + pixel * OUT_CHANNELS + column;
    if (OUT_CHANNELS % 4u == 0u) {
        output[start] = values.x;
        output[start + 1u] = values.y;
        output[start + 2u] = values.z;
        output[start + 3u] = values.w;
        if (STATISTICS) {
            update_moments(half, values);
        }
        return;
    }
    for (var i = 0u; i < min(4u, OUT_CHANNELS - column); i += 1u) {
        output[start + i] = values[i];
    }
}

// Moments of the tile's columns in one half, from those of all invocations that have stored them.
fn store_tile_moments(local: u32, first_row: u32, column: u32, half: u32) {
    workgroupBarrier();
    let thread = row_of(local) * COLUMN_THREADS + column_of(local);
    tile[thread] = means[half];
    tile[THREADS + thread] = squared_deviations[half];
    tile[2u * THREADS + thread] = vec4<f32>(counts[half]);
    workgroupBarrier();
    if (local >= COLUMN_THREADS || column >= OUT_CHANNELS) {
        return;
    }
    var count = vec4<f32>(0.0);
    var mean = vec4<f32>(0.0);
    for (var other = local; other < THREADS; other += COLUMN_THREADS) {
        count += tile[2u * THREADS + other];
        mean += tile[2u * THREADS + other] * tile[other];
    }
    mean /= count;
    var squared_deviation = vec4<f32>(0.0);
    for (var other = local; other < THREADS; other += COLUMN_THREADS) {
        let difference = tile[other] - mean;
        squared_deviation += tile[THREADS + other] + tile[2u * THREADS + other] * difference * difference;
    }
    let start = first_row / TILE_ROWS * OUT_CHANNELS + column;
    scratch[start] = vec2<f32>(mean.x, squared_deviation.x);
    scratch[start + 1u] = vec2<f32>(mean.y, squared_deviation.y);
    scratch[start + 2u] = vec2<f32>(mean.z, squared_deviation.z);
    scratch[start + 3u] = vec2<f32>(mean.w, squared_deviation.w);
}

@compute @workgroup_size(THREADS)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let column_tiles = (OUT_CHANNELS + TILE_COLUMNS - 1u) / TILE_COLUMNS;
    let flat = flat_group(group, groups);
    let first_row = flat / column_tiles * TILE_ROWS;
    let first_column = flat % column_tiles * TILE_COLUMNS;
    if (first_row >= step_inputs.batch_size * OUTPUT_PIXELS) {
        return;
    }
    split_start = group.z * SPLIT_LEN;
    let start = group.z * split_terms(DEPTH);
    multiply_tile(local, first_row, first_column, start, min(start + split_terms(DEPTH), DEPTH));
    if (STATISTICS) {
        let column = first_column + local % COLUMN_THREADS * 4u;
        store_tile_moments(local, first_row, column, 0u);
        if (WIDTH == 8u) {
            store_tile_moments(local, first_row, column + TILE_COLUMNS / 2u, 1u);
        }
    }
}

// Four elements of the output an invocation.
@compute @workgroup_size(64)
fn finish(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = flat_index(group, groups, local);
    if (4u * index >= step_inputs.batch_size * OUTPUT_PIXELS * OUT_CHANNELS) {
        return;
    }
    let sum = sum_of_splits(index);
    let column = 4u * index % OUT_CHANNELS;
    finish_output[index] = values_of(sum, finish_block[(BIAS_OFFSET + column) / 4u], column);
}
