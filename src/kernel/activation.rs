//! The functions after a linear map or a normalisation.

use serde::{Deserialize, Serialize};

/// The function after a linear map or a normalisation. Its derivative can be had from its output alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// The identity.
    #[default]
    None,
    /// max(x, 0); NaN stays NaN.
    Relu,
    /// 1 / (1 + exp(−x)).
    Sigmoid,
    /// Hyperbolic tangent.
    Tanh,
}

impl Activation {
    /// Names in the notation.
    pub const NAMES: [&'static str; 4] = ["none", "relu", "sigmoid", "tanh"];

    /// The activation of that name in the notation.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "none" => Some(Self::None),
            "relu" => Some(Self::Relu),
            "sigmoid" => Some(Self::Sigmoid),
            "tanh" => Some(Self::Tanh),
            _ => None,
        }
    }

    /// The value at `x`.
    #[inline(always)]
    pub fn apply(self, x: f32) -> f32 {
        match self {
            Self::None => x,
            // Unlike `max`, this lets NaN through: a run that diverged must show.
            Self::Relu => {
                if x < 0.0 {
                    0.0
                } else {
                    x
                }
            }
            Self::Sigmoid => 1.0 / (1.0 + (-x).exp()),
            Self::Tanh => x.tanh(),
        }
    }

    /// The derivative at the point whose value is `y`.
    #[inline(always)]
    pub fn derivative(self, y: f32) -> f32 {
        match self {
            Self::None => 1.0,
            Self::Relu => f32::from(u8::from(y > 0.0)),
            Self::Sigmoid => y * (1.0 - y),
            Self::Tanh => 1.0 - y * y,
        }
    }
}
