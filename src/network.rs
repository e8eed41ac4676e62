//! Networks: text to expanded layers to a graph with shapes.
//!
//! ```
//! use floret::network::Network;
//! use floret::shape::Shape;
//!
//! let text = "['serial', ['conv', {'ksize': 3, 'chn': 8, 'stride': 2}], ['avg', {'stride': 16}]]";
//! let network = Network::new(text, Shape::new(32, 32, 3), 5)?;
//! assert_eq!(network.structure.parameters, 3 * 3 * 3 * 8 + 8 + 8 * 5 + 5);
//! assert_eq!(network.graph.classes(), 5);
//! # Ok::<(), floret::error::Error>(())
//! ```

mod build;
pub mod cell;
pub mod describe;
mod expand;
pub mod graph;
mod layers;
mod macros;
mod options;
mod parse;
mod predefined;
pub mod presets;
mod value;

use crate::error::{Error, Result, Words};
use crate::shape::Shape;
use cell::RunSettings;
use describe::Structure;
use graph::Graph;
use macros::Macros;

/// Largest height or width of a photo that a network reads, in pixels.
const MAX_SIDE: usize = 2048;

/// Largest number of classes.
const MAX_CLASSES: usize = 10_000;

/// A network read from its text.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    /// The text.
    pub text: String,
    /// What it computes, from the photo to the logits.
    pub graph: Graph,
    /// Its layers, for people.
    pub structure: Structure,
    /// What a pasted cell said of the run.
    pub run: RunSettings,
}

impl Network {
    /// Reads a network: a bare nested list, or a cell with macros and a model line. `input` is the shape of a photo, and
    /// after the listed layers comes a dense layer of `classes` outputs.
    ///
    /// # Errors
    /// [`Error::Syntax`] for a slip in the text, [`Error::Layer`] where shapes do not fit, [`Error::Setting`] for an input
    /// or a number of classes out of range.
    pub fn new(text: &str, input: Shape, classes: usize) -> Result<Self> {
        let sides = [input.height, input.width, input.channels];
        if sides.contains(&0) || sides.iter().any(|&side| side > MAX_SIDE) {
            return Err(Error::setting(
                Words::of("name.input"),
                Words::of("expected.sides").with("high", MAX_SIDE),
                format!("{} × {} × {}", input.height, input.width, input.channels),
            ));
        }
        if !(1..=MAX_CLASSES).contains(&classes) {
            return Err(Error::setting(
                Words::of("name.classes"),
                Words::of("expected.range").with("low", 1u32).with("high", MAX_CLASSES),
                classes,
            ));
        }
        let cell = cell::read(text)?;
        let network = expand::expand(&cell.network, &mut Macros::new(cell.macros))?;
        let (graph, structure) = build::build(&network, input, classes)?;
        Ok(Self { text: text.to_owned(), graph, structure, run: cell.run })
    }

    /// Shape of a photo.
    pub fn input(&self) -> Shape {
        self.graph.input()
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.graph.classes()
    }
}
