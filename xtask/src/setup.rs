//! Fetches what a fresh machine lacks. Each function does nothing, quickly, where nothing is missing.

use crate::project::{command, output, root, run, say};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

/// The target that web packages are built for.
pub const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// The WebAssembly standard library; and its source, for packages with shared memory.
pub fn rust_for_wasm(needs_source: bool) -> Result<()> {
    let library = sysroot()?.join("lib/rustlib");
    if !library.join(WASM_TARGET).is_dir() {
        say("installing Rust's WebAssembly target");
        run(command("rustup").args(["target", "add", WASM_TARGET]))?;
    }
    if needs_source && !library.join("src/rust/library").is_dir() {
        say("installing the source of Rust's standard library, which threads need");
        run(command("rustup").args(["component", "add", "rust-src"]))?;
    }
    Ok(())
}

/// rustfmt and clippy.
pub fn rust_linters() -> Result<()> {
    let bin = sysroot()?.join("bin");
    for (component, program) in [("rustfmt", "cargo-fmt"), ("clippy", "cargo-clippy")] {
        if !bin.join(program).with_extension(std::env::consts::EXE_EXTENSION).is_file() {
            say(format_args!("installing {component}"));
            run(command("rustup").args(["component", "add", component]))?;
        }
    }
    Ok(())
}

fn sysroot() -> Result<PathBuf> {
    Ok(output(command("rustc").args(["--print", "sysroot"]))?.trim().into())
}

/// The packages of package-lock.json, in node_modules.
pub fn node_modules() -> Result<()> {
    node_modules_of("")
}

/// The same for the package-lock.json of a folder of the checkout.
pub fn node_modules_of(folder: &str) -> Result<()> {
    let folder = root().join(folder);
    let modified = |path: &str| fs::metadata(folder.join(path)).and_then(|m| m.modified());
    let wanted = modified("package-lock.json")
        .with_context(|| format!("looking at package-lock.json in {}", folder.display()))?;
    // npm writes this file last, so that an interrupted installation is seen.
    if modified("node_modules/.package-lock.json").is_ok_and(|installed| installed >= wanted) {
        return Ok(());
    }
    say(format_args!("installing the packages of {}", folder.join("package-lock.json").display()));
    // npm is a script on Windows, which only a shell starts.
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    run(command(npm).arg("ci").current_dir(folder))
}

/// A program of node_modules, started through Node so that it works on every system.
pub fn node_program(path: &str) -> Result<std::process::Command> {
    node_modules()?;
    let mut node = command("node");
    node.arg(root().join("node_modules").join(path));
    Ok(node)
}

/// A Chromium or Chrome for the browser tests: `FLORET_CHROMIUM`, one that is installed, or Debian's by apt.
pub fn chromium() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("FLORET_CHROMIUM").map(PathBuf::from) {
        if !path.is_file() {
            bail!("FLORET_CHROMIUM is {}, and there is no such file", path.display());
        }
        return Ok(path);
    }
    if let Some(path) = installed_chromium() {
        return Ok(path);
    }
    say("installing Chromium for the browser tests");
    let installed = apt_install("chromium");
    installed_chromium().with_context(|| {
        let why = installed.err().map(|e| format!(" (apt: {e:#})")).unwrap_or_default();
        format!(
            "the browser tests need Chromium or Chrome, and none was found{why}; \
             install one and run this again, with FLORET_CHROMIUM=/path/to/its/program if it is not found then"
        )
    })
}

fn installed_chromium() -> Option<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
    let search = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&search)
        .flat_map(|folder| names.map(|name| folder.join(name)))
        .map(|path| if cfg!(windows) { path.with_extension("exe") } else { path });
    let usual = [
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
        "/Applications/Chromium.app/Contents/MacOS/Chromium",
        r"C:\Program Files\Google\Chrome\Application\chrome.exe",
        r"C:\Program Files (x86)\Google\Chrome\Application\chrome.exe",
    ];
    on_path.chain(usual.into_iter().map(PathBuf::from)).find(|path| path.is_file())
}

/// A Vulkan driver that runs on any processor, for the GPU tests of machines without a GPU; CI must have it.
pub fn software_gpu() -> Result<()> {
    let drivers = Path::new("/usr/share/vulkan/icd.d");
    let found = fs::read_dir(drivers).is_ok_and(|mut files| files.next().is_some());
    if found || std::env::var_os("CI").is_none() {
        return Ok(());
    }
    say("installing Mesa's software Vulkan driver");
    apt_install("mesa-vulkan-drivers")
}

/// Installs a Debian package as root, or through sudo where that asks for no password.
fn apt_install(package: &str) -> Result<()> {
    let is_root = output(command("id").arg("-u"))?.trim() == "0";
    let apt = |arguments: &[&str]| {
        let mut apt = if is_root { command("apt-get") } else { command("sudo") };
        if !is_root {
            apt.args(["-n", "apt-get"]);
        }
        run(apt.args(arguments).env("DEBIAN_FRONTEND", "noninteractive"))
    };
    apt(&["update", "-qq"])?;
    apt(&["install", "-y", "-qq", "--no-install-recommends", package])
}
