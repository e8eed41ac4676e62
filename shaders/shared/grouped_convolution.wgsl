#import convolution

// The shapes of a grouped convolution: a group's channels of the input, which each of its channels of the output sees.
override GROUP_INPUTS: u32;
override GROUP_OUTPUTS: u32;

// The kernel's weight from the `seen`th input channel of a group to an output channel, HWIO.
fn weight_index(line: u32, column: u32, seen: u32, channel: u32) -> u32 {
    return ((line * KERNEL_WIDTH + column) * GROUP_INPUTS + seen) * OUT_CHANNELS + channel;
}
