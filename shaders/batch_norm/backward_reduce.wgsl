#import activation
#import step

// input, grad_output, moments, block -> sums. `main` leaves the sums of chunks of rows in scratch; `finish` adds them, a
// channel a workgroup. Without RESCALE the block is not read.
override PIXELS: u32;
override CHANNELS: u32;
// Invocations of a workgroup side by side over channels and over rows.
override CHANNEL_LANES: u32;
override ROW_LANES: u32;
override CHUNK_ROWS: u32;
// Invocations of a workgroup of `finish`, a power of two.
override FINISH_LANES: u32;
override RESCALE: bool;
override ACTIVATION: u32;
// Offset of the second vector of a pair: the inverse standard deviation, the shift, and the sum of the gradient.
override SECOND: u32;

@group(0) @binding(1) var<storage, read_write> scratch: array<vec2<f32>>;
@group(0) @binding(2) var<storage, read> input: array<f32>;
@group(0) @binding(3) var<storage, read> grad_output: array<f32>;
@group(0) @binding(4) var<storage, read> moments: array<f32>;
@group(0) @binding(5) var<storage, read> block: array<f32>;
// Bound by `finish` alone.
@group(0) @binding(2) var<storage, read_write> sums_out: array<f32>;

override LANES: u32 = CHANNEL_LANES * ROW_LANES;
var<workgroup> lanes: array<vec2<f32>, LANES>;
var<workgroup> finish_lanes: array<vec2<f32>, FINISH_LANES>;

fn terms(row: u32, channel: u32) -> vec2<f32> {
    let index = row * CHANNELS + channel;
    let normalised = (input[index] - moments[channel]) * moments[SECOND + channel];
    var gradient = grad_output[index];
    if (ACTIVATION != 0u) {
        var value = normalised;
        if (RESCALE) {
            value = value * block[channel] + block[SECOND + channel];
        }
        gradient *= derivative(activate(value, ACTIVATION), ACTIVATION);
    }
    return vec2<f32>(gradient * normalised, gradient);
}

@compute @workgroup_size(LANES)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let rows = step_inputs.batch_size * PIXELS;
    let channel_tiles = (CHANNELS + CHANNEL_LANES - 1u) / CHANNEL_LANES;
    let flat = flat_group(group, groups);
    let first = flat / channel_tiles * CHUNK_ROWS;
    let end = min(first + CHUNK_ROWS, rows);
    let channel = (flat % channel_tiles) * CHANNEL_LANES + local % CHANNEL_LANES;
    var sums = vec2<f32>(0.0);
    if (channel < CHANNELS) {
        for (var row = first + local / CHANNEL_LANES; row < end; row += ROW_LANES) {
            sums += terms(row, channel);
        }
    }
    lanes[local] = sums;
    workgroupBarrier();
    if (local < CHANNEL_LANES && channel < CHANNELS && first < rows) {
        for (var lane = 1u; lane < ROW_LANES; lane += 1u) {
            sums += lanes[lane * CHANNEL_LANES + local];
        }
        scratch[first / CHUNK_ROWS * CHANNELS + channel] = sums;
    }
}

@compute @workgroup_size(FINISH_LANES)
fn finish(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let rows = step_inputs.batch_size * PIXELS;
    let channel = flat_group(group, groups);
    var sums = vec2<f32>(0.0);
    if (channel < CHANNELS) {
        for (var first = local * CHUNK_ROWS; first < rows; first += FINISH_LANES * CHUNK_ROWS) {
            sums += scratch[first / CHUNK_ROWS * CHANNELS + channel];
        }
    }
    finish_lanes[local] = sums;
    workgroupBarrier();
    for (var stride = FINISH_LANES / 2u; stride > 0u; stride /= 2u) {
        if (local < stride) {
            sums += finish_lanes[local + stride];
            finish_lanes[local] = sums;
        }
        workgroupBarrier();
    }
    if (local == 0u && channel < CHANNELS) {
        sums_out[channel] = sums.x;
        sums_out[SECOND + channel] = sums.y;
    }
}
