//! From text to a plan: the notation, the presets, what a plan promises, and the gradients that its calls give.

mod gradients;
mod notation;
mod plan;
mod presets;

#[path = "../support/reference/mod.rs"]
mod reference;
