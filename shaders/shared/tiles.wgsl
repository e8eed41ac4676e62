// A tile of a matrix product: a workgroup's tile is TILE_ROWS x TILE_COLUMNS, an invocation's 8 x 4.
override TILE_ROWS: u32;
override TILE_COLUMNS: u32;

// Terms of the sums that are in workgroup memory at a time.
const TILE_DEPTH: u32 = 16u;

override THREADS: u32 = TILE_ROWS * TILE_COLUMNS / 32u;
// Invocations side by side.
override ROW_THREADS: u32 = TILE_ROWS / 8u;
override COLUMN_THREADS: u32 = TILE_COLUMNS / 4u;

// sum + a row of four terms times four rows of four columns, one multiply-add after another.
fn multiply_add(
    sum: vec4<f32>,
    a: vec4<f32>,
    b0: vec4<f32>,
    b1: vec4<f32>,
    b2: vec4<f32>,
    b3: vec4<f32>,
) -> vec4<f32> {
    var result = b0 * a.x + sum;
    result = b1 * a.y + result;
    result = b2 * a.z + result;
    result = b3 * a.w + result;
    return result;
}
