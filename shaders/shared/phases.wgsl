// The backward pass of a convolution to its input, in phases: input pixels whose places agree modulo the stride meet the same
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
    // From a pixel's number in the phase to the first output pixel that it reaches.
    shift: i32,
}

fn phase_of(part: u32, offset: i32, stride: u32, kernel_size: u32) -> Phase {
    let place = i32(part) + offset;
    // The remainder as mathematics has it, never negative.
    let first = ((place % i32(stride)) + i32(stride)) % i32(stride);
    let count = (max(kernel_size, u32(first)) - u32(first) + stride - 1u) / stride;
    return Phase(u32(first), count, (place - first) / i32(stride) - i32(count) + 1);
}

// This workgroup's phases, and its place among them.
var<private> vertical: Phase;
var<private> horizontal: Phase;
var<private> part: vec2<u32>;

// Where a gradient window begins, as `Corner` in shared/windows.wgsl.
struct Corner {
    top: i32,
    left: i32,
    start: i32,
}

// The gradient window of row `row`; beyond the matrix, one that meets no pixel.
fn corner_of(row: u32) -> Corner {
    let sample = row / (PHASE_HEIGHT * PHASE_WIDTH);
    let pixel = row % (PHASE_HEIGHT * PHASE_WIDTH);
    let top = i32(pixel / PHASE_WIDTH) + vertical.shift;
    let left = (i32(pixel % PHASE_WIDTH) + horizontal.shift) * i32(OUT_CHANNELS);
    let start = (i32(sample * OUTPUT_HEIGHT) + top) * i32(OUTPUT_LINE) + left;
    return Corner(select(i32(OUTPUT_HEIGHT), top, sample < step_inputs.batch_size), left, start);
}

fn is_real(corner: Corner, y: u32, x: u32) -> bool {
    // A negative number is a very large one.
    return u32(corner.top + i32(y)) < OUTPUT_HEIGHT && u32(corner.left + i32(x)) < OUTPUT_LINE;
}

const NOWHERE: u32 = 0xffffffffu;

// Place of a number of the input, by its row and column in the product; NOWHERE beyond the input.
fn input_place(row: u32, column: u32) -> u32 {
    let sample = row / (PHASE_HEIGHT * PHASE_WIDTH);
    let pixel = row % (PHASE_HEIGHT * PHASE_WIDTH);
    let y = pixel / PHASE_WIDTH * STRIDE_Y + part.y;
    let x = pixel % PHASE_WIDTH * STRIDE_X + part.x;
    let beyond = sample >= step_inputs.batch_size || y >= INPUT_HEIGHT || x >= INPUT_WIDTH;
    let place = ((sample * INPUT_HEIGHT + y) * INPUT_WIDTH + x) * IN_CHANNELS + column;
    return select(place, NOWHERE, beyond || column >= IN_CHANNELS);
}
