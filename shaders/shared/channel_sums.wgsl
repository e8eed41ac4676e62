// Two sums a channel over all pixels of the batch, in two stages and a fixed order: `main` sums chunks of rows into
// scratch, `finish` sums the chunks. A kernel that includes this defines `terms(row, channel)`, what a number adds, and
// `conclude(channel, sums)`, what becomes of the totals.
override PIXELS: u32;
override CHANNELS: u32;
// Invocations of a workgroup side by side over channels and over rows.
override CHANNEL_LANES: u32;
override ROW_LANES: u32;
override CHUNKS: u32;

const FINISH_LANES: u32 = 32u;

@group(0) @binding(1) var<storage, read_write> scratch: array<vec2<f32>>;

override LANES: u32 = CHANNEL_LANES * ROW_LANES;
var<workgroup> partial: array<vec2<f32>, LANES>;
var<workgroup> total: array<vec2<f32>, FINISH_LANES>;

@compute @workgroup_size(LANES)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let rows = step_inputs.batch_size * PIXELS;
    let chunk_rows = (rows + CHUNKS - 1u) / CHUNKS;
    let channel_tiles = (CHANNELS + CHANNEL_LANES - 1u) / CHANNEL_LANES;
    let flat = flat_group(group, groups);
    let chunk = flat / channel_tiles;
    let channel = (flat % channel_tiles) * CHANNEL_LANES + local % CHANNEL_LANES;
    let end = min((chunk + 1u) * chunk_rows, rows);
    var sums = vec2<f32>(0.0);
    if (channel < CHANNELS) {
        for (var row = chunk * chunk_rows + local / CHANNEL_LANES; row < end; row += ROW_LANES) {
            sums += terms(row, channel);
        }
    }
    partial[local] = sums;
    workgroupBarrier();
    if (local < CHANNEL_LANES && channel < CHANNELS && chunk < CHUNKS) {
        for (var lane = 1u; lane < ROW_LANES; lane += 1u) {
            sums += partial[lane * CHANNEL_LANES + local];
        }
        scratch[chunk * CHANNELS + channel] = sums;
    }
}

@compute @workgroup_size(FINISH_LANES)
fn finish(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let channel = flat_group(group, groups);
    var sums = vec2<f32>(0.0);
    if (channel < CHANNELS) {
        for (var chunk = local; chunk < CHUNKS; chunk += FINISH_LANES) {
            sums += scratch[chunk * CHANNELS + channel];
        }
    }
    total[local] = sums;
    workgroupBarrier();
    if (local == 0u && channel < CHANNELS) {
        for (var lane = 1u; lane < FINISH_LANES; lane += 1u) {
            sums += total[lane];
        }
        conclude(channel, sums);
    }
}
