#import activation
#import convolution
#import coordinates
#import grouped_convolution
#import normalize
#import step

// input, block, running, norm_block -> output. One output element an invocation, so that neighbours load neighbouring channels.
// `running` and `norm_block` are read as in conv2d/forward.wgsl.

// Offset of the bias in the parameter block.
override BIAS_OFFSET: u32;
override ACTIVATION: u32;

@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read> block: array<f32>;
@group(0) @binding(3) var<storage, read> running: array<f32>;
@group(0) @binding(4) var<storage, read> norm_block: array<f32>;
@group(0) @binding(5) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = flat_index(group, groups, local);
    let at = coordinates_of(index, OUTPUT_HEIGHT, OUTPUT_WIDTH, OUT_CHANNELS);
    if (at.sample >= step_inputs.batch_size) {
        return;
    }
    let top = at.y * i32(STRIDE_Y) - OFFSET_Y;
    let left = at.x * i32(STRIDE_X) - OFFSET_X;
    let first_channel = at.channel / GROUP_OUTPUTS * GROUP_INPUTS;
    var sum = 0.0;
    for (var line = 0u; line < KERNEL_HEIGHT; line += 1u) {
        // A negative number is a very large one.
        let y = u32(top + i32(line));
        if (y >= INPUT_HEIGHT) {
            continue;
        }
        for (var column = 0u; column < KERNEL_WIDTH; column += 1u) {
            let x = u32(left + i32(column));
            if (x >= INPUT_WIDTH) {
                continue;
            }
            let pixel = (at.sample * INPUT_HEIGHT + y) * INPUT_WIDTH + x;
            for (var seen = 0u; seen < GROUP_INPUTS; seen += 1u) {
                let weight = block[weight_index(line, column, seen, at.channel)];
                sum += input[pixel * IN_CHANNELS + first_channel + seen] * weight;
            }
        }
    }
    var value = activate(sum + block[BIAS_OFFSET + at.channel], ACTIVATION);
    if (NORM) {
        value = normalize(value, at.channel);
    }
    output[index] = value;
}
