//! How much a share of few photos says: Wilson's score interval (Wilson, 1927).

use serde::Serialize;

/// Quantile of the normal distribution that leaves 2.5% on either side.
const Z: f64 = 1.959_963_984_540_054;

/// Half a width, in shares of 1, from which an accuracy is shown with its interval.
const WIDE: f64 = 0.1;

/// Where the true share lies with 95% confidence.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// Lower end, in [0, 1].
    pub low: f64,
    /// Upper end, in [0, 1].
    pub high: f64,
    /// Whether it is wider than ten points to either side: too few photos to tell much.
    pub wide: bool,
}

impl Interval {
    /// Wilson's 95% interval of `right` among `total`; none of nothing.
    ///
    /// ```
    /// use floret::model::metrics::interval::Interval;
    /// let two_of_two = Interval::wilson(2, 2).unwrap();
    /// assert!((two_of_two.low - 0.342).abs() < 1e-3 && two_of_two.high == 1.0);
    /// assert!(Interval::wilson(0, 0).is_none());
    /// ```
    pub fn wilson(right: u32, total: u32) -> Option<Self> {
        if total == 0 {
            return None;
        }
        let (n, share) = (f64::from(total), f64::from(right) / f64::from(total));
        let z2 = Z * Z;
        let centre = (share + z2 / (2.0 * n)) / (1.0 + z2 / n);
        let spread = Z * (share * (1.0 - share) / n + z2 / (4.0 * n * n)).sqrt() / (1.0 + z2 / n);
        let low = if right == 0 { 0.0 } else { (centre - spread).max(0.0) };
        let high = if right == total { 1.0 } else { (centre + spread).min(1.0) };
        Some(Self { low, high, wide: high - low > 2.0 * WIDE })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_published_values() {
        // Newcombe, "Two-sided confidence intervals for the single proportion", 1998, table I, method 3.
        for (right, total, low, high) in [
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0, 0.1611),
            (1, 29, 0.0061, 0.1718),
        ] {
            let found = Interval::wilson(right, total).unwrap();
            assert!(
                (found.low - low).abs() < 1e-4 && (found.high - high).abs() < 1e-4,
                "{found:?}"
            );
        }
    }

    #[test]
    fn few_photos_are_wide_and_many_are_not() {
        assert!(Interval::wilson(1, 2).unwrap().wide);
        assert!(Interval::wilson(36, 36).is_some_and(|found| !found.wide));
        assert!(!Interval::wilson(450, 550).unwrap().wide);
    }
}
