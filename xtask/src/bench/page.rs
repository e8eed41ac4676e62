//! Floret's page and its peers in one browser.

use super::Arguments;
use super::table::Table;
use crate::package;
use crate::progress::Progress;
use crate::project::{cargo, command_at, output, root, run as run_command, say, target_dir};
use crate::recipe::Recipe;
use crate::setup::{self, WASM_TARGET};
use crate::{dist, page, serve};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::process::Stdio;

/// The folder of the peers, relative to the root of the checkout.
const PEERS: &str = "benches/peers";

/// Builds the page and what it is compared with, serves both, and lets `benches/peers/run.js` measure.
pub fn run(arguments: &Arguments) -> Result<()> {
    page::build(&Recipe::read(&root())?)?;
    setup::node_modules_of(PEERS)?;
    if !arguments.gpu && wants(arguments, "burn") {
        build_burn()?;
    }
    let (page, _) = dist::write(&root().join("www"))?;
    // Threads need isolation, and one thread is what the page has without.
    let isolated = serve::start(&page, 0, true)?;
    let plain = serve::start(&page, 0, false)?;
    let peers = serve::start(&root().join(PEERS), 0, true)?;
    let Arguments { models, sizes, peers: names, passes, seconds, task, gpu, .. } = arguments;
    let wanted = json!({
        "models": models, "batches": sizes, "peers": names, "passes": passes,
        "seconds": seconds, "task": task, "gpu": gpu,
    });
    say("Floret and its peers in one browser");
    let mut node = crate::project::command("node");
    node.arg(root().join(PEERS).join("run.js"))
        .env("FLORET_CHROMIUM", setup::chromium()?)
        .env("FLORET_URL", isolated.url)
        .env("FLORET_PLAIN_URL", plain.url)
        .env("FLORET_PEERS_URL", peers.url)
        .env("FLORET_BENCH", wanted.to_string())
        // What is being measured, while it is.
        .stderr(Stdio::inherit());
    let answer = output(&mut node)?;
    if arguments.json {
        print!("{answer}");
        return Ok(());
    }
    let answer: Value = serde_json::from_str(&answer).context("reading what run.js says")?;
    println!("\nChromium {}", answer["browser"].as_str().unwrap_or_default());
    print_tables(answer["rows"].as_array().map_or(&[], Vec::as_slice), *passes);
    Ok(())
}

/// A table for each model and batch size, in the order in which they were measured.
fn print_tables(rows: &[Value], passes: usize) {
    let mut tables: Vec<(String, Table)> = Vec::new();
    for row in rows {
        let text = |key: &str| row[key].as_str().unwrap_or_default();
        let title = format!("{}, batch {}", text("model"), row["batch"]);
        if tables.last().is_none_or(|(last, _)| *last != title) {
            tables.push((title.clone(), Table::default()));
        }
        if let Some((_, table)) = tables.last_mut() {
            table.add(text("peer"), row);
        }
    }
    for (title, table) in tables {
        table.print(&format!("{title}, median of {passes}"));
    }
}

/// Whether a peer is among those asked for.
fn wants(arguments: &Arguments, peer: &str) -> bool {
    arguments.peers.is_empty()
        || arguments.peers.iter().any(|name| peer.contains(&name.to_lowercase()))
}

/// Burn compiled to WebAssembly, with its bindings in `build/burn`.
fn build_burn() -> Result<()> {
    setup::rust_for_wasm(false)?;
    say("compiling Burn");
    let crate_folder = root().join(PEERS).join("burn");
    let target = target_dir()?.join("peer-burn");
    let mut cargo = cargo();
    cargo
        .args(["build", "--release", "--locked", "--target", WASM_TARGET, "--target-dir"])
        .arg(&target)
        .current_dir(&crate_folder)
        .env("RUSTFLAGS", r#"-Ctarget-feature=+simd128 --cfg getrandom_backend="wasm_js""#)
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    run_command(&mut cargo)?;
    let bindings = package::bindings_program(&Progress::start())?;
    let module = target.join(WASM_TARGET).join("release/floret_peer_burn.wasm");
    run_command(command_at(&bindings).arg(module).arg(root().join(PEERS).join("build/burn")))
        .context("writing the JavaScript bindings of Burn")
}
