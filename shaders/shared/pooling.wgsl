#import coordinates

// The shapes of a pooling, NHWC; input and output have the same channels.
override CHANNELS: u32;
override INPUT_HEIGHT: i32;
override INPUT_WIDTH: i32;
override OUTPUT_HEIGHT: i32;
override OUTPUT_WIDTH: i32;
override KERNEL_HEIGHT: i32;
override KERNEL_WIDTH: i32;
override STRIDE_Y: i32;
override STRIDE_X: i32;
override OFFSET_Y: i32;
override OFFSET_X: i32;

fn input_index(at: Coordinates, y: i32, x: i32) -> u32 {
    let line = at.sample * u32(INPUT_HEIGHT) + u32(y);
    return (line * u32(INPUT_WIDTH) + u32(x)) * CHANNELS + at.channel;
}

fn output_index(at: Coordinates, y: i32, x: i32) -> u32 {
    let line = at.sample * u32(OUTPUT_HEIGHT) + u32(y);
    return (line * u32(OUTPUT_WIDTH) + u32(x)) * CHANNELS + at.channel;
}

// The window of an output pixel, clipped to the input: first row and column, then the ones after the last.
fn clipped_window(y: i32, x: i32) -> vec4<i32> {
    let top = y * STRIDE_Y - OFFSET_Y;
    let left = x * STRIDE_X - OFFSET_X;
    return vec4<i32>(
        max(top, 0),
        max(left, 0),
        min(top + KERNEL_HEIGHT, INPUT_HEIGHT),
        min(left + KERNEL_WIDTH, INPUT_WIDTH),
    );
}

// The output pixels whose windows hold an input pixel: first row and column, then the ones after the last.
fn windows_over(y: i32, x: i32) -> vec4<i32> {
    let below = y + OFFSET_Y;
    let right = x + OFFSET_X;
    // Dividends are kept from being negative, where division would round the wrong way.
    let first_y = max(below - KERNEL_HEIGHT + STRIDE_Y, 0) / STRIDE_Y;
    let first_x = max(right - KERNEL_WIDTH + STRIDE_X, 0) / STRIDE_X;
    let last_y = select(-1, below / STRIDE_Y, below >= 0);
    let last_x = select(-1, right / STRIDE_X, right >= 0);
    return vec4<i32>(
        first_y,
        first_x,
        min(last_y + 1, OUTPUT_HEIGHT),
        min(last_x + 1, OUTPUT_WIDTH),
    );
}
