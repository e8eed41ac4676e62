//! Where each parameter lies in the arenas: weights, gradients and moments share one layout.

use crate::error::{Error, Result, Words};
use crate::kernel::{ROW, round_up_to_row};
use crate::network::graph::Graph;
use crate::ops::batch_norm::pair_len;
use crate::ops::{Initialisation, ParameterSpec};
use crate::rng::{Random, Stream};
use ndarray::{ArrayViewD, ArrayViewMutD};
use serde::{Deserialize, Serialize};

/// How the kernels of a network start; biases start at 0.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum KernelInitialisation {
    /// Normal numbers of variance 2 / `fan_in` (He et al., 2015).
    #[default]
    He,
    /// Normal numbers of the same standard deviation in every layer.
    Normal {
        /// The standard deviation.
        deviation: f32,
    },
}

impl KernelInitialisation {
    /// The textbook's: standard deviation 0.03.
    pub const TEXTBOOK: Self = Self::Normal { deviation: 0.03 };

    /// Names that [`KernelInitialisation::named`] knows.
    pub const NAMES: [&'static str; 2] = ["he", "textbook"];

    /// An initialisation by its name.
    ///
    /// # Errors
    /// [`Error::Unknown`] with a suggestion.
    pub fn named(name: &str) -> Result<Self> {
        match name {
            "he" => Ok(Self::He),
            "textbook" => Ok(Self::TEXTBOOK),
            _ => Err(Error::unknown(Words::of("what.initialisation"), name, Self::NAMES)),
        }
    }

    fn deviation(self, fan_in: usize) -> f32 {
        match self {
            Self::He => (2.0 / fan_in as f32).sqrt(),
            Self::Normal { deviation } => deviation,
        }
    }
}

/// A trained tensor.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Path in the graph, such as `2.rhalf.0.conv.kernel`.
    pub name: String,
    /// The node that it belongs to.
    pub node: usize,
    /// Its place in the weight arena.
    pub offset: usize,
    /// What the op says of it.
    pub spec: ParameterSpec,
}

impl Parameter {
    /// This parameter in an arena of weights, gradients or moments, in its own shape (HWIO for kernels).
    ///
    /// # Panics
    /// Where the arena is too short to be one of this parameter's network.
    ///
    /// ```
    /// use floret::network::Network;
    /// use floret::plan::parameters::{KernelInitialisation, Parameters};
    /// use floret::shape::Shape;
    /// let text = "['serial', ['conv', {'ksize': 3, 'chn': 4}], ['avg', {'stride': 8}]]";
    /// let network = Network::new(text, Shape::new(8, 8, 3), 2)?;
    /// let parameters = Parameters::new(&network.graph);
    /// let weights = parameters.initial_weights(1, KernelInitialisation::He);
    /// assert_eq!(parameters.trained[0].view(&weights).shape(), [3, 3, 3, 4]);
    /// # Ok::<(), floret::error::Error>(())
    /// ```
    pub fn view<'a, T>(&self, arena: &'a [T]) -> ArrayViewD<'a, T> {
        let elements = &arena[self.offset..][..self.spec.len()];
        ArrayViewD::from_shape(self.spec.shape.as_slice(), elements)
            .expect("a parameter has as many elements as its shape")
    }

    /// As [`Self::view`], to be written.
    ///
    /// # Panics
    /// As [`Self::view`].
    pub fn view_mut<'a, T>(&self, arena: &'a mut [T]) -> ArrayViewMutD<'a, T> {
        let elements = &mut arena[self.offset..][..self.spec.len()];
        ArrayViewMutD::from_shape(self.spec.shape.as_slice(), elements)
            .expect("a parameter has as many elements as its shape")
    }
}

/// Running mean and variance of one batch normalisation.
#[derive(Debug, Clone, PartialEq)]
pub struct RunningStatistics {
    /// Path of the node.
    pub name: String,
    /// The node.
    pub node: usize,
    /// Place of the means in the statistics arena; the variances follow at the next whole row.
    pub offset: usize,
    /// Channels.
    pub channels: usize,
}

impl RunningStatistics {
    /// Place of the variances.
    pub fn variance_offset(&self) -> usize {
        self.offset + round_up_to_row(self.channels)
    }
}

/// All parameters and running statistics of a graph.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Parameters {
    /// Trained tensors in graph order.
    pub trained: Vec<Parameter>,
    /// Running statistics in graph order.
    pub running: Vec<RunningStatistics>,
    /// Numbers in the weight arena, a whole number of rows.
    pub weights_len: usize,
    /// Numbers in the statistics arena.
    pub statistics_len: usize,
    blocks: Vec<Option<(usize, usize)>>,
    statistics: Vec<Option<(usize, usize)>>,
}

impl Parameters {
    /// Lays out the parameters of a graph.
    pub fn new(graph: &Graph) -> Self {
        let mut parameters = Self {
            blocks: vec![None; graph.nodes.len()],
            statistics: vec![None; graph.nodes.len()],
            ..Self::default()
        };
        for (number, node, operation) in graph.operations() {
            let specs = operation.parameters(&graph.input_shapes(node), node.shape);
            let block_len = specs.iter().map(|spec| spec.offset + spec.len()).max().unwrap_or(0);
            if block_len > 0 {
                parameters.blocks[number] = Some((parameters.weights_len, block_len));
            }
            for spec in specs {
                let (name, offset) =
                    (format!("{}.{}", node.name, spec.name), parameters.weights_len + spec.offset);
                parameters.trained.push(Parameter { name, node: number, offset, spec });
            }
            parameters.weights_len += round_up_to_row(block_len);
            let channels = operation.statistics_channels(node.shape);
            if channels > 0 {
                let offset = parameters.statistics_len;
                parameters.statistics[number] = Some((offset, pair_len(channels)));
                parameters.running.push(RunningStatistics {
                    name: node.name.clone(),
                    node: number,
                    offset,
                    channels,
                });
                parameters.statistics_len += round_up_to_row(pair_len(channels));
            }
        }
        parameters
    }

    /// Offset and numbers of a node's block in the weight arena.
    pub fn block(&self, node: usize) -> Option<(usize, usize)> {
        self.blocks[node]
    }

    /// Offset and numbers of a node's block in the statistics arena.
    pub fn statistics(&self, node: usize) -> Option<(usize, usize)> {
        self.statistics[node]
    }

    /// The textbook's total: kernels and biases of convolutions and dense layers.
    pub fn counted(&self) -> u64 {
        self.trained.iter().filter(|p| p.spec.counted).map(|p| p.spec.len() as u64).sum()
    }

    /// A fresh weight arena. Parameter `p` draws from substream `p` of [`Stream::Initialisation`].
    pub fn initial_weights(&self, seed: u64, kernels: KernelInitialisation) -> Vec<f32> {
        let mut weights = vec![0.0; self.weights_len];
        for (number, parameter) in self.trained.iter().enumerate() {
            let mut values = parameter.view_mut(&mut weights);
            match parameter.spec.initialisation {
                Initialisation::Zeros => {}
                Initialisation::Ones => values.fill(1.0),
                Initialisation::Kernel { fan_in } => {
                    let random = Random::new(seed, Stream::Initialisation, number as u32, 0);
                    let deviation = kernels.deviation(fan_in);
                    for (index, value) in values.iter_mut().enumerate() {
                        *value = random.normal(index as u32) * deviation;
                    }
                }
            }
        }
        weights
    }

    /// Fresh running statistics: mean 0, variance 1.
    pub fn initial_statistics(&self) -> Vec<f32> {
        let mut statistics = vec![0.0; self.statistics_len];
        for running in &self.running {
            statistics[running.variance_offset()..][..running.channels].fill(1.0);
        }
        statistics
    }

    /// Two numbers a row, learning-rate scale and weight-decay scale: nodes below `train_from` are frozen, and only
    /// kernels decay.
    pub fn flags(&self, train_from: usize) -> Vec<f32> {
        let mut flags = vec![0.0; 2 * self.weights_len / ROW];
        for parameter in self.trained.iter().filter(|parameter| parameter.node >= train_from) {
            let rows =
                parameter.offset / ROW..(parameter.offset + parameter.spec.len()).div_ceil(ROW);
            for row in rows {
                flags[2 * row] = 1.0;
                flags[2 * row + 1] = f32::from(u8::from(parameter.spec.decays));
            }
        }
        flags
    }
}
