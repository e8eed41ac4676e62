//! Central differences of a training plan's loss against the gradients that its backward calls leave.

use crate::reference::executor::ReferenceExecutor;
use floret::kernel::{Activation, StepInputs, Storage};
use floret::network::graph::Graph;
use floret::ops::Op;
use floret::ops::conv2d::Conv2d;
use floret::ops::dense::Dense;
use floret::plan::parameters::{KernelInitialisation, Parameters};
use floret::plan::{Optimizer, Plan, PlanOptions, Source};
use floret::rng::{Random, Stream};
use floret::shape::{Padding, Shape};

/// Largest error of a gradient, relative to its own size or to the largest one of its tensor.
const TOLERANCE: f64 = 1e-6;
/// Gradients this small are held to an absolute error: round-off stands in the way of more.
const SMALLEST: f64 = 1e-3;
/// Numbers of a tensor that are checked at most, spread evenly.
const CHECKED: usize = 30;
/// Classes of the networks here.
pub const CLASSES: usize = 3;

/// A graph under construction.
pub struct Network {
    /// The graph so far.
    pub graph: Graph,
}

impl Network {
    pub fn new(height: usize, width: usize, channels: usize) -> Self {
        Self { graph: Graph::new(Shape::new(height, width, channels)) }
    }

    /// Appends an op and returns its number.
    pub fn add(&mut self, op: Op, inputs: &[usize]) -> usize {
        let name = format!("{}", self.graph.nodes.len());
        self.graph.add(name, op, inputs.to_vec()).expect("the op fits")
    }

    /// Appends ops one after another.
    pub fn chain(&mut self, ops: Vec<Op>, input: usize) -> usize {
        ops.into_iter().fold(input, |input, op| self.add(op, &[input]))
    }

    /// Ends in logits.
    pub fn classify(mut self, input: usize) -> Graph {
        self.add(dense(CLASSES, Activation::None), &[input]);
        self.graph
    }
}

pub fn dense(width: usize, activation: Activation) -> Op {
    Op::Dense(Dense { width, activation })
}

/// A convolution with stride 1 that keeps the size.
pub fn conv(size: usize, out_channels: usize, activation: Activation) -> Op {
    Op::Conv2d(Conv2d {
        kernel_size: [size; 2],
        stride: [1, 1],
        padding: Padding::Same,
        out_channels,
        groups: 1,
        activation,
    })
}

/// A batch, its targets, and the arenas.
struct Setting<'a> {
    plan: &'a Plan,
    executor: ReferenceExecutor,
    step: StepInputs,
    weights: Vec<f64>,
    input: Vec<f64>,
}

impl<'a> Setting<'a> {
    fn new(graph: &Graph, parameters: &Parameters, plan: &'a Plan, batch_size: usize) -> Self {
        let mut weights: Vec<f64> = parameters
            .initial_weights(1, KernelInitialisation::He)
            .into_iter()
            .map(f64::from)
            .collect();
        for (number, parameter) in parameters.trained.iter().enumerate() {
            // Biases and shifts of 0 would hide faults.
            let shifts = uniform(100 + number as u32, parameter.spec.len());
            for (weight, shift) in parameter.view_mut(&mut weights).iter_mut().zip(shifts) {
                *weight += 0.2 * shift;
            }
        }
        let step =
            StepInputs { batch_size, step: 3, seed: 7, learning_rate: 0.1, weight_decay: 0.0 };
        let mut executor = ReferenceExecutor::new(parameters, &[plan]);
        executor.write(Storage::Targets, 0, &targets(batch_size));
        let input = uniform(1, batch_size * graph.input().len());
        Self { plan, executor, step, weights, input }
    }

    /// The gradient arena after a forward and a backward pass.
    fn gradients(&mut self) -> Vec<f64> {
        self.loss();
        self.executor.run(self.plan, self.plan.backward.clone(), &self.step);
        self.executor.storage(Storage::Gradients).to_vec()
    }

    /// The mean loss of the batch.
    fn loss(&mut self) -> f64 {
        self.executor.write(Storage::Weights, 0, &self.weights);
        self.executor.write(self.plan.input.storage, 0, &self.input);
        self.executor.run(self.plan, self.plan.forward.clone(), &self.step);
        self.executor.take_loss() / self.step.batch_size as f64
    }

    /// The loss's derivative as one number moves; `numbers` says which ones are meant.
    fn derivative(&mut self, numbers: fn(&mut Self) -> &mut Vec<f64>, index: usize, h: f64) -> f64 {
        let middle = numbers(self)[index];
        let mut at = |x: f64| {
            numbers(self)[index] = x;
            self.loss()
        };
        let (above, below) = (at(middle + h), at(middle - h));
        numbers(self)[index] = middle;
        (above - below) / (2.0 * h)
    }

    fn check(
        &mut self,
        name: &str,
        gradient: &[f64],
        numbers: fn(&mut Self) -> &mut Vec<f64>,
        first: usize,
    ) {
        let largest = gradient.iter().fold(SMALLEST, |largest, g| largest.max(g.abs()));
        for index in (0..gradient.len()).step_by(gradient.len().div_ceil(CHECKED)) {
            // A kink of ReLU or max pooling may lie within one step; a smaller one then decides.
            let errors = [1e-5, 1e-6].map(|h| {
                let derivative = self.derivative(numbers, first + index, h);
                (derivative, (derivative - gradient[index]).abs())
            });
            let close = errors.iter().any(|(_, error)| *error <= TOLERANCE * largest);
            let derivative = errors[0].0;
            assert!(
                close,
                "{name}, number {index}: gradient {}, derivative {derivative}",
                gradient[index]
            );
        }
    }
}

/// `len` numbers in −1..1.
pub fn uniform(substream: u32, len: usize) -> Vec<f64> {
    let random = Random::new(1, Stream::Test, substream, 0);
    (0..len as u32).map(|index| 2.0 * f64::from(random.uniform(index)) - 1.0).collect()
}

/// Soft targets, each with its weight.
fn targets(batch_size: usize) -> Vec<f64> {
    let draws = uniform(2, batch_size * (CLASSES + 1));
    let samples = draws.chunks(CLASSES + 1).map(|draws| {
        let sum: f64 = draws[..CLASSES].iter().map(|x| x + 1.5).sum();
        let target = draws[..CLASSES].iter().map(move |x| (x + 1.5) / sum);
        target.chain([draws[CLASSES] + 1.5])
    });
    samples.flatten().collect()
}

/// Checks the gradients of the input and of all parameters at a batch of 3.
pub fn check_gradients(graph: &Graph) {
    check_gradients_at(graph, 3, 3);
}

/// The same at any batch, for a plan made for another one. Asking for values must change no gradient.
pub fn check_gradients_at(graph: &Graph, batch_size: usize, plan_batch_size: usize) {
    let options = PlanOptions {
        keep: vec![0],
        ..PlanOptions::training(plan_batch_size, Source::Tensor, Optimizer::ADAM)
    };
    let gradients = check_plan(graph, batch_size, &options);
    let parameters = Parameters::new(graph);
    let options = PlanOptions { keep: (0..graph.nodes.len()).collect(), ..options };
    let plan = Plan::new(graph, &parameters, &options).expect("the graph can be trained");
    let mut setting = Setting::new(graph, &parameters, &plan, batch_size);
    for (kept, free) in setting.gradients().iter().zip(&gradients) {
        let close = (kept - free).abs() <= 1e-12 * (1.0 + free.abs());
        assert!(close, "keeping every value turned a gradient from {free} into {kept}");
    }
}

/// Checks the gradients of all parameters that `options` trains, and of the input where it keeps that; returns the
/// gradient arena.
pub fn check_plan(graph: &Graph, batch_size: usize, options: &PlanOptions) -> Vec<f64> {
    let parameters = Parameters::new(graph);
    let plan = Plan::new(graph, &parameters, options).expect("the graph can be trained");
    let mut setting = Setting::new(graph, &parameters, &plan, batch_size);
    let gradients = setting.gradients();
    let kept_input = plan.kept.iter().find(|kept| kept.node == 0);
    let input_gradient = kept_input.and_then(|kept| kept.gradient);
    let input_gradient =
        input_gradient.map(|view| setting.executor.read(view, batch_size).to_vec());
    for parameter in parameters.trained.iter().filter(|p| p.node >= options.train_from) {
        let gradient = &gradients[parameter.offset..][..parameter.spec.len()];
        setting.check(&parameter.name, gradient, |setting| &mut setting.weights, parameter.offset);
    }
    if let Some(gradient) = input_gradient {
        setting.check("input", &gradient, |setting| &mut setting.input, 0);
    } else {
        assert!(kept_input.is_none() || options.train_from > 0, "the input has no gradient");
    }
    gradients
}
