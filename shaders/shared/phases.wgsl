#import convolution
#import step
#import window_origin

// The backward pass of a convolution to its input, in phases: input pixels whose positions agree modulo the stride meet the same
// kernel positions. Such a phase is a convolution of stride 1 over grad_output, so no product with a zero is ever made.
// Kernel positions run backwards, so that a line of a gradient window is contiguous in memory.
override OUTPUT_LINE: u32 = OUTPUT_WIDTH * OUT_CHANNELS;
// Rows and columns of input pixels in a phase.
override PHASE_HEIGHT: u32 = (INPUT_HEIGHT + STRIDE_Y - 1u) / STRIDE_Y;
override PHASE_WIDTH: u32 = (INPUT_WIDTH + STRIDE_X - 1u) / STRIDE_X;

// A phase along one axis.
struct Phase {
    // First kernel position that meets its pixels, and how many do, a stride apart.
    first: u32,
    count: u32,
    // From a pixel's index in the phase to the first output pixel that it reaches.
    shift: i32,
}

fn phase_of(remainder: u32, offset: i32, stride: u32, kernel_size: u32) -> Phase {
    let position = i32(remainder) + offset;
    // The remainder as mathematics has it, never negative.
    let first = ((position % i32(stride)) + i32(stride)) % i32(stride);
    let count = (max(kernel_size, u32(first)) - u32(first) + stride - 1u) / stride;
    return Phase(u32(first), count, (position - first) / i32(stride) - i32(count) + 1);
}

// This workgroup's phases along both axes, and the remainders modulo the stride, column then row, that they stand for.
var<private> vertical: Phase;
var<private> horizontal: Phase;
var<private> phase_offset: vec2<u32>;

// The gradient window of matrix row `row`; beyond the matrix, one that meets no pixel.
fn window_origin(row: u32) -> WindowOrigin {
    let sample = row / (PHASE_HEIGHT * PHASE_WIDTH);
    let pixel = row % (PHASE_HEIGHT * PHASE_WIDTH);
    let top = i32(pixel / PHASE_WIDTH) + vertical.shift;
    let left = (i32(pixel % PHASE_WIDTH) + horizontal.shift) * i32(OUT_CHANNELS);
    let start = (i32(sample * OUTPUT_HEIGHT) + top) * i32(OUTPUT_LINE) + left;
    return WindowOrigin(select(i32(OUTPUT_HEIGHT), top, sample < step_inputs.batch_size), left, start);
}

// Whether that element of that line of a gradient window lies inside grad_output.
fn is_inside(origin: WindowOrigin, line: u32, element: u32) -> bool {
    // A negative number is a very large one.
    return u32(origin.top + i32(line)) < OUTPUT_HEIGHT && u32(origin.left + i32(element)) < OUTPUT_LINE;
}

const OUT_OF_RANGE: u32 = 0xffffffffu;

// The index of an input element, by its row and column in the product; OUT_OF_RANGE beyond the input.
fn input_index(row: u32, column: u32) -> u32 {
    let sample = row / (PHASE_HEIGHT * PHASE_WIDTH);
    let pixel = row % (PHASE_HEIGHT * PHASE_WIDTH);
    let y = pixel / PHASE_WIDTH * STRIDE_Y + phase_offset.y;
    let x = pixel % PHASE_WIDTH * STRIDE_X + phase_offset.x;
    let beyond = sample >= step_inputs.batch_size || y >= INPUT_HEIGHT || x >= INPUT_WIDTH;
    let index = ((sample * INPUT_HEIGHT + y) * INPUT_WIDTH + x) * IN_CHANNELS + column;
    return select(index, OUT_OF_RANGE, beyond || column >= IN_CHANNELS);
}
