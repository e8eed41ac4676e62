//! The kernels by family; their other spellings are in `shaders/`.

mod activation;
mod add;
mod avg_pool;
mod batch_norm;
mod concat;
pub(crate) mod conv2d;
mod dropout;
mod grouped_conv2d;
mod max_pool;
mod noise;
mod prepare_batch;
mod softmax;
mod update;

use crate::backend::cpu::context::Context;
use crate::backend::cpu::operands::Operands;
use crate::error::Result;

/// How the processor runs a kernel.
pub(crate) trait Run {
    /// Takes the operands that the kernel table states, and writes the results.
    ///
    /// # Errors
    /// [`crate::error::Error::Internal`] where operands are missing or have another shape than the kernel says.
    fn run(&self, operands: Operands, context: &mut Context) -> Result<()>;
}
