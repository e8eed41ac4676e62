#import convolution
#import window_origin

// The input seen as the matrix of its patches (im2col, never written down): a row an output pixel, a column an element under its
// window, in the order of the kernel. A line of a window is contiguous in memory, so only its lines are found by division.
override WINDOW_LINE: u32 = KERNEL_WIDTH * IN_CHANNELS;
override DEPTH: u32 = KERNEL_HEIGHT * KERNEL_WIDTH * IN_CHANNELS;
override INPUT_LINE: u32 = INPUT_WIDTH * IN_CHANNELS;
override OUTPUT_PIXELS: u32 = OUTPUT_HEIGHT * OUTPUT_WIDTH;

// The window of matrix row `row`; beyond `rows`, one that meets no pixel.
fn window_origin(row: u32, rows: u32) -> WindowOrigin {
    let sample = row / OUTPUT_PIXELS;
    let pixel = row % OUTPUT_PIXELS;
    let top = i32(pixel / OUTPUT_WIDTH * STRIDE_Y) - OFFSET_Y;
    let left = (i32(pixel % OUTPUT_WIDTH * STRIDE_X) - OFFSET_X) * i32(IN_CHANNELS);
    let start = (i32(sample * INPUT_HEIGHT) + top) * i32(INPUT_LINE) + left;
    return WindowOrigin(select(i32(INPUT_HEIGHT), top, row < rows), left, start);
}

// Whether that element of that line of a window lies inside the input.
fn is_inside(origin: WindowOrigin, line: u32, element: u32) -> bool {
    // A negative number is a very large one.
    return u32(origin.top + i32(line)) < INPUT_HEIGHT && u32(origin.left + i32(element)) < INPUT_LINE;
}
