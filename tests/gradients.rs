//! Every op's gradients against finite differences, in f64 on the reference kernels and through whole plans, so that
//! lowering is checked with them.

mod reference;

mod gradients {
    pub mod check;
    mod ops;
    mod windows;
    mod wiring;
}
