//! Builds what the page has beside its own files: the web packages by cargo, wasm-bindgen and wasm-opt, the list that the
//! page chooses from, what it uses of others, and the models that come with it.

use crate::models;
use crate::project::{cargo, root, run, say, target_dir};
use crate::recipe::{Need, Package, Recipe};
use crate::setup::{self, WASM_TARGET};
use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};
use wasm_bindgen_cli_support::Bindgen;

/// A line of `packages.json`, from which the page takes the first whose needs its browser has.
#[derive(Debug, Serialize, Deserialize)]
pub struct Built {
    /// Name in `wasm-pack.toml`.
    pub name: String,
    /// What a browser must have to load it.
    pub needs: Vec<Need>,
    /// The JavaScript module, relative to `packages.json`.
    pub module: String,
    /// The WebAssembly module, relative to `packages.json`.
    pub wasm: String,
    /// Size of the WebAssembly module.
    pub bytes: u64,
    /// Its size as a host sends it, compressed by brotli.
    pub brotli_bytes: u64,
}

/// Builds every package of the recipe into its folder, and writes `packages.json` beside them.
pub fn build_all(recipe: &Recipe) -> Result<Vec<Built>> {
    setup::rust_for_wasm()?;
    setup::node_modules()?;
    copy_vendored(recipe)?;
    models::publish(&root().join("models"), &root().join("www/models"))?;
    let out_dir = root().join(&recipe.out_dir);
    let build =
        |package| bind(recipe, package, &compile(package, &target_dir_of(package)?)?, &out_dir);
    // Beside each other: the last and longest part of each build, the crate itself, has one thread.
    let list: Vec<Built> = std::thread::scope(|scope| {
        let builds: Vec<_> =
            recipe.packages.iter().map(|package| scope.spawn(move || build(package))).collect();
        let joined = builds.into_iter().map(|build| {
            build.join().unwrap_or_else(|_| bail!("the build of a web package panicked"))
        });
        joined.collect::<Result<_>>()
    })?;
    // Packages that the recipe no longer has would be published with the others.
    for entry in fs::read_dir(&out_dir)? {
        let entry = entry?;
        let name = entry.file_name();
        if entry.path().is_dir() && !recipe.packages.iter().any(|p| name == p.name.as_str()) {
            fs::remove_dir_all(entry.path())?;
        }
    }
    fs::write(out_dir.join("packages.json"), serde_json::to_string_pretty(&list)?)?;
    Ok(list)
}

fn copy_vendored(recipe: &Recipe) -> Result<()> {
    for (to, from) in &recipe.vendor {
        let (to, from) = (root().join(to), root().join("node_modules").join(from));
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::copy(&from, &to)
            .with_context(|| format!("copying {} to {}", from.display(), to.display()))?;
    }
    Ok(())
}

/// Every package has a target folder of its own: cargo gives the modules of all of them one name.
pub fn target_dir_of(package: &Package) -> Result<PathBuf> {
    Ok(target_dir()?.join("web").join(&package.name))
}

/// Compiles the crate; returns the path of the raw WebAssembly module.
fn compile(package: &Package, target: &Path) -> Result<PathBuf> {
    say(format_args!("compiling the web package `{}`", package.name));
    let mut cargo = cargo();
    cargo
        .args(["rustc", "--package", "floret", "--lib", "--release", "--no-default-features"])
        .args(["--crate-type", "cdylib", "--target", WASM_TARGET])
        .arg("--target-dir")
        .arg(target)
        .env("RUSTFLAGS", package.rustflags())
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        // Several bars of progress would write over each other.
        .env("CARGO_TERM_PROGRESS_WHEN", "never");
    if !package.cargo_features.is_empty() {
        cargo.arg("--features").arg(package.cargo_features.join(","));
    }
    if package.shared_memory_bytes.is_some() {
        // The standard library as shipped has no atomics; building it is not stable yet.
        cargo.arg("-Zbuild-std=panic_abort,std").env("RUSTC_BOOTSTRAP", "1");
    }
    cargo.arg("--");
    cargo.args(package.link_args().iter().map(|argument| format!("-Clink-arg={argument}")));
    run(&mut cargo)?;
    Ok(target.join(WASM_TARGET).join("release/floret.wasm"))
}

/// Writes the bindings and the optimized module, unless they stand there already for this very input.
fn bind(recipe: &Recipe, package: &Package, artifact: &Path, out_dir: &Path) -> Result<Built> {
    let folder = out_dir.join(&package.name);
    let record = folder.join("built.tmp");
    let raw = fs::read(artifact).with_context(|| format!("reading {}", artifact.display()))?;
    let mut hasher = blake3::Hasher::new();
    hasher.update(&raw).update(format!("{recipe:?}").as_bytes());
    let input = hasher.finalize().to_hex();
    let wasm = folder.join("floret_bg.wasm");

    if fs::read_to_string(&record).ok().as_deref() != Some(input.as_str()) {
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        Bindgen::new()
            .input_path(artifact)
            .web(true)?
            .typescript(true)
            .generate(&folder)
            .context("writing the JavaScript bindings")?;
        optimize(recipe, package, &wasm)?;
        fs::write(&record, input.as_str())?;
    }
    let module = fs::read(&wasm)?;
    Ok(Built {
        name: package.name.clone(),
        needs: package.needs.clone(),
        module: format!("{}/floret.js", package.name),
        wasm: format!("{}/floret_bg.wasm", package.name),
        bytes: module.len() as u64,
        brotli_bytes: brotli_len(&module)?,
    })
}

fn optimize(recipe: &Recipe, package: &Package, wasm: &Path) -> Result<()> {
    let mut wasm_opt = setup::node_program("binaryen/bin/wasm-opt")?;
    wasm_opt.args(&recipe.wasm_opt).args(package.wasm_opt_features());
    run(wasm_opt.arg(wasm).arg("-o").arg(wasm))
}

/// Size of `bytes` as a static host sends them: brotli at its highest quality.
pub fn brotli_len(bytes: &[u8]) -> Result<u64> {
    let params = brotli::enc::BrotliEncoderParams::default();
    let mut compressed = Vec::new();
    brotli::BrotliCompress(&mut &bytes[..], &mut compressed, &params)
        .context("compressing by brotli")?;
    Ok(compressed.len() as u64)
}

/// Prints the sizes of the packages.
pub fn print_sizes(packages: &[Built]) {
    println!("\n{:<10} {:>10} {:>16}", "package", "wasm, kB", "brotli, kB");
    for package in packages {
        let kilobytes = |bytes: u64| bytes as f64 / 1000.0;
        let (plain, sent) = (kilobytes(package.bytes), kilobytes(package.brotli_bytes));
        println!("{:<10} {plain:>10.1} {sent:>16.1}", package.name);
    }
}
