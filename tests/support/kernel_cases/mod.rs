//! Random cases of every kernel: shapes drawn by proptest, operands filled to fit, and the answer that the reference gives.
//!
//! The suite that uses it also declares `mod reference`.
#![allow(dead_code, reason = "each suite uses its own part")]

pub mod edges;
mod elementwise;
mod groups;
mod loss;
mod normalization;
mod photos;
mod update;
pub mod windows;

use crate::reference;
use floret::kernel::{Activation, Kernel, StepInputs, round_up_to_row};
use floret::rng::{Random, Stream};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

/// A kernel, its operands, and what its written views hold before it runs: NaN wherever it must not look.
#[derive(Clone)]
pub struct Case {
    /// The kernel.
    pub kernel: Kernel,
    /// The step's inputs.
    pub step: StepInputs,
    /// Operands read, each of the view's length at the step's batch size; photos are bytes, four to a number.
    pub reads: Vec<Vec<f32>>,
    /// Operands written.
    pub writes: Vec<Vec<f32>>,
}

/// The numbers are left out: the kernel and the step say which case it is.
impl std::fmt::Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} at {:?}", self.kernel, self.step)
    }
}

impl Case {
    /// The expected contents of the written operands, in f64.
    pub fn expected(&self) -> Vec<Vec<f64>> {
        let wide = |numbers: &Vec<f32>| numbers.iter().map(|&x| f64::from(x)).collect();
        let mut reads: Vec<Vec<f64>> = self.reads.iter().map(wide).collect();
        if matches!(self.kernel, Kernel::PrepareBatch(_)) {
            reads[0] = self.reads[0].iter().map(|x| f64::from(x.to_bits())).collect();
        }
        let mut writes: Vec<Vec<f64>> = self.writes.iter().map(wide).collect();
        let views: Vec<&[f64]> = reads.iter().map(Vec::as_slice).collect();
        reference::run(&self.kernel, &self.step, &views, &mut writes);
        writes
    }

    /// Says where the written operands differ from the reference: every number may be off by `tolerance` times its own
    /// size plus the operand's root mean square.
    pub fn compare(&self, actual: &[Vec<f32>], tolerance: f64) -> Result<(), String> {
        for (operand, (actual, expected)) in actual.iter().zip(self.expected()).enumerate() {
            if actual.len() != expected.len() {
                return Err(format!("{self:?}: written operand {operand} changed its length"));
            }
            let squares: f64 = expected.iter().map(|x| x * x).sum();
            let typical = (squares / expected.len().max(1) as f64).sqrt();
            for (index, (&a, &e)) in actual.iter().zip(&expected).enumerate() {
                let close = (f64::from(a) - e).abs() <= tolerance * (e.abs() + typical);
                if !close {
                    return Err(format!(
                        "{self:?}: number {index} of written operand {operand} is {a}, the reference has {e}"
                    ));
                }
            }
        }
        Ok(())
    }
}

/// The cases of one kernel.
pub struct Family {
    /// The kernel's name.
    pub name: &'static str,
    /// Draws a case.
    pub cases: BoxedStrategy<Case>,
}

fn family(name: &'static str, cases: impl Strategy<Value = Case> + 'static) -> Family {
    Family { name, cases: cases.boxed() }
}

/// One family a kernel.
pub fn families() -> Vec<Family> {
    [
        photos::families(),
        windows::families(),
        groups::families(),
        normalization::families(),
        elementwise::families(),
        loss::families(),
        update::families(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Draws the same cases every time.
fn runner(count: u32) -> TestRunner {
    let config = Config { cases: count, failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

/// `count` cases of a family, the same ones every time: for suites that wait for a device between them.
pub fn draw_cases(family: &Family, count: u32) -> Vec<Case> {
    let mut runner = runner(count);
    let mut case = || family.cases.new_tree(&mut runner).expect("the filters let cases through");
    (0..count).map(|_| case().current()).collect()
}

/// Runs `check` on `count` cases of a kernel, the same ones every time.
///
/// # Panics
/// With the smallest failing case.
pub fn check(name: &str, count: u32, check: impl Fn(&Case) -> Result<(), String>) {
    let family = families().into_iter().find(|family| family.name == name);
    let family = family.unwrap_or_else(|| panic!("no cases for kernel {name}"));
    let mut runner = runner(count);
    let outcome = runner.run(&family.cases, |case| check(&case).map_err(TestCaseError::fail));
    if let Err(failure) = outcome {
        panic!("{name}: {failure}");
    }
}

/// The state that every case needs besides its configuration.
#[derive(Debug, Clone, Copy)]
struct Draw {
    step: StepInputs,
    seed: u64,
}

impl Draw {
    fn batch_size(&self) -> usize {
        self.step.batch_size
    }

    /// `len` numbers in −1..1, others for every `operand`.
    fn numbers(&self, operand: u32, len: usize) -> Vec<f32> {
        let random = Random::new(self.seed, Stream::Test, operand, 0);
        (0..len as u32).map(|index| 2.0 * random.uniform(index) - 1.0).collect()
    }

    /// `len` numbers in `low..high`.
    fn between(&self, operand: u32, len: usize, low: f32, high: f32) -> Vec<f32> {
        let unit = self.numbers(operand, len);
        unit.into_iter().map(|x| low + (high - low) * (x + 1.0) / 2.0).collect()
    }

    /// Applies the activation to `len` random elements.
    fn outputs(&self, operand: u32, len: usize, activation: Activation) -> Vec<f32> {
        self.numbers(operand, len).into_iter().map(|x| activation.apply(2.0 * x)).collect()
    }

    /// A written operand: numbers to add to, or NaN.
    fn target(&self, operand: u32, len: usize, accumulate: bool) -> Vec<f32> {
        if accumulate { self.numbers(operand, len) } else { vec![f32::NAN; len] }
    }
}

fn draw() -> impl Strategy<Value = Draw> {
    let step = (1..=4_usize, 0..200_u32, any::<u64>(), 0.01..1.0_f32, 0.0..0.5_f32);
    (step, any::<u64>()).prop_map(|((batch_size, step, seed, learning_rate, weight_decay), own)| {
        let step = StepInputs { batch_size, step, seed, learning_rate, weight_decay };
        Draw { step, seed: own }
    })
}

fn activation() -> impl Strategy<Value = Activation> {
    prop::sample::select(vec![
        Activation::None,
        Activation::Relu,
        Activation::Sigmoid,
        Activation::Tanh,
    ])
}

/// Channel counts that fill, miss and straddle vectors of 4, 8 and 16 and rows of 64.
fn channels() -> impl Strategy<Value = usize> {
    prop::sample::select(vec![1, 2, 3, 4, 5, 6, 7, 8, 12, 13, 16, 17, 24, 31, 32, 33, 64, 65])
}

/// Two vectors laid out as the kernel table says, zeros up to the second one's row.
fn pair(first: Vec<f32>, second: Vec<f32>) -> Vec<f32> {
    let mut numbers = first;
    numbers.resize(round_up_to_row(numbers.len()), 0.0);
    numbers.extend(second);
    numbers
}

/// A pair that is to be written.
fn pair_target(channels: usize) -> Vec<f32> {
    pair(vec![f32::NAN; channels], vec![f32::NAN; channels])
}
