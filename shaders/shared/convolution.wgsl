// The shapes of a convolution, NHWC and HWIO.
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
