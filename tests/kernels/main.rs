//! The CPU kernels, alone: over shapes drawn by proptest, and at the edges of f32. The former run in the browser too.

mod cases;
#[cfg(not(target_arch = "wasm32"))]
mod robustness;

#[path = "../support/kernel_cases/mod.rs"]
mod kernel_cases;
#[path = "../support/reference/mod.rs"]
mod reference;
