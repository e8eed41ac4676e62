//! The CPU kernels against the f64 reference, over shapes drawn by proptest.

use crate::kernel_cases::{self, Case};
use floret::backend::cpu::{Workers, run_kernel};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// Cases of each kernel.
const CASES: u32 = 150;
/// Largest difference from the reference, relative.
const TOLERANCE: f64 = 1e-4;

fn run(case: &Case, threads: usize) -> Vec<Vec<f32>> {
    let reads: Vec<&[f32]> = case.reads.iter().map(Vec::as_slice).collect();
    let mut results = case.writes.clone();
    let mut writes: Vec<&mut [f32]> = results.iter_mut().map(Vec::as_mut_slice).collect();
    run_kernel(&case.kernel, &case.step, &reads, &mut writes, &mut Workers::new(threads))
        .expect("operands fit the kernel");
    results
}

fn bits(operands: &[Vec<f32>]) -> Vec<u32> {
    operands.iter().flatten().map(|number| number.to_bits()).collect()
}

/// Close to the reference, and the same bits on any number of threads.
fn check(kernel: &str) {
    kernel_cases::check(kernel, CASES, |case| {
        let results = run(case, 1);
        case.compare(&results, TOLERANCE)?;
        let same = bits(&results) == bits(&run(case, 3));
        same.then_some(()).ok_or_else(|| format!("{case:?}: three threads differ from one"))
    });
}

#[test]
fn cases_are_of_their_kernel_and_have_a_finite_answer() {
    for family in kernel_cases::families() {
        kernel_cases::check(family.name, 20, |case| {
            assert_eq!(case.kernel.name(), family.name);
            let finite = case.expected().iter().flatten().all(|x| x.is_finite());
            finite.then_some(()).ok_or_else(|| format!("{case:?} has no finite answer"))
        });
    }
}

#[test]
fn prepare_batch() {
    check("prepare_batch");
}

#[test]
fn conv2d_forward() {
    check("conv2d_forward");
}

#[test]
fn conv2d_backward_input() {
    check("conv2d_backward_input");
}

#[test]
fn conv2d_backward_weight() {
    check("conv2d_backward_weight");
}

#[test]
fn grouped_conv2d() {
    ["grouped_conv2d_forward", "grouped_conv2d_backward_input", "grouped_conv2d_backward_weight"]
        .into_iter()
        .for_each(check);
}

#[test]
fn pooling() {
    ["max_pool_forward", "max_pool_backward", "avg_pool_forward", "avg_pool_backward"]
        .into_iter()
        .for_each(check);
}

#[test]
fn batch_norm_forward() {
    ["batch_norm_statistics", "batch_norm_running", "batch_norm_normalize"]
        .into_iter()
        .for_each(check);
}

#[test]
fn batch_norm_backward() {
    ["batch_norm_backward_reduce", "batch_norm_backward_input"].into_iter().for_each(check);
}

#[test]
fn activations() {
    ["activation_forward", "activation_backward"].into_iter().for_each(check);
}

#[test]
fn add_and_concat() {
    ["add_forward", "add_backward", "concat_forward", "concat_backward"]
        .into_iter()
        .for_each(check);
}

#[test]
fn dropout_and_noise() {
    ["dropout", "noise"].into_iter().for_each(check);
}

#[test]
fn softmax_and_loss() {
    ["softmax", "softmax_cross_entropy"].into_iter().for_each(check);
}

#[test]
fn updates() {
    ["adam", "sgd", "average_weights"].into_iter().for_each(check);
}
