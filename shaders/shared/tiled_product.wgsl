#import splits

// A matrix product in tiles: a workgroup makes TILE_ROWS x TILE_COLUMNS of its elements, an invocation 8 x WIDTH of them
// (WIDTH is 4 or 8). Where the product is small, SLICES invocations share such a block, each with its slice of the terms;
// their sums are added in order at the end. While some terms are multiplied, the next are on their way from memory.
//
// The importing shader says what the matrices are: `LeftRows`, what an invocation keeps of the 4 rows that it loads;
// `left_rows(first_row, index)`, rows `index + TILE_ROWS / 4 * i` of the tile at `first_row`; `left_block(rows, term, end)`,
// those 4 rows with terms `term .. term + 3`; `right_block(term, end, column)`, 4 terms of columns `column .. column + 3`;
// zeros beyond the matrices. `epilogue(first_row, row, column, sums)` makes of 4 sums of a row of the tile what is stored, and
// `store(first_row, row, column, half, values)` stores it; `half` is 1 in the right half of a wide tile. All that an invocation
// reads for that is read before it stores: a driver would not change their order.
override TILE_ROWS: u32;
override TILE_COLUMNS: u32;
// Terms in workgroup memory at a time, a multiple of 4 * SLICES.
override TILE_DEPTH: u32;
override WIDTH: u32;
override SLICES: u32;

// Invocations of a slice, below each other and side by side.
override ROW_THREADS: u32 = TILE_ROWS / 8u;
override COLUMN_THREADS: u32 = TILE_COLUMNS / WIDTH;
override SLICE_THREADS: u32 = ROW_THREADS * COLUMN_THREADS;
override THREADS: u32 = SLICE_THREADS * SLICES;
override DEPTH_VECTORS: u32 = TILE_DEPTH / 4u;
override COLUMN_VECTORS: u32 = TILE_COLUMNS / 4u;
// Blocks of 4 x 4 elements, at most one a side for an invocation to load.
override LEFT_BLOCKS: u32 = TILE_ROWS * DEPTH_VECTORS / 4u;
override RIGHT_BLOCKS: u32 = DEPTH_VECTORS * COLUMN_VECTORS;
override FIRST_RIGHT: u32 = THREADS - RIGHT_BLOCKS;
override RIGHT_START: u32 = 4u * LEFT_BLOCKS;

// Rows of the left matrix, four terms to a vector; then terms of the right one, four columns to a vector. 16 KiB,
// which every device has.
var<workgroup> tile: array<vec4<f32>, 1024>;

// sum + four terms of a row times four terms of four columns, one multiply-add after another.
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

// The sums of an invocation: 8 rows of 4 columns, and of 4 more where it is wide. They have names because an array stays in
// registers only where the loops over it are unrolled, which a browser's guard against endless loops can prevent. (Through
// llvmpipe, where there is no such guard, an array is as fast.)
struct Sums {
    sum0: vec4<f32>,
    sum1: vec4<f32>,
    sum2: vec4<f32>,
    sum3: vec4<f32>,
    sum4: vec4<f32>,
    sum5: vec4<f32>,
    sum6: vec4<f32>,
    sum7: vec4<f32>,
    wide0: vec4<f32>,
    wide1: vec4<f32>,
    wide2: vec4<f32>,
    wide3: vec4<f32>,
    wide4: vec4<f32>,
    wide5: vec4<f32>,
    wide6: vec4<f32>,
    wide7: vec4<f32>,
}

// Adds the products of four terms, which start at `a` and `b` in the tile. An invocation's rows are ROW_THREADS
// apart, so that neighbours read neighbouring memory.
fn add_products(sums: ptr<function, Sums>, a: u32, b: u32) {
    let spacing = ROW_THREADS * DEPTH_VECTORS;
    let a0 = tile[a];
    let a1 = tile[a + spacing];
    let a2 = tile[a + 2u * spacing];
    let a3 = tile[a + 3u * spacing];
    let a4 = tile[a + 4u * spacing];
    let a5 = tile[a + 5u * spacing];
    let a6 = tile[a + 6u * spacing];
    let a7 = tile[a + 7u * spacing];
    let b0 = tile[b];
    let b1 = tile[b + COLUMN_VECTORS];
    let b2 = tile[b + 2u * COLUMN_VECTORS];
    let b3 = tile[b + 3u * COLUMN_VECTORS];
    (*sums).sum0 = multiply_add((*sums).sum0, a0, b0, b1, b2, b3);
    (*sums).sum1 = multiply_add((*sums).sum1, a1, b0, b1, b2, b3);
    (*sums).sum2 = multiply_add((*sums).sum2, a2, b0, b1, b2, b3);
    (*sums).sum3 = multiply_add((*sums).sum3, a3, b0, b1, b2, b3);
    (*sums).sum4 = multiply_add((*sums).sum4, a4, b0, b1, b2, b3);
    (*sums).sum5 = multiply_add((*sums).sum5, a5, b0, b1, b2, b3);
    (*sums).sum6 = multiply_add((*sums).sum6, a6, b0, b1, b2, b3);
    (*sums).sum7 = multiply_add((*sums).sum7, a7, b0, b1, b2, b3);
    if (WIDTH == 8u) {
        let c0 = tile[b + COLUMN_THREADS];
        let c1 = tile[b + COLUMN_THREADS + COLUMN_VECTORS];
        let c2 = tile[b + COLUMN_THREADS + 2u * COLUMN_VECTORS];
        let c3 = tile[b + COLUMN_THREADS + 3u * COLUMN_VECTORS];
        (*sums).wide0 = multiply_add((*sums).wide0, a0, c0, c1, c2, c3);
        (*sums).wide1 = multiply_add((*sums).wide1, a1, c0, c1, c2, c3);
        (*sums).wide2 = multiply_add((*sums).wide2, a2, c0, c1, c2, c3);
        (*sums).wide3 = multiply_add((*sums).wide3, a3, c0, c1, c2, c3);
        (*sums).wide4 = multiply_add((*sums).wide4, a4, c0, c1, c2, c3);
        (*sums).wide5 = multiply_add((*sums).wide5, a5, c0, c1, c2, c3);
        (*sums).wide6 = multiply_add((*sums).wide6, a6, c0, c1, c2, c3);
        (*sums).wide7 = multiply_add((*sums).wide7, a7, c0, c1, c2, c3);
    }
}

// The first row of an invocation's block of the tile. Neighbours go down and then right: of four in a row, pairs want the same rows
// and pairs the same columns, which a device can read from workgroup memory at once.
fn row_of(lane: u32) -> u32 {
    return lane / (2u * COLUMN_THREADS) * 2u + lane % 2u;
}

fn column_of(lane: u32) -> u32 {
    return lane / 2u % COLUMN_THREADS;
}

// Terms of a split of sums of `terms`.
fn split_terms(terms: u32) -> u32 {
    let stages = (terms + TILE_DEPTH - 1u) / TILE_DEPTH;
    return (stages + SPLITS - 1u) / SPLITS * TILE_DEPTH;
}

// The tile at `first_row` and `first_column`, terms `start` up to `end`; for the whole workgroup to call together.
fn multiply_tile(local: u32, first_row: u32, first_column: u32, start: u32, end: u32) {
    let slice = local / SLICE_THREADS;
    let lane = local % SLICE_THREADS;
    let thread_row = row_of(lane);
    let thread_column = column_of(lane);

    let rows = left_rows(first_row, local / DEPTH_VECTORS);
    let left_term = local % DEPTH_VECTORS * 4u;
    let right_index = local - min(FIRST_RIGHT, local);
    let right_term = right_index / COLUMN_VECTORS * 4u;
    let right_column = first_column + right_index % COLUMN_VECTORS * 4u;
    let right_start_in_tile = RIGHT_START + right_term * COLUMN_VECTORS + right_index % COLUMN_VECTORS;
    let loads_left = local < LEFT_BLOCKS;
    let loads_right = local >= FIRST_RIGHT;
    // Where nobody loads for both sides, one block is enough to carry: `right` is unused.
    let one_side = LEFT_BLOCKS <= FIRST_RIGHT;
    let start_in_tile = select(right_start_in_tile, local, loads_left);
    let spacing = select(COLUMN_VECTORS, LEFT_BLOCKS, loads_left);
    var left = mat4x4<f32>();
    var right = mat4x4<f32>();
    if (loads_left) {
        left = left_block(rows, start + left_term, end);
    }
    if (loads_right) {
        if (one_side) {
            left = right_block(start + right_term, end, right_column);
        } else {
            right = right_block(start + right_term, end, right_column);
        }
    }

    var sums = Sums();
    for (var term = start; term < end; term += TILE_DEPTH) {
        if (loads_left || (one_side && loads_right)) {
            tile[start_in_tile] = left[0];
            tile[start_in_tile + spacing] = left[1];
            tile[start_in_tile + 2u * spacing] = left[2];
            tile[start_in_tile + 3u * spacing] = left[3];
        }
        if (!one_side && loads_right) {
            tile[right_start_in_tile] = right[0];
            tile[right_start_in_tile + COLUMN_VECTORS] = right[1];
            tile[right_start_in_tile + 2u * COLUMN_VECTORS] = right[2];
            tile[right_start_in_tile + 3u * COLUMN_VECTORS] = right[3];
        }
        workgroupBarrier();
        let next = term + TILE_DEPTH;
        if (next < end) {
            if (loads_left) {
                left = left_block(rows, next + left_term, end);
            }
            if (loads_right) {
                if (one_side) {
                    left = right_block(next + right_term, end, right_column);
                } else {
                    right = right_block(next + right_term, end, right_column);
                }
            }
        }
        let a = thread_row * DEPTH_VECTORS;
        let b = RIGHT_START + thread_column;
        if (SLICES == 1u && DEPTH_VECTORS == 4u) {
            // Written out, since not every compiler does.
            add_products(&sums, a, b);
            add_products(&sums, a + 1u, b + 4u * COLUMN_VECTORS);
            add_products(&sums, a + 2u, b + 8u * COLUMN_VECTORS);
            add_products(&sums, a + 3u, b + 12u * COLUMN_VECTORS);
        } else {
            for (var depth_vector = slice; depth_vector < DEPTH_VECTORS; depth_vector += SLICES) {
                add_products(&sums, a + depth_vector, b + depth_vector * 4u * COLUMN_VECTORS);
            }
        }
        workgroupBarrier();
    }

    let column = first_column + thread_column * 4u;
    if (SLICES > 1u) {
        let slice_start = slice * 8u * SLICE_THREADS + lane;
        tile[slice_start] = sums.sum0;
        tile[slice_start + SLICE_THREADS] = sums.sum1;
        tile[slice_start + 2u * SLICE_THREADS] = sums.sum2;
        tile[slice_start + 3u * SLICE_THREADS] = sums.sum3;
        tile[slice_start + 4u * SLICE_THREADS] = sums.sum4;
        tile[slice_start + 5u * SLICE_THREADS] = sums.sum5;
        tile[slice_start + 6u * SLICE_THREADS] = sums.sum6;
        tile[slice_start + 7u * SLICE_THREADS] = sums.sum7;
        workgroupBarrier();
        for (var block_row = slice; block_row < 8u; block_row += SLICES) {
            var sum = tile[block_row * SLICE_THREADS + lane];
            for (var other = 1u; other < SLICES; other += 1u) {
                sum += tile[(other * 8u + block_row) * SLICE_THREADS + lane];
            }
            let row = thread_row + block_row * ROW_THREADS;
            store(first_row, row, column, 0u, epilogue(first_row, row, column, sum));
        }
        return;
    }
    sums.sum0 = epilogue(first_row, thread_row, column, sums.sum0);
    sums.sum1 = epilogue(first_row, thread_row + ROW_THREADS, column, sums.sum1);
    sums.sum2 = epilogue(first_row, thread_row + 2u * ROW_THREADS, column, sums.sum2);
    sums.sum3 = epilogue(first_row, thread_row + 3u * ROW_THREADS, column, sums.sum3);
    sums.sum4 = epilogue(first_row, thread_row + 4u * ROW_THREADS, column, sums.sum4);
    sums.sum5 = epilogue(first_row, thread_row + 5u * ROW_THREADS, column, sums.sum5);
    sums.sum6 = epilogue(first_row, thread_row + 6u * ROW_THREADS, column, sums.sum6);
    sums.sum7 = epilogue(first_row, thread_row + 7u * ROW_THREADS, column, sums.sum7);
    store(first_row, thread_row, column, 0u, sums.sum0);
    store(first_row, thread_row + ROW_THREADS, column, 0u, sums.sum1);
    store(first_row, thread_row + 2u * ROW_THREADS, column, 0u, sums.sum2);
    store(first_row, thread_row + 3u * ROW_THREADS, column, 0u, sums.sum3);
    store(first_row, thread_row + 4u * ROW_THREADS, column, 0u, sums.sum4);
    store(first_row, thread_row + 5u * ROW_THREADS, column, 0u, sums.sum5);
    store(first_row, thread_row + 6u * ROW_THREADS, column, 0u, sums.sum6);
    store(first_row, thread_row + 7u * ROW_THREADS, column, 0u, sums.sum7);
    if (WIDTH == 8u) {
        let right_half = column + TILE_COLUMNS / 2u;
        sums.wide0 = epilogue(first_row, thread_row, right_half, sums.wide0);
        sums.wide1 = epilogue(first_row, thread_row + ROW_THREADS, right_half, sums.wide1);
        sums.wide2 = epilogue(first_row, thread_row + 2u * ROW_THREADS, right_half, sums.wide2);
        sums.wide3 = epilogue(first_row, thread_row + 3u * ROW_THREADS, right_half, sums.wide3);
        sums.wide4 = epilogue(first_row, thread_row + 4u * ROW_THREADS, right_half, sums.wide4);
        sums.wide5 = epilogue(first_row, thread_row + 5u * ROW_THREADS, right_half, sums.wide5);
        sums.wide6 = epilogue(first_row, thread_row + 6u * ROW_THREADS, right_half, sums.wide6);
        sums.wide7 = epilogue(first_row, thread_row + 7u * ROW_THREADS, right_half, sums.wide7);
        store(first_row, thread_row, right_half, 1u, sums.wide0);
        store(first_row, thread_row + ROW_THREADS, right_half, 1u, sums.wide1);
        store(first_row, thread_row + 2u * ROW_THREADS, right_half, 1u, sums.wide2);
        store(first_row, thread_row + 3u * ROW_THREADS, right_half, 1u, sums.wide3);
        store(first_row, thread_row + 4u * ROW_THREADS, right_half, 1u, sums.wide4);
        store(first_row, thread_row + 5u * ROW_THREADS, right_half, 1u, sums.wide5);
        store(first_row, thread_row + 6u * ROW_THREADS, right_half, 1u, sums.wide6);
        store(first_row, thread_row + 7u * ROW_THREADS, right_half, 1u, sums.wide7);
    }
}
