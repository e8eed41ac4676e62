#import convolution
#import patch_elements
#import splits
#import step
#import tiled_product
#import weight_splits
#import windows

// input, grad_output -> grad_block, as a matrix product: patches, transposed, times grad_output. A row is an element of the
// kernel's patch, a column an output channel, and the sum runs over all output pixels of the batch.
//
// That sum is long and the product small, so `main` cuts it into SPLITS parts (the grid's third axis), each of which
// writes a product of its own; `finish` adds them in order. With one split, `main` writes the gradient itself.

// Output pixels of a split.
override SPLIT_ROWS: u32;

@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read> grad_output: array<f32>;
@group(0) @binding(3) var<storage, read> input_vec4: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> grad_output_vec4: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> products: array<f32>;

// The first of an invocation's four neighbouring rows.
struct LeftRows {
    first: u32,
}

fn left_rows(first_row: u32, index: u32) -> LeftRows {
    return LeftRows(first_row + 4u * index);
}

fn left_block(rows: LeftRows, term: u32, end: u32) -> mat4x4<f32> {
    return transpose(mat4x4<f32>(
        patch_elements(window_origin(term, end), rows.first),
        patch_elements(window_origin(term + 1u, end), rows.first),
        patch_elements(window_origin(term + 2u, end), rows.first),
        patch_elements(window_origin(term + 3u, end), rows.first),
    ));
}

fn gradient_element(row: u32, column: u32) -> f32 {
    if (column >= OUT_CHANNELS) {
        return 0.0;
    }
    return grad_output[row * OUT_CHANNELS + column];
}

fn gradient_elements(row: u32, rows: u32, column: u32) -> vec4<f32> {
    if (row >= rows || column >= OUT_CHANNELS) {
        return vec4<f32>(0.0);
    }
    if (OUT_CHANNELS % 4u == 0u) {
        return grad_output_vec4[(row * OUT_CHANNELS + column) / 4u];
    }
    return vec4<f32>(
        gradient_element(row, column),
        gradient_element(row, column + 1u),
        gradient_element(row, column + 2u),
        gradient_element(row, column + 3u),
    );
}

// The bias is the sum of the gradient alone; the first row of workgroups sees to it.
var<private> sums_bias: bool;
var<private> bias: vec4<f32>;

fn right_block(term: u32, end: u32, column: u32) -> mat4x4<f32> {
    let block = mat4x4<f32>(
        gradient_elements(term, end, column),
        gradient_elements(term + 1u, end, column),
        gradient_elements(term + 2u, end, column),
        gradient_elements(term + 3u, end, column),
    );
    if (sums_bias) {
        bias += block[0] + block[1] + block[2] + block[3];
    }
    return block;
}

// From the first product to this workgroup's split's.
var<private> product: u32;

fn store_elements(start: u32, column: u32, sums: vec4<f32>) {
    for (var i = 0u; i < min(4u, OUT_CHANNELS - min(column, OUT_CHANNELS)); i += 1u) {
        products[start + column + i] = sums[i];
    }
}

// Nothing is to be done to a sum.
fn epilogue(first_row: u32, row: u32, column: u32, sums: vec4<f32>) -> vec4<f32> {
    return sums;
}

fn store(first_row: u32, row: u32, column: u32, half: u32, sums: vec4<f32>) {
    // Four neighbouring rows are loaded as one, and lie a quarter of the tile apart.
    let element = first_row + row % (TILE_ROWS / 4u) * 4u + row / (TILE_ROWS / 4u);
    if (element < DEPTH) {
        store_elements(product + element * OUT_CHANNELS, column, sums);
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
    let first_row = flat / column_tiles * TILE_ROWS;
    let first_column = flat % column_tiles * TILE_COLUMNS;
    let start = group.z * SPLIT_ROWS;
    let end = min(start + SPLIT_ROWS, step_inputs.batch_size * OUTPUT_PIXELS);
    product = group.z * SPLIT_LEN;
    sums_bias = first_row == 0u;
    multiply_tile(local, first_row, first_column, start, end);
    if (first_row != 0u) {
        return;
    }
    workgroupBarrier();
    tile[local] = bias;
    workgroupBarrier();
    if (local < COLUMN_VECTORS) {
        // Those that load a column are COLUMN_VECTORS apart, in the order of their terms.
        var sum = tile[FIRST_RIGHT + local];
        for (var other = local + COLUMN_VECTORS; other < RIGHT_BLOCKS; other += COLUMN_VECTORS) {
            sum += tile[FIRST_RIGHT + other];
        }
        store_elements(product + SPLIT_BIAS, first_column + 4u * local, sum);
    }
}
