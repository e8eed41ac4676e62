//! The interface that an op sees while it turns itself into kernel calls: views of its inputs, output, parameters and
//! gradients.
//!
//! Values are numbered as they are made and live in `Storage::Workspace(value)`; the plan later maps values to buffers by
//! lifetime.

use crate::kernel::{
    Activation, ActivationBackward, AddBackward, BatchNorm, Call, Conv2dForward, Extent,
    GroupedConv2dForward, Kernel, Storage, TiledAdd, View,
};
use crate::shape::Shape;

/// The purpose of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Batch statistics, dropout, gradients.
    Training,
    /// Running statistics, no dropout, no gradients.
    Evaluation,
}

/// A gradient under construction: the value that holds it, and whether something has been written to it.
#[derive(Debug, Clone, Copy)]
struct Gradient {
    view: View,
    written: bool,
}

/// The calls so far, with the values they use.
#[derive(Debug)]
pub struct Lowering {
    /// The purpose of the plan.
    pub mode: Mode,
    /// Whether weights and running statistics are read from their moving averages.
    pub averaged: bool,
    /// Calls in order of execution, on values.
    pub calls: Vec<Call>,
    /// Span of each value.
    pub values: Vec<Extent>,
    outputs: Vec<Option<View>>,
    gradients: Vec<Option<Gradient>>,
    saved: Vec<Option<View>>,
}

impl Lowering {
    /// Nothing lowered yet, for a graph of `nodes` nodes.
    pub fn new(mode: Mode, averaged: bool, nodes: usize) -> Self {
        Self {
            mode,
            averaged,
            calls: Vec::new(),
            values: Vec::new(),
            outputs: vec![None; nodes],
            gradients: vec![None; nodes],
            saved: vec![None; nodes],
        }
    }

    /// A new value.
    pub fn value(&mut self, extent: Extent) -> View {
        self.values.push(extent);
        View::new(Storage::Workspace(self.values.len() as u32 - 1), extent)
    }

    /// Appends a call.
    pub fn call(&mut self, kernel: Kernel, reads: &[View], writes: &[View]) {
        self.calls.push(Call { kernel, reads: reads.to_vec(), writes: writes.to_vec() });
    }

    /// Sets the output of a node.
    pub fn set_output(&mut self, node: usize, view: View) {
        self.outputs[node] = Some(view);
    }

    /// The output of a node that has been lowered forward.
    ///
    /// # Panics
    /// If the node has not: nodes are lowered in topological order.
    pub fn output(&self, node: usize) -> View {
        self.outputs[node].expect("nodes are lowered in topological order")
    }

    /// Sets the gradient of a node's output, whole.
    pub fn set_gradient(&mut self, node: usize, view: View) {
        self.gradients[node] = Some(Gradient { view, written: true });
    }

    /// The gradient of a node's output, if one reaches it.
    pub fn gradient(&self, node: usize) -> Option<View> {
        self.gradients[node].filter(|gradient| gradient.written).map(|gradient| gradient.view)
    }
}

/// One input of a node under lowering.
#[derive(Debug, Clone, Copy)]
pub struct Input {
    /// The node that makes it.
    pub node: usize,
    /// Its shape.
    pub shape: Shape,
    /// Whether anything before it wants a gradient.
    pub needs_gradient: bool,
    /// Whether this node is the only one that reads it.
    pub sole_consumer: bool,
    /// The activation that made it, when this node's backward kernel is to multiply by its derivative.
    pub activation: Activation,
}

/// One node under lowering.
#[derive(Debug)]
pub struct NodeLowering<'a> {
    /// The plan so far.
    pub lowering: &'a mut Lowering,
    /// The node's number.
    pub node: usize,
    /// Its inputs.
    pub inputs: Vec<Input>,
    /// Shape of its output.
    pub shape: Shape,
    /// Offset of its parameter block in the weight arena, and the block's numbers.
    pub block: Option<(usize, usize)>,
    /// Whether it is not trained: it behaves as in evaluation, and its parameters get no gradient.
    pub frozen: bool,
    /// Offset of its running statistics, and their numbers.
    pub statistics: Option<(usize, usize)>,
    /// Number of random layers before it.
    pub random_layer: u32,
    /// Whether the gradient that arrives is already multiplied by the derivative of the node's own activation.
    pub gradient_is_masked: bool,
}

impl NodeLowering<'_> {
    /// Whether the plan trains this node.
    pub fn training(&self) -> bool {
        self.lowering.mode == Mode::Training && !self.frozen
    }

    /// View of an input.
    pub fn input(&self, index: usize) -> View {
        self.lowering.output(self.inputs[index].node)
    }

    /// View of the output, once lowered forward.
    pub fn output(&self) -> View {
        self.lowering.output(self.node)
    }

    /// Makes the output value and returns its view.
    pub fn new_output(&mut self) -> View {
        let view = self.lowering.value(Extent::PerSample(self.shape.len()));
        self.lowering.set_output(self.node, view);
        view
    }

    /// Lets the output be the first input itself.
    pub fn output_is_input(&mut self) {
        let view = self.input(0);
        self.lowering.set_output(self.node, view);
    }

    /// Lets the convolution that makes the input normalise its sums with the running statistics before it stores them;
    /// `false` where something else makes the input or reads it too.
    pub fn normalize_in_convolution(&mut self, running_norm: BatchNorm) -> bool {
        let (input, running) = (self.input(0), self.running_statistics());
        let block = running_norm.rescale.then(|| self.parameters());
        let Some(call) = self.lowering.calls.last_mut() else { return false };
        let (Kernel::Conv2dForward(Conv2dForward { norm: norm @ None, .. })
        | Kernel::GroupedConv2dForward(GroupedConv2dForward { norm: norm @ None, .. })) =
            &mut call.kernel
        else {
            return false;
        };
        if call.writes[0] != input || !self.inputs[0].sole_consumer {
            return false;
        }
        *norm = Some(running_norm);
        call.reads.push(running);
        call.reads.extend(block);
        self.output_is_input();
        true
    }

    /// Keeps a value for the backward pass: pooling's indices, batch normalisation's moments.
    pub fn save(&mut self, view: View) {
        self.lowering.saved[self.node] = Some(view);
    }

    /// The value that the forward pass kept.
    pub fn saved(&self) -> View {
        self.lowering.saved[self.node]
            .expect("the forward pass keeps what the backward pass asks for")
    }

    /// The parameter block in the weight arena.
    pub fn parameters(&self) -> View {
        self.block_in(if self.lowering.averaged {
            Storage::AveragedWeights
        } else {
            Storage::Weights
        })
    }

    /// The same block in the gradient arena.
    pub fn parameter_gradients(&self) -> View {
        self.block_in(Storage::Gradients)
    }

    fn block_in(&self, storage: Storage) -> View {
        let (offset, len) = self.block.expect("only ops with parameters ask for them");
        View { storage, offset, extent: Extent::Fixed(len) }
    }

    /// The running statistics.
    pub fn running_statistics(&self) -> View {
        let (offset, len) = self.statistics.expect("only ops with statistics ask for them");
        let storage =
            if self.lowering.averaged { Storage::AveragedStatistics } else { Storage::Statistics };
        View { storage, offset, extent: Extent::Fixed(len) }
    }

    /// The gradient of the output before the node's own `activation`: as it arrived where the consumer has multiplied by
    /// the derivative already, else through one more kernel.
    pub fn gradient_before(&mut self, activation: Activation) -> Option<View> {
        let gradient = self.lowering.gradient(self.node)?;
        if activation == Activation::None || self.gradient_is_masked {
            return Some(gradient);
        }
        let output = self.output();
        let masked = self.lowering.value(Extent::PerSample(self.shape.len()));
        let kernel = Kernel::ActivationBackward(ActivationBackward {
            len: self.shape.len(),
            activation,
            accumulate: false,
        });
        self.lowering.call(kernel, &[output, gradient], &[masked]);
        Some(masked)
    }

    /// Where the gradient of an input goes, and whether to add to it; `None` where nobody wants it. The caller writes it.
    pub fn gradient_of_input(&mut self, index: usize) -> Option<(View, bool)> {
        let input = self.inputs[index];
        if !input.needs_gradient {
            return None;
        }
        if let Some(gradient) = self.lowering.gradients[input.node] {
            return Some((gradient.view, gradient.written));
        }
        let view = self.lowering.value(Extent::PerSample(input.shape.len()));
        self.lowering.set_gradient(input.node, view);
        Some((view, false))
    }

    /// Gives `gradient` itself to an input that nobody else reads; `false` where it has to be added up instead.
    pub fn hand_gradient_on(&mut self, index: usize, gradient: View) -> bool {
        let input = self.inputs[index];
        if !input.needs_gradient {
            return true;
        }
        if !input.sole_consumer || input.activation != Activation::None {
            return false;
        }
        self.lowering.set_gradient(input.node, gradient);
        true
    }

    /// Passes the gradient of the output on to the first input as it is.
    pub fn pass_gradient_on(&mut self) {
        let Some(gradient) = self.lowering.gradient(self.node) else { return };
        if self.hand_gradient_on(0, gradient) {
            return;
        }
        if let Some((grad_input, accumulate)) = self.gradient_of_input(0) {
            let (pixels, channels) = (self.shape.pixels(), self.shape.channels);
            let add = TiledAdd { pixels, channels, tile: channels };
            self.lowering.call(
                Kernel::AddBackward(AddBackward { add, accumulate }),
                &[gradient],
                &[grad_input],
            );
        }
    }
}
