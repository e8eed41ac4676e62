#import convolution
#import splits
#import step

// The gradient of a convolution's kernel and bias from the products of SPLITS splits: `finish` adds them in order.

// Elements of the kernel.
override KERNEL_LEN: u32;
// Offset of the bias in the parameter block.
override BIAS_OFFSET: u32;
// Offset of the bias gradient in a split's product.
override SPLIT_BIAS: u32;

@group(0) @binding(1) var<storage, read> partial_sums: array<f32>;
@group(0) @binding(2) var<storage, read_write> grad_block: array<f32>;

// One element of the gradient an invocation.
@compute @workgroup_size(64)
fn finish(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = flat_index(group, groups, local);
    if (index >= KERNEL_LEN + OUT_CHANNELS) {
        return;
    }
    let is_bias = index >= KERNEL_LEN;
    let bias_column = index - min(index, KERNEL_LEN);
    let offset = select(index, SPLIT_BIAS + bias_column, is_bias);
    var sum = 0.0;
    for (var split = 0u; split < SPLITS; split += 1u) {
        sum += partial_sums[split * SPLIT_LEN + offset];
    }
    grad_block[select(index, BIAS_OFFSET + bias_column, is_bias)] = sum;
}
