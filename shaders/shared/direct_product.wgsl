// Matrix products for a device whose workgroups run on a processor: no workgroup memory and no barriers, which cost more
// there than they save. An invocation makes 8 rows of 4 columns, COLUMN_LANES apart, so that neighbours load the same element of
// the left matrix and neighbouring ones of the right. Nothing is divided in the innermost loop.
//
// The importing shader says how many COLUMNS its matrices have, what the right one holds, `right_element(index)`, and what
// becomes of a sum, `store_element(row, column, sum)`, which may lie beyond the product.
override COLUMN_LANES: u32;

const LANES: u32 = 64u;
const ROWS: u32 = 8u;
override ROW_LANES: u32 = LANES / COLUMN_LANES;
override TILE_COLUMNS: u32 = 4u * COLUMN_LANES;
override COLUMN_TILES: u32 = (COLUMNS + TILE_COLUMNS - 1u) / TILE_COLUMNS;

// The sums of an invocation, 8 rows of 4 columns; named as in tiled_product.wgsl.
struct Sums {
    sum0: vec4<f32>,
    sum1: vec4<f32>,
    sum2: vec4<f32>,
    sum3: vec4<f32>,
    sum4: vec4<f32>,
    sum5: vec4<f32>,
    sum6: vec4<f32>,
    sum7: vec4<f32>,
}

// The first row of an invocation.
fn row_of(flat: u32, local: u32) -> u32 {
    return (flat / COLUMN_TILES * ROW_LANES + local / COLUMN_LANES) * ROWS;
}

// The columns of an invocation.
fn columns_of(flat: u32, local: u32) -> vec4<u32> {
    let first = flat % COLUMN_TILES * TILE_COLUMNS + local % COLUMN_LANES;
    return first + COLUMN_LANES * vec4<u32>(0u, 1u, 2u, 3u);
}

// Elements of the right matrix in the row that begins at `start`; beyond it, the last column's.
fn right_elements(start: u32, columns: vec4<u32>) -> vec4<f32> {
    let clamped = min(columns, vec4<u32>(COLUMNS - 1u));
    return vec4<f32>(
        right_element(start + clamped.x),
        right_element(start + clamped.y),
        right_element(start + clamped.z),
        right_element(start + clamped.w),
    );
}

fn store_row(row: u32, columns: vec4<u32>, sums: vec4<f32>) {
    store_element(row, columns.x, sums.x);
    store_element(row, columns.y, sums.y);
    store_element(row, columns.z, sums.z);
    store_element(row, columns.w, sums.w);
}

fn store_sums(row: u32, columns: vec4<u32>, sums: Sums) {
    store_row(row, columns, sums.sum0);
    store_row(row + 1u, columns, sums.sum1);
    store_row(row + 2u, columns, sums.sum2);
    store_row(row + 3u, columns, sums.sum3);
    store_row(row + 4u, columns, sums.sum4);
    store_row(row + 5u, columns, sums.sum5);
    store_row(row + 6u, columns, sums.sum6);
    store_row(row + 7u, columns, sums.sum7);
}
