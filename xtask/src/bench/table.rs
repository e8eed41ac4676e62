//! Medians of interleaved passes, and ratios to Floret.

use std::collections::BTreeMap;

/// The keys of `floret bench --json` that are compared, and whether more is better.
pub const KEYS: [(&str, bool); 3] =
    [("train_images_per_s", true), ("infer_images_per_s", true), ("infer_ms_per_image", false)];

/// The measurements of one thing after another, in the order in which each was first seen.
#[derive(Default)]
pub struct Table {
    names: Vec<String>,
    /// Why something could not be measured.
    failures: BTreeMap<String, String>,
    numbers: BTreeMap<(String, &'static str), Vec<f64>>,
}

impl Table {
    /// Adds what one pass of `name` gave: an object with some of [`KEYS`], or with an `error`.
    pub fn add(&mut self, name: &str, figures: &serde_json::Value) {
        if !self.names.iter().any(|known| known == name) {
            self.names.push(name.into());
        }
        if let Some(why) = figures["error"].as_str() {
            self.failures.insert(name.into(), why.into());
        }
        for (key, _) in KEYS {
            if let Some(number) = figures[key].as_f64() {
                self.numbers.entry((name.into(), key)).or_default().push(number);
            }
        }
    }

    /// Prints medians, and in brackets how many times as fast the first thing is.
    pub fn print(&self, title: &str) {
        print!("\n{}", self.text(title));
    }

    fn text(&self, title: &str) -> String {
        let mut text =
            format!("| {title} | train, photos/s | classify, photos/s | one photo, ms |\n");
        text += "| --- | --- | --- | --- |\n";
        for name in &self.names {
            let cells = KEYS.map(|(key, more_is_better)| {
                let (mine, first) = (self.median(name, key), self.median(&self.names[0], key));
                match (mine, first) {
                    (None, _) => "–".into(),
                    (Some(mine), Some(first)) if *name != self.names[0] => {
                        let times = if more_is_better { first / mine } else { mine / first };
                        format!("{} ({times:.2}×)", shown(mine))
                    }
                    (Some(mine), _) => shown(mine),
                }
            });
            let why = self.failures.get(name).map_or(String::new(), |why| format!(" ({why})"));
            text += &format!("| {name}{why} | {} |\n", cells.join(" | "));
        }
        text
    }

    fn median(&self, name: &str, key: &'static str) -> Option<f64> {
        self.numbers.get(&(name.to_string(), key)).and_then(|numbers| median(numbers))
    }
}

/// The number in the middle, or the mean of the two there; none of none.
pub fn median(numbers: &[f64]) -> Option<f64> {
    let mut numbers = numbers.to_vec();
    numbers.sort_by(f64::total_cmp);
    let middle = numbers.len() / 2;
    match numbers.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(numbers[middle]),
        _ => Some((numbers[middle - 1] + numbers[middle]) / 2.0),
    }
}

fn shown(number: f64) -> String {
    if number < 100.0 { format!("{number:.2}") } else { format!("{number:.0}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn medians_are_of_the_middle() {
        let mut table = Table::default();
        for number in [3.0, 9.0, 1.0] {
            table.add("a", &json!({ "train_images_per_s": number }));
        }
        assert_eq!(table.median("a", "train_images_per_s"), Some(3.0));
        table.add("a", &json!({ "train_images_per_s": 5.0 }));
        assert_eq!(table.median("a", "train_images_per_s"), Some(4.0));
        assert_eq!(table.median("a", "infer_ms_per_image"), None);
    }

    #[test]
    fn ratios_say_how_many_times_as_fast_the_first_is() {
        let mut table = Table::default();
        table.add("mine", &json!({ "train_images_per_s": 300.0, "infer_ms_per_image": 0.5 }));
        table.add("other", &json!({ "train_images_per_s": 150.0, "infer_ms_per_image": 1.0 }));
        table.add("broken", &json!({ "error": "cannot train" }));
        let text = table.text("a model");
        let rows: Vec<&str> = text.lines().skip(2).collect();
        assert_eq!(rows[0], "| mine | 300 | – | 0.50 |");
        assert_eq!(rows[1], "| other | 150 (2.00×) | – | 1.00 (2.00×) |");
        assert_eq!(rows[2], "| broken (cannot train) | – | – | – |");
    }
}
