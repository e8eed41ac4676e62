//! A flower model in Burn, built from the graph that Floret's page describes, for the comparison in `benches/peers`.

use burn::module::{Initializer, Module};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::loss::{CrossEntropyLoss, CrossEntropyLossConfig};
use burn::nn::pool::{AvgPool2d, AvgPool2dConfig, MaxPool2d, MaxPool2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Dropout, DropoutConfig, Linear, LinearConfig, PaddingConfig2d};
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Distribution, Int, Tensor, activation::relu};
use serde::Deserialize;
use wasm_bindgen::prelude::*;

const CLASSES: usize = 5;

/// Height, width and channels of a node's output.
#[derive(Debug, Clone, Copy, Deserialize)]
struct Shape {
    height: usize,
    width: usize,
    channels: usize,
}

/// A node of the graph, as the page's `describe` tells it.
#[derive(Debug, Clone, Deserialize)]
struct Node {
    kind: String,
    inputs: Vec<usize>,
    shape: Shape,
    kernel_size: Option<[usize; 2]>,
    stride: Option<[usize; 2]>,
}

/// A layer with its module; a node without one is written out in [`Net::forward`].
#[derive(Module, Debug)]
enum Layer {
    Conv(Conv2d),
    Norm(BatchNorm),
    Max(MaxPool2d),
    Average(AvgPool2d),
    Dropout(Dropout),
    Dense(Linear),
    Plain(PlainLayer),
}

#[derive(Module, Debug)]
struct PlainLayer {
    concatenates: bool,
}

#[derive(Module, Debug)]
struct Net {
    layers: Vec<Layer>,
    #[module(skip)]
    inputs: Vec<Vec<usize>>,
}

impl Net {
    fn new(nodes: &[Node], device: &Device) -> Self {
        let layers = nodes[1..].iter().map(|node| layer(node, nodes, device)).collect();
        Self { layers, inputs: nodes[1..].iter().map(|node| node.inputs.clone()).collect() }
    }

    fn forward(&self, photos: Tensor<4>) -> Tensor<2> {
        let mut values = vec![photos];
        for (layer, inputs) in self.layers.iter().zip(&self.inputs) {
            let input = values[inputs[0]].clone();
            let value = match layer {
                Layer::Conv(conv) => relu(conv.forward(input)),
                Layer::Norm(norm) => norm.forward(input),
                Layer::Max(pool) => pool.forward(input),
                Layer::Average(pool) => pool.forward(input),
                Layer::Dropout(dropout) => dropout.forward(input),
                Layer::Dense(dense) => return dense.forward(input.flatten(1, 3)),
                Layer::Plain(plain) if plain.concatenates => {
                    Tensor::cat(inputs.iter().map(|&input| values[input].clone()).collect(), 1)
                }
                Layer::Plain(_) => sum(inputs.iter().map(|&input| values[input].clone()).collect()),
            };
            values.push(value);
        }
        unreachable!("a network ends in a dense layer")
    }
}

/// A sum in which summands with fewer channels are tiled.
fn sum(summands: Vec<Tensor<4>>) -> Tensor<4> {
    let channels = summands.iter().map(|summand| summand.dims()[1]).max().unwrap_or(1);
    let tiled = summands.into_iter().map(|summand| {
        let times = channels / summand.dims()[1];
        if times == 1 { summand } else { summand.repeat(&[1, times, 1, 1]) }
    });
    tiled.reduce(|a, b| a + b).expect("a sum of something")
}

fn layer(node: &Node, nodes: &[Node], device: &Device) -> Layer {
    let input = nodes[node.inputs[0]].shape;
    let kernel_size = node.kernel_size.unwrap_or([1, 1]);
    let stride = node.stride.unwrap_or([1, 1]);
    match node.kind.as_str() {
        "conv" => Layer::Conv(
            Conv2dConfig::new([input.channels, node.shape.channels], kernel_size)
                .with_stride(stride)
                .with_padding(PaddingConfig2d::Same)
                .with_initializer(Initializer::KaimingNormal { gain: 1.0, fan_out_only: false })
                .init(device),
        ),
        "batch_normal" => Layer::Norm(BatchNormConfig::new(input.channels).init(device)),
        "max" => Layer::Max(
            MaxPool2dConfig::new(kernel_size)
                .with_strides(stride)
                .with_padding(PaddingConfig2d::Same)
                .init(),
        ),
        "avg" => Layer::Average(
            AvgPool2dConfig::new(kernel_size)
                .with_strides(stride)
                .with_padding(PaddingConfig2d::Same)
                .with_count_include_pad(false)
                .init(),
        ),
        "dropout" => Layer::Dropout(DropoutConfig::new(0.3).init()),
        "full" => {
            let inputs = input.height * input.width * input.channels;
            Layer::Dense(LinearConfig::new(inputs, CLASSES).init(device))
        }
        kind => Layer::Plain(PlainLayer { concatenates: kind == "parallel" }),
    }
}

/// What is measured: a model with its optimizer, and a batch of random photos.
#[wasm_bindgen]
pub struct Peer {
    trained: Option<Net>,
    frozen: Net,
    optimizer: ModuleOptimizer,
    loss: CrossEntropyLoss,
    photos: Tensor<4>,
    labels: Tensor<1, Int>,
    plain_photos: Tensor<4>,
}

#[wasm_bindgen]
impl Peer {
    /// A model of this graph (JSON) on batches of `batch_size`.
    #[wasm_bindgen(constructor)]
    pub fn new(graph: &str, batch_size: usize) -> Peer {
        let nodes: Vec<Node> = serde_json::from_str(graph).expect("a graph");
        let (device, plain) = (Device::flex().autodiff(), Device::flex());
        let Shape { height, width, channels } = nodes[0].shape;
        let random = |device: &Device| {
            let range = Distribution::Uniform(-1.0, 1.0);
            Tensor::random([batch_size, channels, height, width], range, device)
        };
        Peer {
            trained: Some(Net::new(&nodes, &device)),
            frozen: Net::new(&nodes, &plain),
            optimizer: AdamConfig::new().init(),
            loss: CrossEntropyLossConfig::new().init(&device),
            photos: random(&device),
            labels: Tensor::zeros([batch_size], &device),
            plain_photos: random(&plain),
        }
    }

    /// A training step; gives the loss.
    pub fn train(&mut self) -> f32 {
        let net = self.trained.take().expect("the model");
        let loss = self.loss.forward(net.forward(self.photos.clone()), self.labels.clone());
        let value = loss.clone().into_scalar::<f32>();
        let gradients = GradientsParams::from_grads(loss.backward(), &net);
        self.trained = Some(self.optimizer.step(1e-3, net, gradients));
        value
    }

    /// Classifies the first `count` photos; gives a logit.
    pub fn classify(&self, count: usize) -> f32 {
        let photos = self.plain_photos.clone().narrow(0, 0, count);
        self.frozen.forward(photos).narrow(0, 0, 1).narrow(1, 0, 1).into_scalar::<f32>()
    }
}
