//! Random numbers drawn one after another for one picture.

use super::canvas::{Rgb, hsv};
use crate::rng::{Random, Stream};

/// A sequence of draws, the same for the same seed, class and index.
pub struct Dice {
    random: Random,
    next: u32,
}

impl Dice {
    /// The draws of one picture.
    pub fn new(seed: u64, class: u32, index: u32) -> Self {
        Self { random: Random::new(seed, Stream::Drawing, class, index), next: 0 }
    }

    /// Uniform between two numbers.
    pub fn between(&mut self, low: f32, high: f32) -> f32 {
        self.next += 1;
        low + (high - low) * self.random.uniform(self.next - 1)
    }

    /// True with this probability.
    pub fn chance(&mut self, probability: f32) -> bool {
        self.between(0.0, 1.0) < probability
    }

    /// A whole number from `low` to `high`, both included.
    pub fn whole(&mut self, low: u32, high: u32) -> u32 {
        self.next += 1;
        low + self.random.below(self.next - 1, high - low + 1)
    }

    /// A colour near the given hue (degrees), saturation and value.
    pub fn near(&mut self, hue: f32, saturation: f32, value: f32, spread: f32) -> Rgb {
        let hue = hue + self.between(-30.0, 30.0) * spread;
        let saturation = (saturation + self.between(-0.5, 0.5) * spread).clamp(0.0, 1.0);
        let value = (value + self.between(-0.5, 0.5) * spread).clamp(0.0, 1.0);
        hsv(hue, saturation, value)
    }
}
