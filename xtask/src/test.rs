//! Every test of the project: the crate natively, as WebAssembly in a browser, and the page in a browser.

use crate::progress::Progress;
use crate::project::{cannot_start, cargo, root, say, target_dir};
use crate::recipe::{Package, Recipe};
use crate::setup::{self, WASM_TARGET};
use crate::tally::{self, Libtest, NodeTest, Reader, Tally};
use crate::{dist, package, page, serve, wasm_runner};
use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A part of the tests that can run alone.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Suite {
    /// Formatting, lints, types and the tests that need no browser.
    Native,
    /// The crate's unit tests as WebAssembly, in a browser.
    Wasm,
    /// The page, in a browser.
    Browser,
}

/// The integration tests that run as WebAssembly too: what the page computes with.
const WASM_INTEGRATION_TESTS: [&str; 2] = ["kernels", "devices"];

/// Runs one suite or all of them; an error where anything failed. `arguments` go to the suite's test program.
pub fn run(suite: Option<Suite>, arguments: &[String]) -> Result<()> {
    let recipe = Recipe::read(&root())?;
    let mut results = Results::default();
    let chosen = |one| suite.is_none_or(|suite| suite == one);
    setup::software_gpu()?;
    if chosen(Suite::Browser) || chosen(Suite::Native) {
        // The page's types come from the bindings, so they are built first.
        package::print_sizes(&page::build(&recipe)?, &page::out_dir(&recipe))?;
    }
    if chosen(Suite::Native) {
        native(&recipe, arguments, &mut results)?;
    }
    if chosen(Suite::Wasm) {
        wasm(&recipe, arguments, &mut results)?;
    }
    if chosen(Suite::Browser) {
        browser(arguments, &mut results)?;
    }
    results.finish()
}

fn native(recipe: &Recipe, arguments: &[String], results: &mut Results) -> Result<()> {
    setup::rust_linters()?;
    results.check("rustfmt", cargo().args(["fmt", "--all", "--check"]))?;
    let deny = ["--", "-D", "warnings"];
    let everything = ["clippy", "--workspace", "--all-targets", "--all-features"];
    results.check("clippy", cargo().args(everything).args(deny))?;
    if let Some(package) = unshared(recipe).next() {
        let mut clippy = cargo_for_web("clippy", package)?;
        results.check("clippy, WebAssembly", clippy.args(deny))?;
    }
    let mut docs = cargo();
    docs.args(["doc", "--package", "floret", "--lib", "--no-deps", "--all-features"]);
    results.check("docstrings", docs.env("RUSTDOCFLAGS", "-D warnings"))?;
    let mut biome = setup::node_program("@biomejs/biome/bin/biome")?;
    results.check("format and lint of the page", biome.args(["ci", "--colors=off"]))?;
    let mut tsc = setup::node_program("typescript/bin/tsc")?;
    results.check("types of the page", tsc.args(["--project", "tsconfig.json"]))?;

    let mut rust = cargo();
    rust.args(["test", "--package", "floret", "--all-features", "--no-fail-fast"]);
    rust.args(["--", "--show-output"]);
    results.count("Rust tests", rust.args(arguments), Libtest::default())?;
    let mut own = cargo();
    own.args(["test", "--package", "xtask", "--profile", "xtask", "--", "--show-output"]);
    results.count("tests of xtask", own.args(arguments), Libtest::default())?;

    let mut files = test_files(&root().join("www"))?;
    files.extend(test_files(&root().join("tests/browser"))?);
    if !files.is_empty() {
        let mut node = crate::project::command("node");
        node.args(["--test", "--test-reporter=spec"]).args(files);
        results.count("JavaScript tests", &mut node, NodeTest::default())?;
    }
    Ok(())
}

fn wasm(recipe: &Recipe, arguments: &[String], results: &mut Results) -> Result<()> {
    setup::rust_for_wasm(false)?;
    let progress = Progress::start();
    let runner = package::test_runner(&progress)?;
    drop(progress);
    // Beside each other: alone, each leaves a processor idle for most of its time.
    let mut begun = Vec::new();
    for package in unshared(recipe) {
        let mut tests = cargo_for_web("test", package)?;
        tests.args(WASM_INTEGRATION_TESTS.iter().flat_map(|name| ["--test", name]));
        wasm_runner::use_for(&mut tests, &runner)?;
        tests.arg("--").args(arguments);
        let name = format!("Rust tests, WebAssembly {}", package.name);
        say(&name);
        begun.push((name, begin(&mut tests)?));
    }
    for (name, child) in begun {
        results.read(&name, child, Libtest::default())?;
    }
    Ok(())
}

fn browser(arguments: &[String], results: &mut Results) -> Result<()> {
    let page = root().join("www");
    let isolated = serve::start(&page, 0, true)?;
    let plain = serve::start(&page, 0, false)?;
    // What a static host has: the list of files for offline use, and no headers of isolation.
    let (dist, _) = dist::write(&page)?;
    let published = serve::start(&dist, 0, false)?;
    let report = target_dir()?.join("playwright.json");
    let _ = fs::remove_file(&report);
    let mut playwright = setup::node_program("@playwright/test/cli.js")?;
    playwright
        .args(["test", "--config", "tests/browser/playwright.config.js", "--reporter=list,json"])
        .args(arguments)
        .env("PLAYWRIGHT_JSON_OUTPUT_NAME", &report)
        .env("FLORET_CHROMIUM", setup::chromium()?)
        .env("FLORET_URL", isolated.url)
        .env("FLORET_PLAIN_URL", plain.url)
        .env("FLORET_DIST_URL", published.url);
    say("the page in a browser");
    let status = playwright.status().with_context(|| cannot_start(&playwright))?;
    let tally = fs::read_to_string(&report).ok().and_then(|text| tally::from_playwright(&text));
    results.add("the page in a browser", tally.unwrap_or_default(), status.success());
    Ok(())
}

/// The packages whose tests run without rebuilding the standard library.
fn unshared(recipe: &Recipe) -> impl Iterator<Item = &Package> {
    recipe.packages.iter().filter(|package| package.shared_memory_bytes.is_none())
}

/// `cargo clippy` or `cargo test` on the crate as the web package has it; what its build compiled of others is used again.
fn cargo_for_web(subcommand: &str, package: &Package) -> Result<Command> {
    let mut cargo = cargo();
    cargo
        .args([subcommand, "--package", "floret", "--lib", "--release", "--no-default-features"])
        .args(["--target", WASM_TARGET, "--features", &package.cargo_features.join(",")])
        // The tests are several programs with the crate in each of them.
        .args(["--config", "profile.release.package.floret.codegen-units=16"])
        .arg("--target-dir")
        .arg(package::web_target_dir()?)
        .env("RUSTFLAGS", package.rustflags());
    Ok(cargo)
}

/// Starts a program whose output is read.
fn begin(command: &mut Command) -> Result<Child> {
    command.stdout(Stdio::piped()).spawn().with_context(|| cannot_start(command))
}

/// The files below `folder` that Node's test runner takes.
fn test_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(test_files(&path)?);
        } else if path.to_string_lossy().ends_with(".test.js") {
            found.push(path);
        }
    }
    Ok(found)
}

/// The results of the suites that have run so far.
#[derive(Default)]
struct Results {
    parts: Vec<(String, Tally)>,
}

impl Results {
    /// Runs a program that either passes or fails: one test.
    fn check(&mut self, name: &str, command: &mut Command) -> Result<()> {
        say(name);
        let passed = command.status().with_context(|| cannot_start(command))?.success();
        self.add(name, Tally { passed: u64::from(passed), ..Tally::default() }, passed);
        Ok(())
    }

    /// Runs a program that counts its own tests.
    fn count(&mut self, name: &str, command: &mut Command, reader: impl Reader) -> Result<()> {
        say(name);
        self.read(name, begin(command)?, reader)
    }

    /// Reads what a program says of its tests until it ends.
    fn read(&mut self, name: &str, mut child: Child, mut reader: impl Reader) -> Result<()> {
        let stdout = child.stdout.take().context("the output of a test program")?;
        for line in BufReader::new(stdout).lines() {
            let line = line?;
            if reader.line(&line) {
                println!("{line}");
            }
        }
        let succeeded = child.wait()?.success();
        self.add(name, reader.tally(), succeeded);
        Ok(())
    }

    /// A program that fails without a failed test (it did not compile, it crashed) is a failure all the same.
    fn add(&mut self, name: &str, mut tally: Tally, succeeded: bool) {
        if !succeeded && tally.failed == 0 {
            tally.failed = 1;
        }
        self.parts.push((name.to_string(), tally));
    }

    /// Prints the parts, then their sum on a line of its own.
    fn finish(&self) -> Result<()> {
        say("results");
        let mut total = Tally::default();
        for (name, tally) in &self.parts {
            println!("{name:<32} {tally}");
            total += *tally;
        }
        println!("\n{total}");
        if total.failed > 0 {
            bail!("not every test passed");
        }
        Ok(())
    }
}
