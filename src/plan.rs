//! The plan: a graph lowered to kernel calls over numbered buffers, buffers reused by lifetime.

mod buffers;
pub mod parameters;

use crate::error::{Error, Result, Words};
use crate::kernel::{
    Activation, Adam, AverageWeights, Call, Extent, Kernel, METRICS, PrepareBatch, Sgd, Softmax,
    SoftmaxCrossEntropy, Storage, TRANSFORM, View,
};
use crate::network::graph::Graph;
use crate::ops::lowering::{Input, Lowering, Mode, NodeLowering};
use crate::plan::parameters::Parameters;
use buffers::Buffers;
use std::ops::Range;

/// How the optimizer updates parameters.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Optimizer {
    /// Adam (Kingma and Ba, 2015); with weight decay it is AdamW.
    Adam {
        /// Decay of the first moment.
        beta1: f32,
        /// Decay of the second moment.
        beta2: f32,
        /// Added to the root of the second moment.
        epsilon: f32,
    },
    /// Stochastic gradient descent with momentum.
    Sgd {
        /// Decay of the momentum.
        momentum: f32,
    },
}

impl Optimizer {
    /// The textbook's: 0.9, 0.999, 1e-8.
    pub const ADAM: Self = Self::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
}

/// Where the batch comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Stored photos through `prepare_batch`.
    Photos {
        /// Pages of photos.
        pages: u32,
        /// Rows and columns of a stored photo.
        stored_size: usize,
    },
    /// Numbers written to the plan's input by the caller.
    Tensor,
}

/// The options of a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanOptions {
    /// Training or evaluation.
    pub mode: Mode,
    /// Largest batch.
    pub batch_size: usize,
    /// Where the batch comes from.
    pub source: Source,
    /// The optimizer of a training plan.
    pub optimizer: Optimizer,
    /// Decay of the moving average of weights; 0 keeps none.
    pub weight_average: f32,
    /// Whether an evaluation reads the moving averages of weights and statistics.
    pub averaged: bool,
    /// Nodes whose outputs (and gradients, when training) stay readable after a run.
    pub keep: Vec<usize>,
    /// Nodes below this number are frozen, for the fine-tuning of a head: they behave as in evaluation (running
    /// statistics, no dropout, no noise), and their parameters get no gradient.
    pub train_from: usize,
}

impl PlanOptions {
    /// Evaluation of tensors written by the caller.
    pub fn evaluation(batch_size: usize, source: Source) -> Self {
        Self {
            mode: Mode::Evaluation,
            batch_size,
            source,
            optimizer: Optimizer::ADAM,
            weight_average: 0.0,
            averaged: false,
            keep: Vec::new(),
            train_from: 0,
        }
    }

    /// Training with an optimizer.
    pub fn training(batch_size: usize, source: Source, optimizer: Optimizer) -> Self {
        Self { mode: Mode::Training, optimizer, ..Self::evaluation(batch_size, source) }
    }
}

/// A node's output that stays readable, and its gradient.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Kept {
    /// The node.
    pub node: usize,
    /// Its output.
    pub output: View,
    /// The gradient of the loss by its output, when training; none where frozen batch normalisation comes later, which
    /// has no backward kernel.
    pub gradient: Option<View>,
}

/// Kernel calls over numbered buffers.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Largest batch.
    pub batch_size: usize,
    /// All calls, in order.
    pub calls: Vec<Call>,
    /// Calls that make outputs, loss and metrics.
    pub forward: Range<usize>,
    /// Calls that make gradients.
    pub backward: Range<usize>,
    /// Calls that change weights.
    pub update: Range<usize>,
    /// Numbers in each workspace buffer.
    pub buffers: Vec<usize>,
    /// The batch, `[batch, height, width, channels]`.
    pub input: View,
    /// The logits, `[batch, classes]`.
    pub logits: View,
    /// The class probabilities, `[batch, classes]`.
    pub probabilities: View,
    /// Values asked for.
    pub kept: Vec<Kept>,
    /// Numbers in each storage outside the workspace that the calls touch, photos left out.
    pub shared: Vec<(Storage, usize)>,
}

/// Numbers in one call of an optimizer kernel at most, so that a binding stays under 128 MiB.
const UPDATE_CHUNK: usize = 16 << 20;

impl Plan {
    /// Lowers a graph. Takes no memory for tensors: [`Plan::bytes`] says what running it will take.
    ///
    /// # Errors
    /// [`Error::Setting`] for a batch of 0 samples or a kept node that the graph does not have, [`Error::Memory`] for a plan
    /// that no memory of this machine's address width could hold.
    pub fn new(graph: &Graph, parameters: &Parameters, options: &PlanOptions) -> Result<Self> {
        if options.batch_size == 0 {
            let expected = Words::of("expected.at_least").with("least", 1u32);
            return Err(Error::setting(Words::of("name.batch_size"), expected, 0u32));
        }
        if let Some(node) = options.keep.iter().find(|&&node| node > graph.output()) {
            let expected = Words::of("expected.node").with("high", graph.output());
            return Err(Error::setting(Words::of("name.kept_node"), expected, *node));
        }
        let mut lowering = Lowering::new(options.mode, options.averaged, graph.nodes.len());
        let input = lower_input(graph, options, &mut lowering);
        let contexts = Contexts::new(graph, parameters, options);
        for (number, _, operation) in graph.operations() {
            operation.forward(&mut contexts.node(number, &mut lowering));
        }
        let (logits, classes) = (lowering.output(graph.output()), graph.classes());
        let probabilities = lowering.value(Extent::PerSample(classes));
        let training = options.mode == Mode::Training;
        if training {
            let gradient = lowering.value(Extent::PerSample(classes));
            let targets = View::new(Storage::Targets, Extent::PerSample(classes + 1));
            let metrics = View::new(Storage::Metrics, Extent::Fixed(METRICS));
            let kernel = Kernel::SoftmaxCrossEntropy(SoftmaxCrossEntropy { classes });
            lowering.call(kernel, &[logits, targets], &[gradient, probabilities, metrics]);
            lowering.set_gradient(graph.output(), gradient);
        } else {
            lowering.call(Kernel::Softmax(Softmax { classes }), &[logits], &[probabilities]);
        }
        let forward = 0..lowering.calls.len();
        if training {
            for (number, _, operation) in graph.operations().rev() {
                operation.backward(&mut contexts.node(number, &mut lowering));
            }
        }
        let backward = forward.end..lowering.calls.len();
        if training {
            lower_update(parameters, options, &mut lowering);
        }
        let update = backward.end..lowering.calls.len();
        let kept: Vec<Kept> = options
            .keep
            .iter()
            .map(|&node| Kept {
                node,
                output: lowering.output(node),
                gradient: lowering.gradient(node),
            })
            .collect();

        let mut live: Vec<View> = vec![input, logits, probabilities];
        live.extend(kept.iter().flat_map(|kept| [Some(kept.output), kept.gradient]).flatten());
        let buffers = Buffers::assign(&lowering, &live, options.batch_size);
        let (needed, available) = (buffers.bytes(), isize::MAX as u64);
        if needed > available {
            let fits =
                |batch_size| Ok(Buffers::assign(&lowering, &live, batch_size).bytes() <= available);
            let batch_that_fits = largest_batch(options.batch_size, fits)?;
            return Err(Error::Memory { needed, available, batch_that_fits });
        }
        let calls: Vec<Call> = lowering.calls.iter().map(|call| buffers.call(call)).collect();
        Ok(Self {
            batch_size: options.batch_size,
            shared: shared_storages(&calls, parameters, options.batch_size),
            forward,
            backward,
            update,
            input: buffers.view(input),
            logits: buffers.view(logits),
            probabilities: buffers.view(probabilities),
            kept: kept
                .into_iter()
                .map(|kept| Kept {
                    node: kept.node,
                    output: buffers.view(kept.output),
                    gradient: kept.gradient.map(|view| buffers.view(view)),
                })
                .collect(),
            buffers: buffers.lens(),
            calls,
        })
    }

    /// Whether the plan needs a storage that lies outside its workspace.
    pub fn shares(&self, storage: Storage) -> bool {
        self.shared.iter().any(|&(shared, _)| shared == storage)
    }

    /// Bytes that running the plan takes: workspace and shared storages, photos left out.
    pub fn bytes(&self) -> u64 {
        let lens = self.buffers.iter().chain(self.shared.iter().map(|(_, len)| len));
        4 * lens.map(|&len| len as u64).sum::<u64>()
    }

    /// A plan of at most `available` bytes, by [`Plan::bytes`].
    ///
    /// # Errors
    /// As [`Plan::new`]; [`Error::Memory`] names the largest batch whose plan would fit into `available`.
    pub fn within(
        graph: &Graph,
        parameters: &Parameters,
        options: &PlanOptions,
        available: u64,
    ) -> Result<Self> {
        let fitting = |batch_size| {
            let options = PlanOptions { batch_size, ..options.clone() };
            match Self::new(graph, parameters, &options) {
                Ok(plan) if plan.bytes() <= available => Ok(Ok(plan)),
                Ok(plan) => Ok(Err(plan.bytes())),
                Err(Error::Memory { needed, .. }) => Ok(Err(needed)),
                Err(error) => Err(error),
            }
        };
        match fitting(options.batch_size)? {
            Ok(plan) => Ok(plan),
            Err(needed) => {
                let fits = |batch_size| fitting(batch_size).map(|plan| plan.is_ok());
                let batch_that_fits = largest_batch(options.batch_size, fits)?;
                Err(Error::Memory { needed, available, batch_that_fits })
            }
        }
    }
}

/// The largest batch below `too_large` that `fits`, if there is one: bytes grow with the batch, so halving finds it.
fn largest_batch(
    mut too_large: usize,
    fits: impl Fn(usize) -> Result<bool>,
) -> Result<Option<usize>> {
    let mut largest = 0;
    while too_large - largest > 1 {
        let middle = largest + (too_large - largest) / 2;
        if fits(middle)? { largest = middle } else { too_large = middle }
    }
    Ok((largest > 0).then_some(largest))
}

fn lower_input(graph: &Graph, options: &PlanOptions, lowering: &mut Lowering) -> View {
    let output = graph.input();
    let input = lowering.value(Extent::PerSample(output.len()));
    lowering.set_output(0, input);
    if let Source::Photos { pages, stored_size } = options.source {
        for page in 0..pages {
            // A page's length is the executor's to know: the view starts at its beginning.
            let photos = View::new(Storage::Photos(page), Extent::Fixed(0));
            let transforms = View::new(Storage::Transforms, Extent::PerSample(TRANSFORM));
            lowering.call(
                Kernel::PrepareBatch(PrepareBatch { page, stored_size, output }),
                &[photos, transforms],
                &[input],
            );
        }
    }
    input
}

fn lower_update(parameters: &Parameters, options: &PlanOptions, lowering: &mut Lowering) {
    let mut start = 0;
    while start < parameters.weights_len {
        let len = UPDATE_CHUNK.min(parameters.weights_len - start);
        let view = |storage| View { storage, offset: start, extent: Extent::Fixed(len) };
        let flags = View {
            storage: Storage::ParameterFlags,
            offset: 2 * start / crate::kernel::ROW,
            extent: Extent::Fixed(2 * len / crate::kernel::ROW),
        };
        let (gradients, weights, first) =
            (view(Storage::Gradients), view(Storage::Weights), view(Storage::FirstMoment));
        match options.optimizer {
            Optimizer::Adam { beta1, beta2, epsilon } => {
                let kernel = Kernel::Adam(Adam { len, beta1, beta2, epsilon });
                lowering.call(
                    kernel,
                    &[gradients, flags],
                    &[weights, first, view(Storage::SecondMoment)],
                );
            }
            Optimizer::Sgd { momentum } => {
                lowering.call(
                    Kernel::Sgd(Sgd { len, momentum }),
                    &[gradients, flags],
                    &[weights, first],
                );
            }
        }
        if options.weight_average > 0.0 {
            let kernel =
                Kernel::AverageWeights(AverageWeights { len, decay: options.weight_average });
            lowering.call(kernel, &[weights], &[view(Storage::AveragedWeights)]);
        }
        start += len;
    }
    if options.weight_average > 0.0 && parameters.statistics_len > 0 {
        let view = |storage| View::new(storage, Extent::Fixed(parameters.statistics_len));
        let kernel = Kernel::AverageWeights(AverageWeights {
            len: parameters.statistics_len,
            decay: options.weight_average,
        });
        lowering.call(kernel, &[view(Storage::Statistics)], &[view(Storage::AveragedStatistics)]);
    }
}

/// What each node needs to know of its surroundings.
struct Contexts<'a> {
    graph: &'a Graph,
    parameters: &'a Parameters,
    options: &'a PlanOptions,
    consumers: Vec<usize>,
    needs_gradient: Vec<bool>,
    random_layers: Vec<u32>,
    masked_by_consumer: Vec<bool>,
}

impl<'a> Contexts<'a> {
    fn new(graph: &'a Graph, parameters: &'a Parameters, options: &'a PlanOptions) -> Self {
        let count = graph.nodes.len();
        let mut contexts = Self {
            graph,
            parameters,
            options,
            consumers: vec![0; count],
            needs_gradient: vec![false; count],
            random_layers: vec![0; count],
            masked_by_consumer: vec![false; count],
        };
        let mut before_frozen_norm = vec![false; count];
        for (number, node, operation) in graph.operations().rev() {
            let frozen_norm =
                number < options.train_from && operation.statistics_channels(node.shape) > 0;
            for &input in &node.inputs {
                before_frozen_norm[input] |= frozen_norm || before_frozen_norm[number];
            }
        }
        let kept = |number| options.keep.contains(&number) && !before_frozen_norm[number];
        contexts.needs_gradient[0] = kept(0);
        let mut random_layers = 0;
        for (number, node, operation) in graph.operations() {
            for &input in &node.inputs {
                contexts.consumers[input] += 1;
            }
            let own = number >= options.train_from && parameters.block(number).is_some();
            let passes_on = node.inputs.iter().any(|&input| contexts.needs_gradient[input]);
            contexts.needs_gradient[number] = own || passes_on || kept(number);
            contexts.random_layers[number] = random_layers;
            random_layers += u32::from(operation.is_random());
        }
        for (_, node, operation) in graph.operations() {
            for &input in &node.inputs {
                let masks = operation.masks_input() && contexts.consumers[input] == 1;
                // A kept gradient is the one by the output itself.
                contexts.masked_by_consumer[input] = masks && !options.keep.contains(&input);
            }
        }
        contexts
    }

    fn node<'b>(&self, number: usize, lowering: &'b mut Lowering) -> NodeLowering<'b> {
        let node = &self.graph.nodes[number];
        let input = |&input: &usize| Input {
            node: input,
            shape: self.graph.nodes[input].shape,
            needs_gradient: self.needs_gradient[input],
            sole_consumer: self.consumers[input] == 1 && !self.options.keep.contains(&input),
            activation: if self.masked_by_consumer[input] {
                self.fused_activation(input)
            } else {
                Activation::None
            },
        };
        NodeLowering {
            lowering,
            node: number,
            inputs: node.inputs.iter().map(input).collect(),
            shape: node.shape,
            block: self.parameters.block(number),
            frozen: number < self.options.train_from,
            statistics: self.parameters.statistics(number),
            random_layer: self.random_layers[number],
            gradient_is_masked: self.masked_by_consumer[number],
        }
    }

    fn fused_activation(&self, number: usize) -> Activation {
        self.graph.nodes[number]
            .op
            .operation()
            .map_or(Activation::None, |operation| operation.fused_activation())
    }
}

fn shared_storages(
    calls: &[Call],
    parameters: &Parameters,
    batch_size: usize,
) -> Vec<(Storage, usize)> {
    let mut shared = std::collections::BTreeMap::new();
    for view in calls.iter().flat_map(|call| call.reads.iter().chain(&call.writes)) {
        match view.storage {
            Storage::Workspace(_) | Storage::Photos(_) => {}
            storage => {
                let end = view.offset + view.extent.len(batch_size);
                let len = shared.entry(storage).or_insert(0);
                *len = end.max(*len);
            }
        }
    }
    for (storage, len) in &mut shared {
        match storage {
            Storage::Weights | Storage::Gradients | Storage::AveragedWeights => {
                *len = parameters.weights_len
            }
            Storage::Statistics | Storage::AveragedStatistics => *len = parameters.statistics_len,
            _ => {}
        }
    }
    shared.into_iter().collect()
}
