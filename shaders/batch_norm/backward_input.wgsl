#import activation
#import step

// input, grad_output, moments, sums, block -> grad_input. Without RESCALE the block is not read. `main` makes four elements an
// invocation. `reduce_and_backward_input` does what backward_reduce.wgsl does first: four channels a workgroup, for batches so
// small that another dispatch would cost more.
override PIXELS: u32;
override CHANNELS: u32;
override RESCALE: bool;
override ACTIVATION: u32;
override INPUT_ACTIVATION: u32;
override ACCUMULATE: bool;
// Offset of the second vector of a pair: the inverse standard deviation, the shift, and the sum of the gradient.
override SECOND: u32;

@group(0) @binding(1) var<storage, read> input: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> grad_output: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> moments: array<f32>;
@group(0) @binding(4) var<storage, read> sums: array<f32>;
@group(0) @binding(5) var<storage, read> block: array<f32>;
@group(0) @binding(6) var<storage, read_write> grad_input: array<vec4<f32>>;
// Bound by `reduce_and_backward_input` alone.
@group(0) @binding(4) var<storage, read_write> sums_out: array<f32>;

const LANES: u32 = 256u;
var<workgroup> lanes: array<array<vec4<f32>, 2>, LANES>;

// What four channels of the batch have in common.
struct Channels {
    mean: vec4<f32>,
    inverse_std: vec4<f32>,
    scale: vec4<f32>,
    shift: vec4<f32>,
}

// The channels of elements `index .. index + 3` of the batch.
fn channels_at(index: u32) -> Channels {
    let c = four_channels(index);
    let d = c + vec4<u32>(SECOND);
    var channels = Channels();
    channels.mean = vec4<f32>(moments[c.x], moments[c.y], moments[c.z], moments[c.w]);
    channels.inverse_std = vec4<f32>(moments[d.x], moments[d.y], moments[d.z], moments[d.w]);
    channels.scale = vec4<f32>(1.0);
    if (RESCALE) {
        channels.scale = vec4<f32>(block[c.x], block[c.y], block[c.z], block[c.w]);
        channels.shift = vec4<f32>(block[d.x], block[d.y], block[d.z], block[d.w]);
    }
    return channels;
}

fn four_channels(index: u32) -> vec4<u32> {
    return (vec4<u32>(index) + vec4<u32>(0u, 1u, 2u, 3u)) % vec4<u32>(CHANNELS);
}

// The gradient before the activation, of four elements.
fn gradient_at(index: u32, normalised: vec4<f32>, channels: Channels) -> vec4<f32> {
    if (ACTIVATION == 0u) {
        return grad_output[index];
    }
    let value = normalised * channels.scale + channels.shift;
    return grad_output[index] * derivative4(activate4(value, ACTIVATION), ACTIVATION);
}

// `projections` are the sums of gradient times normalised input, `totals` of the gradient.
fn store(index: u32, channels: Channels, projections: vec4<f32>, totals: vec4<f32>) {
    let values = input[index];
    let normalised = (values - channels.mean) * channels.inverse_std;
    let count = f32(step_inputs.batch_size * PIXELS);
    var gradient = gradient_at(index, normalised, channels);
    gradient -= (totals + normalised * projections) / count;
    gradient *= channels.inverse_std * channels.scale * derivative4(values, INPUT_ACTIVATION);
    if (ACCUMULATE) {
        gradient += grad_input[index];
    }
    grad_input[index] = gradient;
}

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
    let c = four_channels(4u * index);
    let d = c + vec4<u32>(SECOND);
    let projections = vec4<f32>(sums[c.x], sums[c.y], sums[c.z], sums[c.w]);
    let totals = vec4<f32>(sums[d.x], sums[d.y], sums[d.z], sums[d.w]);
    store(index, channels_at(4u * index), projections, totals);
}

@compute @workgroup_size(LANES)
fn reduce_and_backward_input(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let rows = step_inputs.batch_size * PIXELS;
    let first_channel = 4u * flat_group(group, groups);
    let channels = channels_at(first_channel);
    var own = array<vec4<f32>, 2>();
    for (var row = local; row < rows; row += LANES) {
        let index = (row * CHANNELS + first_channel) / 4u;
        let normalised = (input[index] - channels.mean) * channels.inverse_std;
        let gradient = gradient_at(index, normalised, channels);
        own[0] += gradient * normalised;
        own[1] += gradient;
    }
    lanes[local] = own;
    workgroupBarrier();
    for (var stride = LANES / 2u; stride > 0u; stride /= 2u) {
        if (local < stride) {
            own[0] += lanes[local + stride][0];
            own[1] += lanes[local + stride][1];
            lanes[local] = own;
        }
        workgroupBarrier();
    }
    if (first_channel >= CHANNELS) {
        return;
    }
    let projections = lanes[0][0];
    let totals = lanes[0][1];
    if (local < 4u) {
        sums_out[first_channel + local] = projections[local];
        sums_out[SECOND + first_channel + local] = totals[local];
    }
    for (var row = local; row < rows; row += LANES) {
        store((row * CHANNELS + first_channel) / 4u, channels, projections, totals);
    }
}
