//! Where the project lies, and how its commands run other programs.

use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The root of the checkout.
pub fn root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask).to_path_buf()
}

/// The folder that cargo builds in, as set by its configuration or `CARGO_TARGET_DIR`.
pub fn target_dir() -> Result<PathBuf> {
    #[derive(serde::Deserialize)]
    struct Metadata {
        target_directory: PathBuf,
    }
    let out = output(cargo().args(["metadata", "--no-deps", "--format-version", "1"]))?;
    let metadata: Metadata =
        serde_json::from_str(&out).context("reading the answer of `cargo metadata`")?;
    Ok(metadata.target_directory)
}

/// `name` as a command that starts in the root of the checkout.
pub fn command(name: &str) -> Command {
    command_at(Path::new(name))
}

/// The same for a program by its path.
pub fn command_at(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root());
    command
}

/// The cargo that started this program.
pub fn cargo() -> Command {
    command(option_env!("CARGO").unwrap_or("cargo"))
}

/// Runs a command, its output going straight to the terminal; an error unless it succeeds.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| cannot_start(command))?;
    if !status.success() {
        bail!("`{}` failed ({status})", line(command));
    }
    Ok(())
}

/// Runs a command and returns what it wrote to standard output; an error unless it succeeds.
pub fn output(command: &mut Command) -> Result<String> {
    let out = command.output().with_context(|| cannot_start(command))?;
    if !out.status.success() {
        let said = String::from_utf8_lossy(&out.stderr);
        bail!("`{}` failed ({}): {}", line(command), out.status, said.trim());
    }
    String::from_utf8(out.stdout).with_context(|| format!("reading what `{}` says", line(command)))
}

/// Prints what happens next, so that a long wait has a name.
pub fn say(what: impl std::fmt::Display) {
    eprintln!("\n\x1b[1m== {what}\x1b[0m");
}

/// The message for a program that is not there.
pub fn cannot_start(command: &Command) -> String {
    let name = command.get_program().to_string_lossy();
    let remedy = match name.as_ref() {
        "node" | "npm" | "npx" => "install Node.js 20 or newer from https://nodejs.org",
        "rustup" => "install rustup from https://rustup.rs",
        _ => "is it installed and on PATH?",
    };
    format!("cannot start `{name}`: {remedy}")
}

/// A command as it would be typed.
pub fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
