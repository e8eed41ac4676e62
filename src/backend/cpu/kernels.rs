//! The kernels, named as in the kernel table; their other spellings are in `shaders/`.

pub(crate) mod activation_backward;
pub(crate) mod activation_forward;
pub(crate) mod adam;
pub(crate) mod add_backward;
pub(crate) mod add_forward;
pub(crate) mod average;
pub(crate) mod average_weights;
pub(crate) mod avg_pool_backward;
pub(crate) mod avg_pool_forward;
pub(crate) mod batch_norm;
pub(crate) mod concat_backward;
pub(crate) mod concat_forward;
pub(crate) mod conv2d;
pub(crate) mod dropout;
pub(crate) mod grouped_conv2d;
pub(crate) mod max_pool_backward;
pub(crate) mod max_pool_forward;
pub(crate) mod noise;
pub(crate) mod prepare_batch;
pub(crate) mod sgd;
mod short_copy;
pub(crate) mod softmax;
pub(crate) mod softmax_cross_entropy;
