#import activation
#import moments
#import step

// input, moments, block -> output. Without RESCALE the block is not read. `main` makes four elements an invocation.
// `statistics_and_normalize` does what statistics.wgsl does first, from the moments that the convolution before has left in
// scratch: four channels a workgroup, for batches so small that another dispatch would cost more.
override PIXELS: u32;
override CHANNELS: u32;
override RESCALE: bool;
override ACTIVATION: u32;
// Offset of the second vector of a pair: the inverse standard deviation, the variance, and the shift.
override SECOND: u32;
// For `statistics_and_normalize`, as in statistics.wgsl.
override CHUNK_ROWS: u32 = 1u;
override EPSILON: f32 = 0.0;
override MOMENTUM: f32 = 0.0;

@group(0) @binding(1) var<storage, read> input: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> moments: array<f32>;
@group(0) @binding(3) var<storage, read> block: array<f32>;
@group(0) @binding(4) var<storage, read_write> output: array<vec4<f32>>;
// Bound by `statistics_and_normalize` alone.
@group(0) @binding(2) var<storage, read_write> moments_out: array<f32>;
@group(0) @binding(5) var<storage, read_write> running: array<f32>;
@group(0) @binding(6) var<storage, read> scratch: array<vec2<f32>>;

const LANES: u32 = 256u;
var<workgroup> lanes: array<Moments, LANES>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = flat_index(group, groups, local);
    if (4u * index >= PIXELS * CHANNELS * step_inputs.batch_size) {
        return;
    }
    let c = (vec4<u32>(4u * index) + vec4<u32>(0u, 1u, 2u, 3u)) % vec4<u32>(CHANNELS);
    let d = c + vec4<u32>(SECOND);
    let mean = vec4<f32>(moments[c.x], moments[c.y], moments[c.z], moments[c.w]);
    let inverse_std = vec4<f32>(moments[d.x], moments[d.y], moments[d.z], moments[d.w]);
    var values = (input[index] - mean) * inverse_std;
    if (RESCALE) {
        let scale = vec4<f32>(block[c.x], block[c.y], block[c.z], block[c.w]);
        let shift = vec4<f32>(block[d.x], block[d.y], block[d.z], block[d.w]);
        values = values * scale + shift;
    }
    output[index] = activate4(values, ACTIVATION);
}

@compute @workgroup_size(LANES)
fn statistics_and_normalize(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let rows = step_inputs.batch_size * PIXELS;
    let first_channel = 4u * flat_group(group, groups);
    let channel = min(first_channel + local % 4u, CHANNELS - 1u);
    var own = Moments();
    for (var first = local / 4u * CHUNK_ROWS; first < rows; first += LANES / 4u * CHUNK_ROWS) {
        let chunk = scratch[first / CHUNK_ROWS * CHANNELS + channel];
        own = merge(own, Moments(f32(min(CHUNK_ROWS, rows - first)), chunk.x, chunk.y));
    }
    lanes[local] = own;
    workgroupBarrier();
    for (var stride = LANES / 2u; stride >= 4u; stride /= 2u) {
        if (local < stride) {
            own = merge(own, lanes[local + stride]);
            lanes[local] = own;
        }
        workgroupBarrier();
    }
    if (first_channel >= CHANNELS) {
        return;
    }
    let mean = vec4<f32>(lanes[0].mean, lanes[1].mean, lanes[2].mean, lanes[3].mean);
    let squared_deviation = vec4<f32>(
        lanes[0].squared_deviation,
        lanes[1].squared_deviation,
        lanes[2].squared_deviation,
        lanes[3].squared_deviation,
    );
    let inverse_std = 1.0 / sqrt(squared_deviation / f32(rows) + EPSILON);
    if (local < 4u) {
        let unbiased = select(0.0, own.squared_deviation / f32(max(rows, 2u) - 1u), rows > 1u);
        moments_out[channel] = own.mean;
        moments_out[SECOND + channel] = inverse_std[local];
        running[channel] += MOMENTUM * (own.mean - running[channel]);
        running[SECOND + channel] += MOMENTUM * (unbiased - running[SECOND + channel]);
    }
    var scale = vec4<f32>(1.0);
    var shift = vec4<f32>(0.0);
    if (RESCALE) {
        let c = first_channel;
        let d = first_channel + SECOND;
        scale = vec4<f32>(block[c], block[c + 1u], block[c + 2u], block[c + 3u]);
        shift = vec4<f32>(block[d], block[d + 1u], block[d + 2u], block[d + 3u]);
    }
    for (var row = local; row < rows; row += LANES) {
        let index = (row * CHANNELS + first_channel) / 4u;
        let values = (input[index] - mean) * inverse_std * scale + shift;
        output[index] = activate4(values, ACTIVATION);
    }
}
