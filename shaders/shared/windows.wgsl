// The input seen as the matrix of its windows: a row an output pixel, a column a number under its window, in the order of
// the kernel. Never materialised. A line of a window is contiguous in memory, so only its rows are found by division.
// A kernel that includes this binds the input twice, as `input` and as `input_vec4`.
override WINDOW_LINE: u32 = KERNEL_WIDTH * IN_CHANNELS;
override DEPTH: u32 = KERNEL_HEIGHT * KERNEL_WIDTH * IN_CHANNELS;
override INPUT_LINE: u32 = INPUT_WIDTH * IN_CHANNELS;
override OUTPUT_PIXELS: u32 = OUTPUT_HEIGHT * OUTPUT_WIDTH;

fn window_number(sample: u32, top: i32, left: i32, depth: u32) -> f32 {
    let y = top + i32(depth / WINDOW_LINE);
    let x = left + i32(depth % WINDOW_LINE);
    if (depth >= DEPTH || y < 0 || y >= i32(INPUT_HEIGHT) || x < 0 || x >= i32(INPUT_LINE)) {
        return 0.0;
    }
    return input[(sample * INPUT_HEIGHT + u32(y)) * INPUT_LINE + u32(x)];
}

// Columns depth .. depth + 3 of a row below `rows`; zeros beyond the matrix.
fn window_numbers(row: u32, rows: u32, depth: u32) -> vec4<f32> {
    if (row >= rows) {
        return vec4<f32>(0.0);
    }
    let sample = row / OUTPUT_PIXELS;
    let pixel = row % OUTPUT_PIXELS;
    let top = i32(pixel / OUTPUT_WIDTH * STRIDE_Y) - OFFSET_Y;
    let left = (i32(pixel % OUTPUT_WIDTH * STRIDE_X) - OFFSET_X) * i32(IN_CHANNELS);
    if (IN_CHANNELS % 4u == 0u) {
        let y = top + i32(depth / WINDOW_LINE);
        let x = left + i32(depth % WINDOW_LINE);
        if (depth >= DEPTH || y < 0 || y >= i32(INPUT_HEIGHT) || x < 0 || x >= i32(INPUT_LINE)) {
            return vec4<f32>(0.0);
        }
        return input_vec4[((sample * INPUT_HEIGHT + u32(y)) * INPUT_LINE + u32(x)) / 4u];
    }
    return vec4<f32>(
        window_number(sample, top, left, depth),
        window_number(sample, top, left, depth + 1u),
        window_number(sample, top, left, depth + 2u),
        window_number(sample, top, left, depth + 3u),
    );
}
