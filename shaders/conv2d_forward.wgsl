// input, block, running, norm_block -> output, as a matrix product: windows times kernel. A row is an output pixel, a column
// an output channel. With NORM, what is stored is normalised by the running statistics; without, these and the norm's block
// are not read, nor is the latter without RESCALE.
// `finish` adds up the parts of the sums where there are some; that wants a multiple of 4 output channels.
// With STATISTICS, which wants a multiple of 4 output channels, scratch gets the mean of every channel over the tile's rows
// and the sum of the squared differences from it, for `batch_norm_statistics`.
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
// Bound by `finish` alone, beside the parts and those of the norm.
@group(0) @binding(2) var<storage, read> parameters: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> whole: array<vec4<f32>>;

// The windows of an invocation's rows.
struct Aim {
    corners: array<Corner, 4>,
}

fn aim_at(first_row: u32, part: u32) -> Aim {
    let rows = step_inputs.batch_size * OUTPUT_PIXELS;
    let row = first_row + part;
    let apart = TILE_ROWS / 4u;
    return Aim(array<Corner, 4>(
        corner_of(row, rows),
        corner_of(row + apart, rows),
        corner_of(row + 2u * apart, rows),
        corner_of(row + 3u * apart, rows),
    ));
}

fn left_block(aim: Aim, term: u32, end: u32) -> mat4x4<f32> {
    return mat4x4<f32>(
        window_numbers(aim.corners[0], term),
        window_numbers(aim.corners[1], term),
        window_numbers(aim.corners[2], term),
        window_numbers(aim.corners[3], term),
    );
}

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

fn right_block(term: u32, end: u32, column: u32) -> mat4x4<f32> {
    return mat4x4<f32>(
        kernel_numbers(term, column),
        kernel_numbers(term + 1u, column),
        kernel_numbers(term + 2u, column),
        kernel_numbers(term + 3u, column),
    );
}

// Numbers stored by an invocation, their means and the sums of their squared differences from those, in the left and the
// right half of its columns.
var<private> counts: array<f32, 2>;
var<private> means: array<vec4<f32>, 2>;
var<private> spreads: array<vec4<f32>, 2>;

fn observe(half: u32, values: vec4<f32>) {
    counts[half] += 1.0;
    let difference = values - means[half];
    means[half] += difference / counts[half];
    spreads[half] += difference * (values - means[half]);
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

// What is stored of the sums, unless they are parts.
fn finished(first_row: u32, row: u32, column: u32, sums: vec4<f32>) -> vec4<f32> {
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

// From the output's first number to those of this workgroup's part.
var<private> part_start: u32;

fn store(first_row: u32, row: u32, column: u32, half: u32, values: vec4<f32>) {
    let pixel = first_row + row;
    if (pixel >= step_inputs.batch_size * OUTPUT_PIXELS || column >= OUT_CHANNELS) {
        return;
    }
    let start = part_start + pixel * OUT_CHANNELS + column;
    if (OUT_CHANNELS % 4u == 0u) {
        output[start] = values.x;
        output[start + 1u] = values.y;
        output[start + 2u] = values.z;
        output[start + 3u] = values.w;
        if (STATISTICS) {
            observe(half, values);
        }
        return;
    }
    for (var i = 0u; i < min(4u, OUT_CHANNELS - column); i += 1u) {
        output[start + i] = values[i];
    }
}

// Moments of the tile's columns in one half, from those of all invocations that have stored them.
fn conclude(local: u32, first_row: u32, column: u32, half: u32) {
    workgroupBarrier();
    let place = row_of(local) * COLUMN_THREADS + column_of(local);
    tile[place] = means[half];
    tile[THREADS + place] = spreads[half];
    tile[2u * THREADS + place] = vec4<f32>(counts[half]);
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
    var spread = vec4<f32>(0.0);
    for (var other = local; other < THREADS; other += COLUMN_THREADS) {
        let difference = tile[other] - mean;
        spread += tile[THREADS + other] + tile[2u * THREADS + other] * difference * difference;
    }
    let start = first_row / TILE_ROWS * OUT_CHANNELS + column;
    scratch[start] = vec2<f32>(mean.x, spread.x);
    scratch[start + 1u] = vec2<f32>(mean.y, spread.y);
    scratch[start + 2u] = vec2<f32>(mean.z, spread.z);
    scratch[start + 3u] = vec2<f32>(mean.w, spread.w);
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
    part_start = group.z * SPLIT_LEN;
    let start = group.z * part_terms(DEPTH);
    multiply(local, first_row, first_column, start, min(start + part_terms(DEPTH), DEPTH));
    if (STATISTICS) {
        let column = first_column + local % COLUMN_THREADS * 4u;
        conclude(local, first_row, column, 0u);
        if (WIDTH == 8u) {
            conclude(local, first_row, column + TILE_COLUMNS / 2u, 1u);
        }
    }
}

// Four numbers of the output an invocation.
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
    let sum = sum_of_parts(index);
    let column = 4u * index % OUT_CHANNELS;
    whole[index] = values_of(sum, parameters[(BIAS_OFFSET + column) / 4u], column);
}
