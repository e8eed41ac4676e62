//! `floret models` and `floret describe`: networks without training them.

use crate::output::{print_json, say};
use crate::preset::network_text;
use crate::read_text;
use clap::Args;
use floret::error::Result;
use floret::network::Network;
use floret::network::presets::PRESETS;
use floret::shape::Shape;
use serde::Serialize;
use std::path::PathBuf;

/// Arguments of `floret models`.
#[derive(Args)]
pub struct ModelsArguments {
    /// Print the list as JSON on stdout.
    #[arg(long)]
    json: bool,
}

/// Arguments of `floret describe`.
#[derive(Args)]
pub struct DescribeArguments {
    /// Ready-made network; all of them, a line each, when left out.
    model: Option<String>,
    /// A file with a network in the notation, instead of a ready-made one.
    #[arg(long, conflicts_with = "model")]
    network: Option<PathBuf>,
    /// Pixels a side of the input, for --network.
    #[arg(long, default_value_t = 64, requires = "network")]
    input: usize,
    /// Classes, for --network.
    #[arg(long, default_value_t = 5, requires = "network")]
    classes: usize,
    /// Order of linear part, activation and batch normalisation in a ready-made network, such as LA or LAB.
    #[arg(long)]
    actions: Option<String>,
    /// Print the structure as JSON on stdout.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Summary {
    model: &'static str,
    input: Shape,
    classes: usize,
    parameters: u64,
    flops: u64,
}

fn summaries() -> Result<Vec<Summary>> {
    PRESETS
        .iter()
        .map(|preset| {
            let network = Network::new(&preset.text(preset.actions), preset.input, preset.classes)?;
            Ok(Summary {
                model: preset.name,
                input: preset.input,
                classes: preset.classes,
                parameters: network.structure.parameters,
                flops: network.structure.flops,
            })
        })
        .collect()
}

/// Lists the ready-made networks.
pub fn models(arguments: &ModelsArguments) -> Result<()> {
    let summaries = summaries()?;
    if arguments.json {
        return print_json(&summaries);
    }
    say!("{:<20}{:<16}{:>8}{:>14}{:>10}", "model", "input", "classes", "parameters", "MFLOP");
    for summary in summaries {
        let (input, parameters) = (summary.input.to_string(), thousands(summary.parameters));
        let megaflops = summary.flops as f64 / 1e6;
        say!(
            "{:<20}{input:<16}{:>8}{parameters:>14}{megaflops:>10.1}",
            summary.model,
            summary.classes
        );
    }
    Ok(())
}

/// Prints a network's structure, or all totals.
pub fn describe(arguments: &DescribeArguments) -> Result<()> {
    let network = match (&arguments.model, &arguments.network) {
        (None, None) => return models(&ModelsArguments { json: arguments.json }),
        (Some(name), _) => {
            let (text, input) = network_text(name, arguments.actions.as_deref())?;
            Network::new(&text, input, floret::network::presets::preset(name)?.classes)?
        }
        (None, Some(path)) => {
            let text = read_text(path)?;
            Network::new(&text, Shape::new(arguments.input, arguments.input, 3), arguments.classes)?
        }
    };
    if arguments.json {
        return print_json(&network.structure);
    }
    say!("{}", network.structure);
    Ok(())
}

fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
