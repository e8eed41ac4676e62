#import convolution
#import grouped_convolution
#import splits
#import step
#import weight_splits

// input, grad_output -> grad_block. One element of the kernel, or of the bias behind it, an invocation. The sum runs over
// SPLIT_ROWS rows of output pixels, a split on the grid's third axis; with one split, `main` writes the gradient itself.
override SPLIT_ROWS: u32;

@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read> grad_output: array<f32>;
@group(0) @binding(3) var<storage, read_write> products: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = flat_index(group, groups, local);
    let channel = index % OUT_CHANNELS;
    let row = index / OUT_CHANNELS;
    if (index >= KERNEL_LEN + OUT_CHANNELS) {
        return;
    }
    let is_bias = index >= KERNEL_LEN;
    let position = row / GROUP_INPUTS;
    let line = i32(position / KERNEL_WIDTH) - OFFSET_Y;
    let column = i32(position % KERNEL_WIDTH) - OFFSET_X;
    let seen = channel / GROUP_OUTPUTS * GROUP_INPUTS + row % GROUP_INPUTS;
    let end = min((group.z + 1u) * SPLIT_ROWS, step_inputs.batch_size * OUTPUT_HEIGHT);
    var sum = 0.0;
    for (var y = group.z * SPLIT_ROWS; y < end; y += 1u) {
        // A negative number is a very large one.
        let input_y = u32(i32(y % OUTPUT_HEIGHT * STRIDE_Y) + line);
        if (input_y >= INPUT_HEIGHT && !is_bias) {
            continue;
        }
        let input_line = (y / OUTPUT_HEIGHT * INPUT_HEIGHT + input_y) * INPUT_WIDTH;
        for (var x = 0u; x < OUTPUT_WIDTH; x += 1u) {
            let gradient = grad_output[(y * OUTPUT_WIDTH + x) * OUT_CHANNELS + channel];
            let input_x = u32(i32(x * STRIDE_X) + column);
            if (is_bias) {
                sum += gradient;
            } else if (input_x < INPUT_WIDTH) {
                sum += input[(input_line + input_x) * IN_CHANNELS + seen] * gradient;
            }
        }
    }
    let place = select(row * OUT_CHANNELS, SPLIT_BIAS, is_bias) + channel;
    products[group.z * SPLIT_LEN + place] = sum;
}
