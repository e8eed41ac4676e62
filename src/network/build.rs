//! Layers to the graph, and the structure table beside it.

use super::describe::{Structure, StructureRow, field_after};
use super::graph::{Graph, Node};
use super::layers::{Layer, LayerKind};
use super::options::Action;
use super::value::Span;
use crate::error::{Error, Result, Words};
use crate::kernel::Activation;
use crate::ops::activation::ActivationOp;
use crate::ops::add::Add;
use crate::ops::batch_norm::BatchNorm;
use crate::ops::concat::Concat;
use crate::ops::dense::Dense;
use crate::ops::{Op, Reach};
use crate::shape::Shape;

/// Elements that one value of one sample, or all parameters, may have: 1 GiB.
const MAX_ELEMENTS: u64 = 1 << 28;

/// Builds the graph of a network, and after its layers the classifying head: a `full` layer of `classes` outputs without
/// activation, named `head`.
///
/// # Errors
/// [`Error::Layer`] where shapes do not fit, or a layer is larger than any device could hold.
pub fn build(network: &Layer, input: Shape, classes: usize) -> Result<(Graph, Structure)> {
    let mut builder = Builder {
        graph: Graph::new(input),
        fields: vec![[[1, 1], [1, 1]]],
        parameters: 0,
        rows: Vec::new(),
        index: 0,
    };
    // The layers of the network itself stand at the margin.
    let last = match &network.kind {
        LayerKind::Series(children) => builder.series(children, 0, 0)?,
        _ => builder.layer(network, 0, 0)?,
    };
    let head = Layer {
        kind: LayerKind::Linear {
            op: Op::Dense(Dense { width: classes, activation: Activation::None }),
            actions: vec![Action::Linear],
            activation: Activation::None,
        },
        label: "full".into(),
        path: "head".into(),
        span: network.span,
    };
    builder.layer(&head, last, 0)?;
    let structure = Structure::new(builder.rows, &builder.graph);
    Ok((builder.graph, structure))
}

struct Builder {
    graph: Graph,
    /// Receptive field of each node: size, then jump.
    fields: Vec<[[usize; 2]; 2]>,
    /// Parameters so far.
    parameters: u64,
    rows: Vec<StructureRow>,
    index: usize,
}

impl Builder {
    /// Appends a layer that reads node `input`; returns the node of its output.
    fn layer(&mut self, layer: &Layer, input: usize, depth: usize) -> Result<usize> {
        let row = self.rows.len();
        let first_node = self.graph.nodes.len();
        let is_leaf = matches!(layer.kind, LayerKind::Linear { .. } | LayerKind::Single(_));
        self.index += usize::from(is_leaf);
        self.rows.push(StructureRow {
            index: is_leaf.then_some(self.index),
            depth,
            kind: layer.label.clone(),
            path: layer.path.clone(),
            input: self.graph.nodes[input].shape,
            ..StructureRow::default()
        });
        let output = match &layer.kind {
            LayerKind::Single(op) => self.add(layer, "", op.clone(), vec![input])?,
            LayerKind::Linear { op, actions, activation } => {
                self.actions(layer, Some(op), actions, *activation, input)?
            }
            LayerKind::Series(children) => self.series(children, input, depth + 1)?,
            LayerKind::Parallel(children) => {
                let branches = self.branches(children, input, depth + 1)?;
                match branches.as_slice() {
                    [only] => *only,
                    _ => self.add(layer, "", Op::Concat(Concat), branches)?,
                }
            }
            LayerKind::Add { children, x, actions, activation } => {
                let mut summands = self.branches(children, input, depth + 1)?;
                if *x {
                    summands.push(input);
                }
                self.sum(layer, &summands, actions, *activation)?
            }
        };
        self.rows[row].measure(&self.graph, first_node, output, self.fields[output]);
        Ok(output)
    }

    fn series(&mut self, children: &[Layer], input: usize, depth: usize) -> Result<usize> {
        children.iter().try_fold(input, |input, child| self.layer(child, input, depth))
    }

    fn branches(&mut self, children: &[Layer], input: usize, depth: usize) -> Result<Vec<usize>> {
        children.iter().map(|child| self.layer(child, input, depth)).collect()
    }

    /// Sums two at a time; an activation that follows is fused into the last sum.
    fn sum(
        &mut self,
        layer: &Layer,
        summands: &[usize],
        actions: &[Action],
        activation: Activation,
    ) -> Result<usize> {
        let Some((&first, others)) = summands.split_first() else {
            return Err(at_layer(layer, Words::of("expected.summands"), Words::of("found.none")));
        };
        let (mut sum, mut actions) = (first, actions);
        for (number, &summand) in others.iter().enumerate() {
            let is_last = number + 1 == others.len();
            let fused = match actions.split_first() {
                Some((Action::Activation, rest)) if is_last => {
                    actions = rest;
                    activation
                }
                _ => Activation::None,
            };
            let suffix = if is_last { String::new() } else { format!(".sum{number}") };
            let op = Op::Add(Add { activation: fused });
            sum = self.add(layer, &suffix, op, vec![sum, summand])?;
        }
        self.actions(layer, None, actions, activation, sum)
    }

    /// Runs actions in order; an activation right after a linear map or a normalisation is fused into it. A normalisation
    /// has a learned scale and shift only after a sum: in front of or behind a linear map that would be redundant.
    fn actions(
        &mut self,
        layer: &Layer,
        linear: Option<&Op>,
        actions: &[Action],
        activation: Activation,
        input: usize,
    ) -> Result<usize> {
        let mut node = input;
        let (mut norms, mut activations) = (0, 0);
        let mut rest = actions;
        while let Some((action, after)) = rest.split_first() {
            rest = after;
            let mut fuse = || match rest.split_first() {
                Some((Action::Activation, after)) => {
                    rest = after;
                    activation
                }
                _ => Activation::None,
            };
            node = match (action, linear) {
                (Action::Linear, Some(Op::Conv2d(conv))) => {
                    let op = Op::Conv2d(crate::ops::conv2d::Conv2d {
                        activation: fuse(),
                        ..conv.clone()
                    });
                    self.add(layer, "", op, vec![node])?
                }
                (Action::Linear, Some(Op::Dense(dense))) => {
                    let op = Op::Dense(Dense { activation: fuse(), ..dense.clone() });
                    self.add(layer, "", op, vec![node])?
                }
                (Action::Linear, _) => node,
                (Action::BatchNorm, _) => {
                    let op = Op::BatchNorm(BatchNorm::new(linear.is_none(), fuse()));
                    norms += 1;
                    self.add(layer, &numbered(".batch_norm", norms), op, vec![node])?
                }
                (Action::Activation, _) if activation == Activation::None => node,
                (Action::Activation, _) => {
                    let op = Op::Activation(ActivationOp { activation });
                    activations += 1;
                    self.add(layer, &numbered(".activation", activations), op, vec![node])?
                }
            };
        }
        Ok(node)
    }

    /// Appends an op named by the layer's path and a suffix.
    fn add(&mut self, layer: &Layer, suffix: &str, op: Op, inputs: Vec<usize>) -> Result<usize> {
        let name = format!("{}{suffix}", layer.path);
        let shapes: Vec<Shape> = inputs.iter().map(|&node| self.graph.nodes[node].shape).collect();
        let reach = op.operation().map_or(Reach::Pixel, |operation| operation.reach());
        let field = field_after(reach, &inputs, &self.fields, self.graph.input());
        let node = self.graph.add(name, op, inputs).map_err(|error| point(error, layer.span))?;
        let shape = self.graph.nodes[node].shape;
        if product([shape.height, shape.width, shape.channels]) > MAX_ELEMENTS {
            let found = format!("{} × {} × {}", shape.height, shape.width, shape.channels);
            return Err(at_layer(layer, Words::of("expected.output_numbers"), Words::value(found)));
        }
        self.count_parameters(layer, node, &shapes)?;
        self.fields.push(field);
        Ok(node)
    }

    /// Refuses more parameters than a plan could hold, before anything adds their sizes up.
    fn count_parameters(&mut self, layer: &Layer, node: usize, inputs: &[Shape]) -> Result<()> {
        let Node { op, shape, .. } = &self.graph.nodes[node];
        let Some(operation) = op.operation() else { return Ok(()) };
        let specs = operation.parameters(inputs, *shape);
        let of_layer = specs.iter().fold(0, |sum: u64, spec| sum.saturating_add(spec.len() as u64));
        let parameters = self.parameters.saturating_add(of_layer);
        if parameters > MAX_ELEMENTS {
            let found = Words::of("found.with_this_layer").with("n", parameters as f64);
            return Err(at_layer(layer, Words::of("expected.parameters"), found));
        }
        self.parameters = parameters;
        Ok(())
    }
}

fn product(sizes: [usize; 3]) -> u64 {
    sizes.iter().fold(1, |product: u64, &size| product.saturating_mul(size as u64))
}

fn numbered(suffix: &str, number: usize) -> String {
    if number == 1 { suffix.into() } else { format!("{suffix}{number}") }
}

fn at_layer(layer: &Layer, expected: Words, found: Words) -> Error {
    let error = Error::Layer { layer: (&layer.path).into(), expected, found, suggestion: None };
    point(error, layer.span)
}

/// Adds the place in the text to an error of a layer.
fn point(error: Error, span: Span) -> Error {
    match error {
        Error::Layer { layer, expected, found, suggestion: None } => {
            let suggestion = Some(Words::of("hint.see").with("place", span.words()));
            Error::Layer { layer, expected, found, suggestion }
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use crate::kernel::Activation::{self, None, Relu, Tanh};
    use crate::network::Network;
    use crate::ops::Op;
    use crate::shape::Shape;

    /// Kind, name, activation and, for a normalisation, rescale, of every node but input and head.
    fn nodes(text: &str) -> Vec<(&'static str, String, Activation, bool)> {
        let graph = Network::new(text, Shape::new(8, 8, 4), 2).unwrap().graph;
        let mut nodes: Vec<_> = graph
            .operations()
            .map(|(_, node, operation)| {
                let rescale = matches!(&node.op, Op::BatchNorm(norm) if norm.rescale);
                let activation = match &node.op {
                    Op::Activation(op) => op.activation,
                    _ => operation.fused_activation(),
                };
                (operation.kind(), node.name.clone(), activation, rescale)
            })
            .collect();
        nodes.pop();
        nodes
    }

    fn of(
        kind: &'static str,
        name: &str,
        activation: Activation,
        rescale: bool,
    ) -> (&'static str, String, Activation, bool) {
        (kind, name.into(), activation, rescale)
    }

    #[test]
    fn activations_fuse_into_what_they_follow() {
        let conv =
            |actions| nodes(&format!("['conv', {{'ksize': 3, 'chn': 4, 'actions': '{actions}'}}]"));
        let (map, norm, act) = ("0.conv", "0.conv.batch_norm", "0.conv.activation");
        assert_eq!(conv("LA"), [of("conv", map, Relu, false)]);
        assert_eq!(
            conv("LAB"),
            [of("conv", map, Relu, false), of("batch_normal", norm, None, false)]
        );
        assert_eq!(
            conv("LBA"),
            [of("conv", map, None, false), of("batch_normal", norm, Relu, false)]
        );
        assert_eq!(
            conv("BAL"),
            [of("batch_normal", norm, Relu, false), of("conv", map, None, false)]
        );
        assert_eq!(
            conv("ALAA"),
            [
                of("activation", act, Relu, false),
                of("conv", map, Relu, false),
                of("activation", "0.conv.activation2", Relu, false)
            ]
        );
    }

    #[test]
    fn an_add_sums_two_at_a_time() {
        let text = "['add', {'actions': 'ABA', 'actfunc': 'tanh'}, ['avg'], ['max'], ['avg', {'ksize': 3}]]";
        assert_eq!(
            nodes(text),
            [
                of("avg", "0.add.0.avg", None, false),
                of("max", "0.add.1.max", None, false),
                of("avg", "0.add.2.avg", None, false),
                of("add", "0.add.sum0", None, false),
                of("add", "0.add.sum1", None, false),
                of("add", "0.add", Tanh, false),
                of("batch_normal", "0.add.batch_norm", Tanh, true),
            ]
        );
        let alone = "['add', {'x': False, 'actions': 'A'}, ['max']]";
        let expected = [
            of("max", "0.add.0.max", None, false),
            of("activation", "0.add.activation", Relu, false),
        ];
        assert_eq!(nodes(alone), expected);
    }

    #[test]
    fn summands_are_children_first_then_the_input() {
        let text = "['add', ['conv', {'ksize': 1, 'chn': 8}], ['avg', {'ksize': 3}]]";
        let graph = Network::new(text, Shape::new(8, 8, 4), 2).unwrap().graph;
        let add = graph.nodes.iter().find(|node| node.name == "0.add").unwrap();
        let sum0 = graph.nodes.iter().position(|node| node.name == "0.add.sum0").unwrap();
        assert_eq!(add.inputs, [sum0, 0]);
        assert_eq!(add.shape, Shape::new(8, 8, 8));
    }

    #[test]
    fn a_dense_layer_flattens_and_takes_actions() {
        let text = "['serial', ['full', {'width': 6, 'actions': 'LB', 'actfunc': 'sigmoid'}], ['full', {'width': 3}]]";
        assert_eq!(
            nodes(text),
            [
                of("full", "0.full", None, false),
                of("batch_normal", "0.full.batch_norm", None, false),
                of("full", "1.full", Relu, false)
            ]
        );
    }
}
