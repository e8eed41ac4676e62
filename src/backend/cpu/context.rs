//! The context that a kernel runs in, beside its operands.

use crate::backend::cpu::matmul::fused_moments::BlockMoments;
use crate::backend::cpu::matmul::weight_cache::Packed;
use crate::backend::cpu::scratch::Scratch;
use crate::backend::cpu::threads::Pool;
use crate::kernel::StepInputs;

/// The context of one call.
pub(crate) struct Context<'a> {
    /// The values that change from step to step.
    pub(crate) step: &'a StepInputs,
    /// The threads.
    pub(crate) pool: &'a mut Pool,
    /// Memory that all threads read.
    pub(crate) scratch: &'a mut Scratch,
    /// The call's packed weights, where these are kept from run to run.
    pub(crate) packed: Option<&'a mut Packed>,
    /// Where a convolution leaves the moments of its output, and the statistics of that output find them; only for a call that
    /// the plan pairs so.
    pub(crate) moments: Option<&'a mut BlockMoments>,
}

/// The threads that kernels run on, and the memory that these share.
pub struct Workers {
    pub(crate) pool: Pool,
    pub(crate) scratch: Scratch,
}

impl Workers {
    /// Makes `threads` threads, the calling one among them; that one alone where the build has no threads or the system gives
    /// none.
    pub fn new(threads: usize) -> Self {
        Self { pool: Pool::new(threads), scratch: Scratch::default() }
    }

    /// Returns how many threads there are.
    pub fn threads(&self) -> usize {
        self.pool.threads()
    }

    /// Returns the context of a call that keeps no packed weights and shares no moments.
    pub(crate) fn context<'a>(&'a mut self, step: &'a StepInputs) -> Context<'a> {
        let Self { pool, scratch } = self;
        Context { step, pool, scratch, packed: None, moments: None }
    }
}
