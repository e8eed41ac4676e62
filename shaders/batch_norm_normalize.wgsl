// input, moments, block -> output. Without RESCALE the block is not read. `main` makes four numbers an invocation. `whole`
// does `batch_norm_statistics` first, from the moments that the convolution before has left in scratch: four channels a
// workgroup, for batches so small that another dispatch would cost more.
override PIXELS: u32;
override CHANNELS: u32;
override RESCALE: bool;
override ACTIVATION: u32;
// Place of the second vector in a pair.
override SECOND: u32;
// For `whole`, as in batch_norm_statistics.wgsl.
override CHUNK_ROWS: u32 = 1u;
override EPSILON: f32 = 0.0;
override MOMENTUM: f32 = 0.0;

@group(0) @binding(1) var<storage, read> input: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> moments: array<f32>;
@group(0) @binding(3) var<storage, read> block: array<f32>;
@group(0) @binding(4) var<storage, read_write> output: array<vec4<f32>>;
// Bound by `whole` alone.
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
    let deviation = vec4<f32>(moments[d.x], moments[d.y], moments[d.z], moments[d.w]);
    var values = (input[index] - mean) * deviation;
    if (RESCALE) {
        let scale = vec4<f32>(block[c.x], block[c.y], block[c.z], block[c.w]);
        let shift = vec4<f32>(block[d.x], block[d.y], block[d.z], block[d.w]);
        values = values * scale + shift;
    }
    output[index] = activate4(values, ACTIVATION);
}

@compute @workgroup_size(LANES)
fn whole(
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
        own = merged(own, Moments(f32(min(CHUNK_ROWS, rows - first)), chunk.x, chunk.y));
    }
    lanes[local] = own;
    workgroupBarrier();
    for (var apart = LANES / 2u; apart >= 4u; apart /= 2u) {
        if (local < apart) {
            own = merged(own, lanes[local + apart]);
            lanes[local] = own;
        }
        workgroupBarrier();
    }
    if (first_channel >= CHANNELS) {
        return;
    }
    let mean = vec4<f32>(lanes[0].mean, lanes[1].mean, lanes[2].mean, lanes[3].mean);
    let spread = vec4<f32>(lanes[0].spread, lanes[1].spread, lanes[2].spread, lanes[3].spread);
    let deviation = 1.0 / sqrt(spread / f32(rows) + EPSILON);
    if (local < 4u) {
        let unbiased = select(0.0, own.spread / f32(max(rows, 2u) - 1u), rows > 1u);
        moments_out[channel] = own.mean;
        moments_out[SECOND + channel] = deviation[local];
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
        let place = (row * CHANNELS + first_channel) / 4u;
        let values = (input[place] - mean) * deviation * scale + shift;
        output[place] = activate4(values, ACTIVATION);
    }
}
