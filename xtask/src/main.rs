//! The project's own commands: `cargo xtask serve`, `test`, `build` and `bench`. They fetch what they need themselves.

mod bench;
mod cargo_build;
mod dist;
mod models;
mod package;
mod page;
mod progress;
mod project;
mod recipe;
mod serve;
mod setup;
mod tally;
mod test;
mod wasm_runner;

use anyhow::Result;
use clap::{ArgAction, Parser, Subcommand};
use recipe::Recipe;
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Builds, serves, tests and measures Floret.")]
struct Arguments {
    #[command(subcommand)]
    command: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build the page and serve it on this machine.
    Serve {
        /// Port to listen on; 0 takes any free one.
        #[arg(long, default_value_t = 8080)]
        port: u16,
        /// Send the headers that allow threads (cross-origin isolation).
        #[arg(long, default_value_t = true, action = ArgAction::Set)]
        isolated: bool,
        /// Build this package of wasm-pack.toml only, which is faster.
        #[arg(long)]
        only: Option<String>,
    },
    /// Run every test, or those of one suite.
    Test {
        /// The suite.
        suite: Option<test::Suite>,
        /// Passed on to the suite's test program: the names of tests, or of a file of tests/browser.
        #[arg(last = true)]
        arguments: Vec<String>,
    },
    /// Build the page into dist/, for any static host.
    Build,
    /// Measure: the kernels, or Floret beside other frameworks.
    Bench(bench::Arguments),
    /// Run a test program in the browser; cargo calls this.
    #[command(name = wasm_runner::COMMAND, hide = true)]
    RunWasmTests {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // With its causes, and without the backtrace that anyhow adds where RUST_BACKTRACE is set.
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    match Arguments::parse().command {
        Task::Serve { port, isolated, only } => {
            let recipe = recipe(only)?;
            // Before the wait for the build: a port that is taken is said at once.
            let site = serve::start(&project::root().join("www"), port, isolated)?;
            let underway = page::build_first(&recipe)?;
            println!("\nFloret is at {} (Ctrl-C ends it)", site.url);
            page::build_others(&recipe, underway)?;
            loop {
                std::thread::park();
            }
        }
        Task::Test { suite, arguments } => test::run(suite, &arguments)?,
        Task::RunWasmTests { arguments } => wasm_runner::run(arguments)?,
        Task::Bench(arguments) => bench::run(&arguments)?,
        Task::Build => {
            let recipe = recipe(None)?;
            let packages = page::build(&recipe)?;
            package::print_sizes(&packages, &page::out_dir(&recipe))?;
            let (folder, bytes) = dist::write(&project::root().join("www"))?;
            println!(
                "\n{}: {:.1} MB, ready for any static host",
                folder.display(),
                bytes as f64 / 1e6
            );
        }
    }
    Ok(())
}

/// The recipe of this project, or one package of it.
fn recipe(only: Option<String>) -> Result<Recipe> {
    let whole = Recipe::read(&project::root())?;
    match only {
        Some(name) => whole.only(&name),
        None => Ok(whole),
    }
}
