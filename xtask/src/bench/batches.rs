//! Whether cost grows in line with work: speed by batch size, and of every model with the memory that its plan states.

use super::Arguments;
use super::native::{self, floret};
use crate::project::{command, output, say};
use anyhow::{Context, Result};
use serde_json::Value;

const SIZES: [usize; 5] = [8, 16, 32, 64, 128];
/// Batch of the table of all models, whose larger ones take gigabytes at the sizes above.
const SIZE: usize = 2;

/// Prints both tables, by the terminal program's own figures.
pub fn run(arguments: &Arguments) -> Result<()> {
    let floret = floret()?;
    let bench = |model: &str, size: usize, steps: usize| {
        let (size, steps) = (size.to_string(), steps.to_string());
        let sizes = ["--batch", &size, "--steps", &steps, "--passes", "3"];
        native::bench(&floret, &[&["--model", model], &sizes[..]].concat())
    };
    say("speed by batch size");
    println!(
        "| training, GFLOP/s | {} | largest / smallest |",
        SIZES.map(|n| n.to_string()).join(" | ")
    );
    println!("| --- |{}", " --- |".repeat(SIZES.len() + 1));
    for model in &arguments.models {
        let mut speeds = Vec::new();
        for size in SIZES {
            speeds.push(bench(model, size, 200 / size + 1)?["gflops"].as_f64().unwrap_or(0.0));
        }
        let largest = speeds.iter().copied().fold(0.0, f64::max);
        let smallest = speeds.iter().copied().fold(f64::MAX, f64::min);
        let cells: Vec<_> = speeds.iter().map(|speed| format!("{speed:.1}")).collect();
        println!("| {model} | {} | {:.2} |", cells.join(" | "), largest / smallest);
    }
    say("all models");
    let models = names(&output(command(&floret.to_string_lossy()).args(["models", "--json"]))?)?;
    println!("| training at batch {SIZE} | GFLOP/s | photos/s | the plan's memory, MB |");
    println!("| --- | --- | --- | --- |");
    for name in &models {
        let report = bench(name, SIZE, 1)?;
        let number = |key: &str| report[key].as_f64().unwrap_or(0.0);
        println!(
            "| {name} | {:.1} | {:.2} | {:.0} |",
            number("gflops"),
            number("train_images_per_s"),
            number("train_bytes") / 1e6
        );
    }
    Ok(())
}

/// Names of the models that `floret models --json` lists.
fn names(list: &str) -> Result<Vec<String>> {
    let models: Vec<Value> =
        serde_json::from_str(list).context("reading what `floret models` says")?;
    let name = |model: &Value| Some(model["model"].as_str()?.to_owned());
    models
        .iter()
        .map(|model| name(model).with_context(|| format!("a model without a name: {model}")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_without_names_is_an_error_and_no_empty_table() {
        assert_eq!(names(r#"[{"model": "plain_34", "flops": 1}]"#).unwrap(), ["plain_34"]);
        assert!(names(r#"[{"name": "plain_34"}]"#).is_err());
    }
}
