//! Floret's page and its peers in one browser.

use super::Arguments;
use crate::package::build_all;
use crate::project::{cargo, root, run as run_command, say, target_dir};
use crate::recipe::Recipe;
use crate::setup::{self, WASM_TARGET};
use crate::{dist, serve};
use anyhow::{Context, Result};
use serde_json::json;
use wasm_bindgen_cli_support::Bindgen;

/// The folder of the peers, relative to the root of the checkout.
const PEERS: &str = "benches/peers";

/// Builds the page and what it is compared with, serves both, and lets `benches/peers/run.js` measure.
pub fn run(arguments: &Arguments) -> Result<()> {
    build_all(&Recipe::read(&root())?)?;
    setup::node_modules_of(PEERS)?;
    if !arguments.gpu && wants(arguments, "burn") {
        build_burn()?;
    }
    let (page, _) = dist::write(&root().join("www"))?;
    // Threads need isolation, and one thread is what the page has without.
    let isolated = serve::start(&page, 0, true)?;
    let plain = serve::start(&page, 0, false)?;
    let peers = serve::start(&root().join(PEERS), 0, true)?;
    let Arguments { models, sizes, peers: names, passes, seconds, task, gpu, json, .. } = arguments;
    let wanted = json!({
        "models": models, "batches": sizes, "peers": names, "passes": passes,
        "seconds": seconds, "task": task, "gpu": gpu, "json": json,
    });
    say("Floret and its peers in one browser");
    let mut node = crate::project::command("node");
    node.arg(root().join(PEERS).join("run.js"))
        .env("FLORET_CHROMIUM", setup::chromium()?)
        .env("FLORET_URL", isolated.url)
        .env("FLORET_PLAIN_URL", plain.url)
        .env("FLORET_PEERS_URL", peers.url)
        .env("FLORET_BENCH", wanted.to_string());
    run_command(&mut node)
}

/// Whether a peer is among those asked for.
fn wants(arguments: &Arguments, peer: &str) -> bool {
    arguments.peers.is_empty()
        || arguments.peers.iter().any(|name| peer.contains(&name.to_lowercase()))
}

/// Burn compiled to WebAssembly, with its bindings in `build/burn`.
fn build_burn() -> Result<()> {
    setup::rust_for_wasm()?;
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
    Bindgen::new()
        .input_path(target.join(WASM_TARGET).join("release/floret_peer_burn.wasm"))
        .web(true)?
        .typescript(false)
        .generate(root().join(PEERS).join("build/burn"))
        .context("writing the JavaScript bindings of Burn")
}
