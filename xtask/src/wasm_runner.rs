//! Runs Rust tests compiled to WebAssembly in a browser: wasm-bindgen's test runner serves them, Playwright opens them.

use crate::project::{cannot_start, command};
use crate::setup;
use anyhow::{Context, Result, bail};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Name of the hidden command that cargo calls for each test program.
pub const COMMAND: &str = "run-wasm-tests";

/// The variable in which wasm-bindgen's runner is told where to listen.
const ADDRESS: &str = "WASM_BINDGEN_TEST_ADDRESS";

/// The variable in which this program is told where wasm-bindgen's runner is.
const RUNNER: &str = "FLORET_WASM_TEST_RUNNER";

/// Makes `cargo test` for WebAssembly run its programs here.
pub fn use_for(cargo_test: &mut Command, runner: &Path) -> Result<()> {
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
        .env(RUNNER, runner)
        .env(ADDRESS, address.to_string());
    Ok(())
}

/// Runs one test program; called by cargo with its path and the arguments of the tests.
pub fn run(arguments: Vec<String>) -> Result<()> {
    let variable = |name| {
        std::env::var(name)
            .with_context(|| format!("{name} is not set; use `cargo xtask test wasm`"))
    };
    let address = variable(ADDRESS)?;
    // It resolves the path of the program itself, so it starts where cargo started this one.
    let mut runner = Command::new(variable(RUNNER)?);
    let mut server = runner.args(arguments).spawn().with_context(|| cannot_start(&runner))?;
    let mut node = command("node");
    node.args(["tests/browser/run-wasm-tests.js", &format!("http://{address}/")]);
    let mut browser = node.spawn().with_context(|| cannot_start(&node))?;
    let succeeded = loop {
        if let Some(status) = browser.try_wait()? {
            server.kill()?;
            break status.success();
        }
        // The server ends by itself only where there is nothing to serve: no tests, or an error.
        if let Some(status) = server.try_wait()? {
            browser.kill()?;
            break status.success();
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    if !succeeded {
        bail!("tests failed in the browser");
    }
    Ok(())
}
