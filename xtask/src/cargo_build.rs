//! One run of cargo that compiles, with what it says of its progress handed on.

use crate::progress::Task;
use crate::project::{cannot_start, line};
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::io::{BufReader, Read};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

/// The numbers in cargo's progress bar: units compiled, and all of them.
type Count = (u32, u32);

/// The message that cargo writes for every artifact under `--message-format`.
#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

/// Runs `cargo build`, `rustc` or the like; returns the files of the last artifact, which is the one asked for.
///
/// `last_share` is the part of the time that usually goes to the last unit, the crate itself: cargo counts it as one of many.
pub fn build(command: &mut Command, last_share: f64, task: &Task) -> Result<Vec<PathBuf>> {
    command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // Read here, and never seen: plain, and wide enough for the counts.
        .env("CARGO_TERM_PROGRESS_WHEN", "always")
        .env("CARGO_TERM_PROGRESS_WIDTH", "100")
        .env("CARGO_TERM_COLOR", "never");
    let mut child = command.spawn().with_context(|| cannot_start(command))?;
    let stdout = child.stdout.take().context("cargo's messages")?;
    let stderr = child.stderr.take().context("what cargo says")?;
    let messages = std::thread::spawn(move || last_artifact(stdout));
    follow(stderr, last_share, task)?;
    let artifact = messages.join().unwrap_or_else(|_| bail!("reading cargo's messages panicked"));
    let status = child.wait()?;
    if !status.success() {
        bail!("`{}` failed ({status})", line(command));
    }
    artifact
}

fn last_artifact(mut stdout: impl Read) -> Result<Vec<PathBuf>> {
    let mut text = String::new();
    stdout.read_to_string(&mut text).context("reading cargo's messages")?;
    let mut last = Vec::new();
    for line in text.lines().filter(|line| line.starts_with('{')) {
        let message: Message = serde_json::from_str(line).context("reading cargo's messages")?;
        if !message.filenames.is_empty() {
            last = message.filenames;
        }
    }
    Ok(last)
}

/// Reads what cargo says until it ends: progress to the task, warnings and errors to the terminal.
fn follow(stderr: impl Read, last_share: f64, task: &Task) -> Result<()> {
    let started = Instant::now();
    let mut seen = None;
    for_each_line(stderr, |line| match count(line) {
        Some(now) if seen != Some(now) => {
            seen = Some(now);
            let (done, all) = now;
            let before_last = 1.0 - last_share;
            let note = format!("{done} of {all} crates");
            if done + 1 < all {
                task.reach(before_last * f64::from(done) / f64::from(all - 1), note);
            } else {
                task.reach(before_last, &note);
                // At the speed of the crates before it.
                let seconds = started.elapsed().as_secs_f64() * last_share / before_last;
                task.long_step(1.0, seconds, "the last crate, which is the largest");
            }
        }
        Some(_) => {}
        None if is_worth_showing(line) => task.line(line),
        None => {}
    })
}

/// Lines end by a return too, where cargo writes over its own.
fn for_each_line(input: impl Read, mut take: impl FnMut(&str)) -> Result<()> {
    let mut line = Vec::new();
    for byte in BufReader::new(input).bytes() {
        match byte? {
            b'\r' | b'\n' => {
                take(&String::from_utf8_lossy(&line));
                line.clear();
            }
            other => line.push(other),
        }
    }
    take(&String::from_utf8_lossy(&line));
    Ok(())
}

/// The counts of a line like `    Building [=====>    ] 45/131: wgpu, web-sys`.
fn count(line: &str) -> Option<Count> {
    let counts = line.trim_start().strip_prefix("Building [")?.split_once("] ")?.1;
    let (done, rest) = counts.split_once('/')?;
    let all = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    Some((done.trim().parse().ok()?, all.parse().ok()?))
}

/// Cargo's own words about what it does begin with a verb, set off to the right; all else is about the code.
fn is_worth_showing(line: &str) -> bool {
    let verb = line.trim_start().split(' ').next().unwrap_or_default();
    let is_usual = [
        "Building",
        "Compiling",
        "Finished",
        "Fresh",
        "Updating",
        "Downloading",
        "Downloaded",
        "Locking",
        "Adding",
        "Fetch",
    ]
    .contains(&verb);
    // Two builds at once fetch crates in turn; only a wait for somebody else's build is news.
    let waits_for_crates = line.contains("waiting for file lock on package cache");
    !is_usual && !waits_for_crates && !line.trim_matches(['\u{1b}', '[', 'K', ' ']).is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_from_cargos_bar() {
        let bar = "    Building [=======>                 ] 45/131: wgpu, web-sys(build.rs)...";
        assert_eq!(count(bar), Some((45, 131)));
        assert_eq!(count("    Building [=> ] 3/9"), Some((3, 9)));
        assert_eq!(count("   Compiling wgpu v30.0.1"), None);
        assert_eq!(count("    Building [=> ]"), None);
    }

    #[test]
    fn lines_written_over_each_other_are_told_apart() {
        let mut lines = Vec::new();
        for_each_line(&b"one\rtwo\nthree"[..], |line| lines.push(line.to_string())).unwrap();
        assert_eq!(lines, ["one", "two", "three"]);
    }

    #[test]
    fn warnings_are_shown_and_cargos_steps_are_not() {
        assert!(is_worth_showing("warning: unused variable: `a`"));
        assert!(is_worth_showing("    Blocking waiting for file lock on build directory"));
        assert!(!is_worth_showing("    Blocking waiting for file lock on package cache"));
        assert!(!is_worth_showing("   Compiling wgpu v30.0.1"));
        assert!(!is_worth_showing("\u{1b}[K"));
    }

    #[test]
    fn the_last_artifact_is_the_one_asked_for() {
        let messages = concat!(
            r#"{"reason":"compiler-artifact","filenames":["a.rlib"]}"#,
            "\n",
            r#"{"reason":"compiler-artifact","filenames":["b.wasm"]}"#,
            "\n",
            r#"{"reason":"build-finished","success":true}"#,
        );
        assert_eq!(last_artifact(messages.as_bytes()).unwrap(), [PathBuf::from("b.wasm")]);
    }
}
