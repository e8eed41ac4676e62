//! The terminal program: the page's engine on folders of photos.

// `println!` panics where its reader has gone; `say!` does not.
#![deny(clippy::print_stdout)]

mod bench;
mod calibrate;
mod card;
mod classify;
mod describe;
mod device;
mod doctor;
mod eval;
mod experiment;
mod gradient_flow;
mod memory;
mod output;
mod photos;
mod preset;
mod recipe;
mod train;

use clap::{Parser, Subcommand};
use floret::error::{Error, Result, Words};
use std::process::ExitCode;

/// Train and run flower classifiers: the networks of the page, from a terminal.
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List the ready-made networks.
    Models(describe::ModelsArguments),
    /// Print a network's structure, or the totals of all ready-made ones.
    Describe(describe::DescribeArguments),
    /// Say what is wrong with a data set: copies, photos in two classes, blank and tiny ones.
    Doctor(doctor::DoctorArguments),
    /// Train a network on a folder of class folders, or an archive of them.
    Train(train::TrainArguments),
    /// Train the report's four models on the same photos and write the report on them.
    Experiment(experiment::ExperimentArguments),
    /// Show how large a gradient reaches each layer, at the start and after training.
    GradientFlow(gradient_flow::GradientFlowArguments),
    /// Judge a model on labelled photos.
    Eval(eval::EvalArguments),
    /// Fit a model's probabilities and its score for "none of these" to the photos that it was trained with.
    Calibrate(calibrate::CalibrateArguments),
    /// Write a model's card: data, recipe, results and limits, in Markdown.
    Card(card::CardArguments),
    /// Classify photos.
    Classify(classify::ClassifyArguments),
    /// Measure how fast this machine trains and classifies.
    Bench(bench::BenchArguments),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Models(arguments) => describe::models(&arguments),
        Command::Describe(arguments) => describe::describe(&arguments),
        Command::Doctor(arguments) => doctor::run(&arguments),
        Command::Train(arguments) => train::run(&arguments),
        Command::Experiment(arguments) => experiment::run(&arguments),
        Command::GradientFlow(arguments) => gradient_flow::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Eval(arguments) => eval::run(&arguments),
        Command::Calibrate(arguments) => calibrate::run(&arguments),
        Command::Card(arguments) => card::run(&arguments),
        Command::Classify(arguments) => classify::run(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("floret: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Reads a file, naming it where that fails.
fn read_file(path: &std::path::Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| Error::file(path, &error))
}

/// Reads a file as text, naming it where that fails.
fn read_text(path: &std::path::Path) -> Result<String> {
    let no_text = |_| Error::File { path: path.into(), reason: Words::of("reason.no_text") };
    String::from_utf8(read_file(path)?).map_err(no_text)
}
