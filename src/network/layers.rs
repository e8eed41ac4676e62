//! Layers with their types: what a nested list says after its macros are expanded.

use super::options::{Action, Options};
use super::value::{Entry, Span};
use crate::error::Result;
use crate::kernel::Activation;
use crate::ops::Op;
use crate::ops::batch_norm::BatchNorm;
use crate::ops::conv2d::Conv2d;
use crate::ops::dense::Dense;
use crate::ops::dropout::Dropout;
use crate::ops::noise::Noise;
use crate::ops::pool2d::{Pool2d, PoolKind};

/// A layer, with its children.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// What it does.
    pub kind: LayerKind,
    /// Its kind in the notation, or the name of the macro that it came from.
    pub label: String,
    /// Where it stands in the network, such as `2.rhalf.0.rh.0.1.conv`; unique.
    pub path: String,
    /// Where it stands in the text.
    pub span: Span,
}

/// What a layer does.
#[derive(Debug, Clone, PartialEq)]
pub enum LayerKind {
    /// `conv` and `full`: a linear map among its actions.
    Linear {
        /// The map, without activation.
        op: Op,
        /// What runs, in order; exactly one is the map.
        actions: Vec<Action>,
        /// The function behind `A`.
        activation: Activation,
    },
    /// A single op.
    Single(Op),
    /// Children one after another: `serial`, `loop`, a macro.
    Series(Vec<Layer>),
    /// Children side by side, concatenated along the channels.
    Parallel(Vec<Layer>),
    /// Children side by side, summed.
    Add {
        /// At least one.
        children: Vec<Layer>,
        /// Whether the input is a summand too.
        x: bool,
        /// What is done to the sum, in order.
        actions: Vec<Action>,
        /// The function behind `A`.
        activation: Activation,
    },
}

/// Kinds that take no children, each with its options.
pub const LEAVES: [(&str, &[&str]); 7] = [
    ("conv", &["ksize", "chn", "stride", "padding", "groups", "actions", "actfunc"]),
    ("max", &["stride", "ksize", "padding"]),
    ("avg", &["stride", "ksize", "padding"]),
    ("full", &["width", "actfunc", "actions"]),
    ("dropout", &["keep_prob"]),
    ("batch_normal", &["rescale", "epsilon", "exp_ratio"]),
    ("noise", &["type", "mean", "std", "ratio"]),
];

/// Kinds made of other layers, each with its options.
pub const GROUPS: [(&str, &[&str]); 5] = [
    ("serial", &[]),
    ("parallel", &[]),
    ("add", &["x", "actions", "actfunc"]),
    ("loop", &["repeat"]),
    ("custom", &["name", "args"]),
];

/// The layer behind a kind without children; `None` where `kind` is not among [`LEAVES`].
///
/// # Errors
/// [`crate::error::Error::Syntax`] for options that are unknown, missing, or of a wrong type.
pub fn leaf(kind: &str, span: Span, entries: &[Entry]) -> Result<Option<LayerKind>> {
    let Some((_, known)) = LEAVES.iter().find(|(name, _)| *name == kind) else { return Ok(None) };
    let options = Options::new(kind, span, entries, known)?;
    let layer = match kind {
        "conv" => LayerKind::Linear {
            op: Op::Conv2d(Conv2d {
                kernel_size: options.pair("ksize", None)?,
                stride: options.pair("stride", Some([1, 1]))?,
                padding: options.padding()?,
                out_channels: options.count("chn", 1, None)?,
                groups: options.count("groups", 1, Some(1))?,
                activation: Activation::None,
            }),
            actions: options.actions("LA", "LAB")?,
            activation: options.activation()?,
        },
        "full" => LayerKind::Linear {
            op: Op::Dense(Dense {
                width: options.count("width", 1, None)?,
                activation: Activation::None,
            }),
            actions: options.actions("LA", "LAB")?,
            activation: options.activation()?,
        },
        "max" | "avg" => LayerKind::Single(Op::Pool2d(pooling(kind, &options)?)),
        "dropout" => {
            let keep_prob = options.number("keep_prob", 1.0, (f32::MIN_POSITIVE, 1.0))?;
            LayerKind::Single(Op::Dropout(Dropout { keep_prob }))
        }
        "batch_normal" => {
            let ours = BatchNorm::new(options.flag("rescale", true)?, Activation::None);
            LayerKind::Single(Op::BatchNorm(BatchNorm {
                epsilon: options.number("epsilon", ours.epsilon, (f32::MIN_POSITIVE, 1.0))?,
                momentum: options.number("exp_ratio", ours.momentum, (0.0, 1.0))?,
                ..ours
            }))
        }
        _ => {
            options.choice("type", "normal", &["normal"])?;
            LayerKind::Single(Op::Noise(Noise {
                mean: options.number("mean", 0.0, (-1e6, 1e6))?,
                std: options.number("std", 1.0, (0.0, 1e6))?,
                ratio: options.number("ratio", 1.0, (0.0, 1.0))?,
            }))
        }
    };
    Ok(Some(layer))
}

/// `max` or `avg`: the window is as large as the stride unless said otherwise.
fn pooling(kind: &str, options: &Options) -> Result<Pool2d> {
    let stride = options.pair("stride", Some([1, 1]))?;
    Ok(Pool2d {
        kind: if kind == "max" { PoolKind::Max } else { PoolKind::Average },
        kernel_size: options.pair("ksize", Some(stride))?,
        stride,
        padding: options.padding()?,
    })
}
