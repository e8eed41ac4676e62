//! One web package: compiled by cargo, bound to JavaScript by wasm-bindgen, made smaller by wasm-opt.

use crate::cargo_build;
use crate::progress::{Progress, Task};
use crate::project::{cargo, output, target_dir};
use crate::recipe::{Need, Package, Recipe};
use crate::setup::{self, WASM_TARGET};
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// The file in a package's folder that says what it was made of.
const RECORD: &str = "built.tmp";

/// Seconds that one processor works on each part of a fresh build, for estimates: only their ratios matter.
mod usual_seconds {
    pub const FIRST_PACKAGE: f64 = 118.0;
    /// The parts that serve compiling itself, such as macros, are there by then.
    pub const NEXT_PACKAGE: f64 = 85.0;
    /// The standard library, for shared memory.
    pub const STANDARD_LIBRARY: f64 = 30.0;
    pub const BINDINGS_PROGRAM: f64 = 75.0;
    /// The crate itself, as a share of its package.
    pub const CRATE_SHARE: f64 = 0.35;
}

/// A line of `packages.json`, from which the page takes the first whose needs its browser has.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Built {
    /// Name in `wasm-pack.toml`.
    pub name: String,
    /// The features that a browser must have to load it.
    pub needs: Vec<Need>,
    /// The JavaScript module, relative to `packages.json`.
    pub module: String,
    /// The WebAssembly module, relative to `packages.json`.
    pub wasm: String,
}

/// Whether a package is made as small as it can be, which takes as long as a good part of compiling it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// By wasm-opt, as a host should send it.
    Smallest,
    /// As compiled, unless a smaller one of the same code stands there. It runs as fast.
    AsCompiled,
}

/// The folder that all packages are compiled in. They share what does not depend on their instruction sets.
pub fn web_target_dir() -> Result<PathBuf> {
    Ok(target_dir()?.join("web"))
}

/// Compiles the program that writes bindings; returns its path.
pub fn bindings_program(progress: &Progress) -> Result<PathBuf> {
    let task = progress.add("wasm-bindgen", usual_seconds::BINDINGS_PROGRAM);
    wasm_bindgen_program("bindings", &[], &task)
}

/// Compiles the program that serves tests to a browser; returns its path.
pub fn test_runner(progress: &Progress) -> Result<PathBuf> {
    let task = progress.add("wasm-bindgen's test runner", usual_seconds::BINDINGS_PROGRAM);
    wasm_bindgen_program("test-runner", &["test-runner"], &task)
}

/// Compiles a program of `xtask/wasm-bindgen`; returns its path.
fn wasm_bindgen_program(name: &str, features: &[&str], task: &Task) -> Result<PathBuf> {
    let mut cargo = cargo();
    cargo
        .args(["build", "--profile", "xtask", "--package", "xtask-wasm-bindgen", "--bin", name])
        .arg("--message-format=json-render-diagnostics")
        .arg("--features")
        .arg(features.join(","));
    let files = cargo_build::build(&mut cargo, 0.1, task)?;
    task.finish();
    let stem = |path: &&PathBuf| path.file_stem().is_some_and(|stem| stem == name);
    files.into_iter().find(|path| stem(&path)).with_context(|| format!("cargo built no `{name}`"))
}

/// Compiles the crate for a package; returns the path of the raw WebAssembly module.
pub fn compile(package: &Package, progress: &Progress) -> Result<PathBuf> {
    let target = web_target_dir()?;
    let raw = target.join(&package.name).join("floret.wasm");
    let is_first = !target.join("release").is_dir();
    let mut seconds =
        if is_first { usual_seconds::FIRST_PACKAGE } else { usual_seconds::NEXT_PACKAGE };
    if package.shared_memory_bytes.is_some() {
        seconds += usual_seconds::STANDARD_LIBRARY;
    }
    let task = progress.add(format!("the engine, `{}`", package.name), seconds);
    fs::create_dir_all(target.join(&package.name))?;
    // Cargo gives the modules of all packages one name, so nobody else may build until this one is copied.
    let lock = File::create(target.join("floret.lock"))?;
    lock.lock().context("waiting for another build of a web package")?;
    let mut cargo = cargo();
    cargo
        .args(["rustc", "--package", "floret", "--lib", "--release", "--no-default-features"])
        .args(["--crate-type", "cdylib", "--target", WASM_TARGET])
        .arg("--message-format=json-render-diagnostics")
        .arg("--target-dir")
        .arg(&target)
        .env("RUSTFLAGS", package.rustflags())
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    if !package.cargo_features.is_empty() {
        cargo.arg("--features").arg(package.cargo_features.join(","));
    }
    if package.shared_memory_bytes.is_some() {
        // The standard library as shipped has no atomics; building it is not stable yet.
        cargo.arg("-Zbuild-std=panic_abort,std").env("RUSTC_BOOTSTRAP", "1");
    }
    cargo.arg("--");
    cargo.args(package.link_args().iter().map(|argument| format!("-Clink-arg={argument}")));
    cargo_build::build(&mut cargo, usual_seconds::CRATE_SHARE, &task)
        .with_context(|| format!("compiling the web package `{}`", package.name))?;
    let artifact = target.join(WASM_TARGET).join("release/floret.wasm");
    fs::copy(&artifact, &raw).with_context(|| format!("copying {}", artifact.display()))?;
    task.finish();
    Ok(raw)
}

/// Writes the bindings and the module, unless they stand there already for this very input. A package is there whole or
/// not at all: it is written beside its folder, which it then becomes.
pub fn bind(
    recipe: &Recipe,
    package: &Package,
    raw: &Path,
    bindings: &Path,
    size: Size,
    out_dir: &Path,
) -> Result<Built> {
    let folder = out_dir.join(&package.name);
    let content = fs::read(raw).with_context(|| format!("reading {}", raw.display()))?;
    let mut hasher = blake3::Hasher::new();
    hasher.update(&content).update(format!("{recipe:?}").as_bytes());
    let input = hasher.finalize().to_hex();
    let record_of = |size: Size| format!("{input} {size:?}");
    let record = fs::read_to_string(folder.join(RECORD)).unwrap_or_default();
    let stands = record == record_of(Size::Smallest) || record == record_of(size);
    if !stands {
        let fresh = out_dir.join(format!("{}.tmp", package.name));
        remove_folder(&fresh)?;
        fs::create_dir_all(&fresh)?;
        output(crate::project::command_at(bindings).arg(raw).arg(&fresh))?;
        if size == Size::Smallest {
            optimize(recipe, package, &fresh.join("floret_bg.wasm"))?;
        }
        fs::write(fresh.join(RECORD), record_of(size))?;
        remove_folder(&folder)?;
        fs::rename(&fresh, &folder)
            .with_context(|| format!("moving {} to {}", fresh.display(), folder.display()))?;
    }
    Ok(Built {
        name: package.name.clone(),
        needs: package.needs.clone(),
        module: format!("{}/floret.js", package.name),
        wasm: format!("{}/floret_bg.wasm", package.name),
    })
}

fn remove_folder(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("emptying {}", folder.display()))?;
    }
    Ok(())
}

fn optimize(recipe: &Recipe, package: &Package, wasm: &Path) -> Result<()> {
    let mut wasm_opt = setup::node_program("binaryen/bin/wasm-opt")?;
    wasm_opt.args(&recipe.wasm_opt).args(package.wasm_opt_features());
    output(wasm_opt.arg(wasm).arg("-o").arg(wasm)).map(drop)
}

/// Prints the sizes of the packages, as they are and as a host sends them: by brotli at its highest quality, which Node has.
pub fn print_sizes(packages: &[Built], out_dir: &Path) -> Result<()> {
    const SCRIPT: &str = "const { readFileSync } = require('node:fs'), { brotliCompressSync } = require('node:zlib');
        for (const path of process.argv.slice(1)) {
            const bytes = readFileSync(path);
            console.log(bytes.length, brotliCompressSync(bytes).length);
        }";
    let mut node = crate::project::command("node");
    node.args(["-e", SCRIPT, "--"]).args(packages.iter().map(|one| out_dir.join(&one.wasm)));
    let sizes = output(&mut node)?;
    println!("\n{:<10} {:>10} {:>16}", "package", "wasm, kB", "brotli, kB");
    for (package, line) in packages.iter().zip(sizes.lines()) {
        let kilobytes: Vec<f64> =
            line.split(' ').filter_map(|bytes| Some(bytes.parse::<f64>().ok()? / 1000.0)).collect();
        let [plain, sent] = kilobytes[..] else {
            anyhow::bail!("node says `{line}` where two sizes are expected")
        };
        println!("{:<10} {plain:>10.1} {sent:>16.1}", package.name);
    }
    Ok(())
}
