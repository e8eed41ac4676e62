#import moments
#import step

// input -> moments, running. `main` leaves the moments of chunks of rows in scratch, if the convolution before has not;
// `finish` merges them, a channel a workgroup.
override PIXELS: u32;
override CHANNELS: u32;
// Invocations of a workgroup side by side over channels and over rows.
override CHANNEL_LANES: u32;
override ROW_LANES: u32;
override CHUNK_ROWS: u32;
// Invocations of a workgroup of `finish`, a power of two.
override FINISH_LANES: u32;
override EPSILON: f32;
override MOMENTUM: f32;
// Offset of the second vector of a pair: the inverse standard deviation, and the running variance.
override SECOND: u32;

@group(0) @binding(1) var<storage, read_write> scratch: array<vec2<f32>>;
@group(0) @binding(2) var<storage, read> input: array<f32>;
// Bound by `finish` alone.
@group(0) @binding(2) var<storage, read_write> moments: array<f32>;
@group(0) @binding(3) var<storage, read_write> running: array<f32>;

override LANES: u32 = CHANNEL_LANES * ROW_LANES;
var<workgroup> lanes: array<Moments, LANES>;
var<workgroup> finish_lanes: array<Moments, FINISH_LANES>;

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
    var own = Moments();
    if (channel < CHANNELS) {
        for (var row = first + local / CHANNEL_LANES; row < end; row += ROW_LANES) {
            own = merge(own, Moments(1.0, input[row * CHANNELS + channel], 0.0));
        }
    }
    lanes[local] = own;
    workgroupBarrier();
    if (local < CHANNEL_LANES && channel < CHANNELS && first < rows) {
        for (var lane = 1u; lane < ROW_LANES; lane += 1u) {
            own = merge(own, lanes[lane * CHANNEL_LANES + local]);
        }
        scratch[first / CHUNK_ROWS * CHANNELS + channel] = vec2<f32>(own.mean, own.squared_deviation);
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
    var own = Moments();
    if (channel < CHANNELS) {
        for (var first = local * CHUNK_ROWS; first < rows; first += FINISH_LANES * CHUNK_ROWS) {
            let chunk = scratch[first / CHUNK_ROWS * CHANNELS + channel];
            let count = f32(min(CHUNK_ROWS, rows - first));
            own = merge(own, Moments(count, chunk.x, chunk.y));
        }
    }
    finish_lanes[local] = own;
    workgroupBarrier();
    for (var stride = FINISH_LANES / 2u; stride > 0u; stride /= 2u) {
        if (local < stride) {
            own = merge(own, finish_lanes[local + stride]);
            finish_lanes[local] = own;
        }
        workgroupBarrier();
    }
    if (local == 0u && channel < CHANNELS) {
        let variance = own.squared_deviation / own.count;
        moments[channel] = own.mean;
        moments[SECOND + channel] = 1.0 / sqrt(variance + EPSILON);
        let unbiased = select(0.0, own.squared_deviation / max(own.count - 1.0, 1.0), own.count > 1.0);
        running[channel] += MOMENTUM * (own.mean - running[channel]);
        running[SECOND + channel] += MOMENTUM * (unbiased - running[SECOND + channel]);
    }
}
