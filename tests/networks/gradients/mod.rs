pub mod check;
mod ops;
mod windows;
mod wiring;
