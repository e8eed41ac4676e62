//! "None of these": whether a photo shows any of the classes, judged from the network's last features.
//!
//! A logistic regression on features of length 1 tells photos of the classes from pictures that show none: outlier
//! exposure (Hendrycks et al., 2019), with the network itself left as it is. docs/accuracy.md compares it with distances
//! and energies.

use super::Reading;
use serde::Serialize;

/// Share of the photos of known classes that must not be flagged.
pub const KEPT_SHARE: f64 = 0.95;

/// Fewest photos that a threshold is read off.
pub const LEAST_PHOTOS: usize = 20;

/// Weight of the squared coefficients in the regression's mean loss.
const RIDGE: f64 = 0.005;

/// Steps of the regression.
const STEPS: usize = 300;

/// Tells pictures of none of the classes.
#[derive(Debug, Clone, PartialEq)]
pub struct OutlierDetector {
    /// One number a feature.
    pub kernel: Vec<f32>,
    /// Added to the sum; it puts the threshold at 0.
    pub bias: f32,
}

/// How a photo was judged.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Outlier {
    /// The larger, the less the photo looks like one of the classes; 0 is the threshold.
    pub score: f32,
    /// Whether it is above the threshold.
    pub none_of_these: bool,
}

impl OutlierDetector {
    /// Learns what tells `known` photos of the classes from `others`; the threshold keeps [`KEPT_SHARE`] of `validation`,
    /// photos of the classes that the network was not trained on.
    pub fn fit(known: &[Reading], others: &[Reading], validation: &[Reading]) -> Self {
        let samples: Vec<Vec<f64>> =
            known.iter().chain(others).map(|reading| unit(&reading.features)).collect();
        let (kernel, bias) = regression(&samples, known.len());
        let mut detector = Self {
            kernel: kernel.into_iter().map(|number| number as f32).collect(),
            bias: bias as f32,
        };
        let mut scores: Vec<f32> =
            validation.iter().map(|reading| detector.judge(reading).score).collect();
        scores.sort_by(f32::total_cmp);
        let kept = (KEPT_SHARE * scores.len() as f64).ceil() as usize;
        // Between the last that is kept and the first that is not, so that rounding decides nothing.
        if let [.., last] = scores[..kept] {
            detector.bias -= 0.5 * (last + scores.get(kept).unwrap_or(&last));
        }
        detector
    }

    /// Judges a photo.
    pub fn judge(&self, reading: &Reading) -> Outlier {
        let features = unit(&reading.features);
        let sum: f64 = features
            .iter()
            .zip(&self.kernel)
            .map(|(number, &weight)| number * f64::from(weight))
            .sum();
        let score = sum as f32 + self.bias;
        Outlier { score, none_of_these: score > 0.0 }
    }
}

/// Numbers scaled to a mean square of 1, so that their size does not depend on how many there are; all 0 stay so.
fn unit(numbers: &[f32]) -> Vec<f64> {
    let squares: f64 = numbers.iter().map(|&number| f64::from(number).powi(2)).sum();
    let scale = (numbers.len() as f64 / squares.max(f64::MIN_POSITIVE)).sqrt();
    numbers
        .iter()
        .map(|&number| f64::from(number) * if squares > 0.0 { scale } else { 0.0 })
        .collect()
}

/// Kernel and bias of a logistic regression that gives positive sums to the samples from `known` on, both groups weighing
/// the same. Nesterov's accelerated gradient (1983), whose steps the curvature bounds.
fn regression(samples: &[Vec<f64>], known: usize) -> (Vec<f64>, f64) {
    let width = samples.first().map_or(0, Vec::len);
    let weight = |number: usize| {
        let group = if number < known { known } else { samples.len() - known };
        0.5 / group.max(1) as f64
    };
    let mut mean = vec![0.0; width];
    for (number, sample) in samples.iter().enumerate() {
        add(&mut mean, sample, weight(number));
    }
    let centred: Vec<Vec<f64>> = samples
        .iter()
        .map(|sample| sample.iter().zip(&mean).map(|(number, mean)| number - mean).collect())
        .collect();
    let step = 1.0 / (0.25 * largest_variance(&centred, &weight).max(1.0) * 1.1 + RIDGE);
    // The bias is the last number.
    let (mut now, mut before) = (vec![0.0; width + 1], vec![0.0; width + 1]);
    for round in 0..STEPS {
        let momentum = round as f64 / (round + 3) as f64;
        let ahead: Vec<f64> =
            now.iter().zip(&before).map(|(now, before)| now + momentum * (now - before)).collect();
        let mut gradient: Vec<f64> = ahead.iter().map(|number| RIDGE * number).collect();
        gradient[width] = 0.0;
        for (number, sample) in centred.iter().enumerate() {
            let sum = dot(sample, &ahead) + ahead[width];
            let target = if number < known { 0.0 } else { 1.0 };
            let slope = weight(number) * (1.0 / (1.0 + (-sum).exp()) - target);
            add(&mut gradient, sample, slope);
            gradient[width] += slope;
        }
        let next = ahead.iter().zip(&gradient).map(|(ahead, slope)| ahead - step * slope).collect();
        before = std::mem::replace(&mut now, next);
    }
    let bias = now.pop().unwrap_or(0.0) - dot(&now, &mean);
    (now, bias)
}

/// The largest variance along any direction, by power iteration.
fn largest_variance(centred: &[Vec<f64>], weight: &impl Fn(usize) -> f64) -> f64 {
    let width = centred.first().map_or(0, Vec::len);
    let (mut direction, mut largest) = (vec![1.0 / (width.max(1) as f64).sqrt(); width], 0.0);
    for _ in 0..20 {
        let mut next = vec![0.0; width];
        for (number, sample) in centred.iter().enumerate() {
            add(&mut next, sample, weight(number) * dot(sample, &direction));
        }
        largest = dot(&next, &next).sqrt();
        if largest == 0.0 {
            return 0.0;
        }
        direction = next.into_iter().map(|number| number / largest).collect();
    }
    largest
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn add(sum: &mut [f64], numbers: &[f64], factor: f64) {
    sum.iter_mut().zip(numbers).for_each(|(sum, number)| *sum += factor * number);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Random, Stream};

    /// Readings scattered around a direction.
    fn around(direction: [f32; 4], count: u32, stream: u32) -> Vec<Reading> {
        let random = Random::new(3, Stream::Test, stream, 0);
        (0..count)
            .map(|photo| {
                let features =
                    (0..4).map(|i| direction[i as usize] + 0.2 * random.normal(4 * photo + i));
                Reading { logits: Vec::new(), features: features.collect() }
            })
            .collect()
    }

    #[test]
    fn tells_directions_apart_and_keeps_nineteen_of_twenty() {
        let known =
            [around([2.0, 0.5, 0.5, 0.0], 60, 0), around([0.5, 2.0, 0.5, 0.0], 60, 1)].concat();
        let others = around([0.5, 0.5, 2.0, 1.0], 40, 2);
        let validation = around([2.0, 0.5, 0.5, 0.0], 100, 3);
        let detector = OutlierDetector::fit(&known, &others, &validation);
        let flagged = |readings: &[Reading]| {
            readings.iter().filter(|reading| detector.judge(reading).none_of_these).count()
        };
        assert_eq!(flagged(&validation), 5);
        assert_eq!(flagged(&around([0.5, 0.5, 2.0, 1.0], 50, 4)), 50);
        // Nine times as bright is the same direction.
        let brighter = Reading { features: vec![18.0, 4.5, 4.5, 0.0], logits: Vec::new() };
        assert!(!detector.judge(&brighter).none_of_these);
    }

    #[test]
    fn the_regression_is_at_its_minimum() {
        let samples: Vec<Vec<f64>> =
            [around([1.0, 0.0, 0.5, 0.0], 30, 5), around([0.7, 0.4, 0.5, 0.0], 20, 6)]
                .concat()
                .iter()
                .map(|reading| unit(&reading.features))
                .collect();
        let (kernel, bias) = regression(&samples, 30);
        let loss = |kernel: &[f64], bias: f64| {
            let losses = samples.iter().enumerate().map(|(number, sample)| {
                let sum = dot(sample, kernel) + bias;
                let (sign, group) = if number < 30 { (1.0, 30.0) } else { (-1.0, 20.0) };
                (sign * sum).exp().ln_1p() * 0.5 / group
            });
            losses.sum::<f64>() + 0.5 * RIDGE * dot(kernel, kernel)
        };
        let least = loss(&kernel, bias);
        for coordinate in 0..4 {
            for change in [-0.05, 0.05] {
                let mut other = kernel.clone();
                other[coordinate] += change;
                assert!(loss(&other, bias) > least);
            }
        }
        assert!(loss(&kernel, bias - 0.05) > least && loss(&kernel, bias + 0.05) > least);
    }

    #[test]
    fn features_that_are_all_zero_are_harmless() {
        let zero = Reading { logits: Vec::new(), features: vec![0.0; 3] };
        let zeros = vec![zero.clone(); 4];
        let detector = OutlierDetector::fit(&zeros, &zeros, &zeros);
        assert!(detector.judge(&zero).score.is_finite());
    }
}
