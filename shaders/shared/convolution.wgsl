// Shapes of a convolution, NHWC and HWIO.
override INPUT_HEIGHT: u32;
override INPUT_WIDTH: u32;
override IN_CHANNELS: u32;
override OUTPUT_HEIGHT: u32;
override OUTPUT_WIDTH: u32;
override OUT_CHANNELS: u32;
override KERNEL_HEIGHT: u32;
override KERNEL_WIDTH: u32;
override STRIDE_Y: u32;
override STRIDE_X: u32;
override OFFSET_Y: i32;
override OFFSET_X: i32;
// Place of the bias in the parameter block.
override BIAS_OFFSET: u32;
// Parts into which its sums are cut.
override SPLITS: u32 = 1u;
