//! Runs Rust tests compiled to WebAssembly in a browser: wasm-bindgen's test runner serves them, Playwright opens them.

use crate::project::{cannot_start, command};
use crate::setup;
use anyhow::{Context, Result, bail};
use std::net::TcpListener;
use std::process::Command;
use std::time::Duration;

/// Name of the hidden command that cargo calls for each test program.
pub const COMMAND: &str = "run-wasm-tests";

/// The variable in which wasm-bindgen's runner is told where to listen.
const ADDRESS: &str = "WASM_BINDGEN_TEST_ADDRESS";

/// Makes `cargo test` for WebAssembly run its programs here.
pub fn use_for(cargo_test: &mut Command) -> Result<()> {
    setup::node_modules()?;
    // Free now, and asked for again a moment later by the runner, which takes no port 0 and says no number.
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let this = std::env::current_exe()?;
    cargo_test
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", format!("{} {COMMAND}", this.display()))
        .env("FLORET_CHROMIUM", setup::chromium()?)
        // A worker, as in the page: the engine never runs on the main thread.
        .env("WASM_BINDGEN_USE_DEDICATED_WORKER", "1")
        .env("NO_HEADLESS", "1")
        .env(ADDRESS, address.to_string());
    Ok(())
}

/// Runs one test program; called by cargo with its path and the arguments of the tests.
pub fn run(arguments: Vec<String>) -> Result<()> {
    let address = std::env::var(ADDRESS)
        .with_context(|| format!("{ADDRESS} is not set; use `cargo xtask test wasm`"))?;
    let named = std::iter::once("wasm-bindgen-test-runner".to_string()).chain(arguments);
    let named: Vec<_> = named.collect();
    let server =
        std::thread::spawn(|| wasm_bindgen_cli::wasm_bindgen_test_runner::run_cli_with_args(named));
    let mut node = command("node");
    node.args(["tests/browser/run-wasm-tests.js", &format!("http://{address}/")]);
    let mut browser = node.spawn().with_context(|| cannot_start(&node))?;
    loop {
        if let Some(status) = browser.try_wait()? {
            if !status.success() {
                bail!("tests failed in the browser");
            }
            return Ok(());
        }
        // The server ends by itself only where there is nothing to serve: no tests, or an error.
        if server.is_finished() {
            browser.kill()?;
            return server.join().unwrap_or_else(|_| bail!("wasm-bindgen's test runner panicked"));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}
