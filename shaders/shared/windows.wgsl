// The input seen as the matrix of its windows: a row an output pixel, a column a number under its window, in the order of
// the kernel. Never materialised. A line of a window is contiguous in memory, so only its rows are found by division.
override WINDOW_LINE: u32 = KERNEL_WIDTH * IN_CHANNELS;
override DEPTH: u32 = KERNEL_HEIGHT * KERNEL_WIDTH * IN_CHANNELS;
override INPUT_LINE: u32 = INPUT_WIDTH * IN_CHANNELS;
override OUTPUT_PIXELS: u32 = OUTPUT_HEIGHT * OUTPUT_WIDTH;

// Where a window begins: its first line, counted from the sample's, its first number in a line, and that number's place in
// memory, which may lie outside the sample.
struct Corner {
    top: i32,
    left: i32,
    start: i32,
}

// The window of row `row`; beyond `rows`, one that meets no pixel.
fn corner_of(row: u32, rows: u32) -> Corner {
    let sample = row / OUTPUT_PIXELS;
    let pixel = row % OUTPUT_PIXELS;
    let top = i32(pixel / OUTPUT_WIDTH * STRIDE_Y) - OFFSET_Y;
    let left = (i32(pixel % OUTPUT_WIDTH * STRIDE_X) - OFFSET_X) * i32(IN_CHANNELS);
    let start = (i32(sample * INPUT_HEIGHT) + top) * i32(INPUT_LINE) + left;
    return Corner(select(i32(INPUT_HEIGHT), top, row < rows), left, start);
}

// Whether the number at that line and place of a window is a pixel's.
fn is_real(corner: Corner, line: u32, place: u32) -> bool {
    // A negative number is a very large one.
    return u32(corner.top + i32(line)) < INPUT_HEIGHT && u32(corner.left + i32(place)) < INPUT_LINE;
}
