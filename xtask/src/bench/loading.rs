//! Loading an archive of photos: the page and the terminal, in turn.

use super::native;
use super::table::median;
use crate::project::{command, output, root, say};
use crate::recipe::Recipe;
use crate::{dist, page, serve, setup};
use anyhow::{Context, Result};
use serde_json::Value;
use std::path::Path;
use std::time::Instant;

/// Lets `floret doctor` and the page load the archive in turn, and prints medians.
pub fn run(archive: &Path, passes: usize) -> Result<()> {
    let archive =
        archive.canonicalize().with_context(|| format!("finding {}", archive.display()))?;
    page::build(&Recipe::read(&root())?)?;
    let (folder, _) = dist::write(&root().join("www"))?;
    let site = serve::start(&folder, 0, true)?;
    let floret = native::floret()?;
    say(format_args!("loading {}", archive.display()));
    let (mut terminal, mut browser, mut gaps, mut memory) = (vec![], vec![], vec![], vec![]);
    for _ in 0..passes {
        let began = Instant::now();
        let found =
            output(command(&floret.to_string_lossy()).arg("doctor").arg(&archive).arg("--json"))?;
        let seconds = began.elapsed().as_secs_f64();
        let found: Value =
            serde_json::from_str(&found).context("reading what `floret doctor` says")?;
        terminal.push(found["photos"].as_f64().unwrap_or_default() / seconds);
        let mut node = command("node");
        node.arg(root().join("benches/loading.js"))
            .env("FLORET_CHROMIUM", setup::chromium()?)
            .env("FLORET_URL", &site.url)
            .env("FLORET_ARCHIVE", &archive);
        let loaded: Value =
            serde_json::from_str(&output(&mut node)?).context("reading what loading.js says")?;
        let number = |key: &str| loaded[key].as_f64().unwrap_or_default();
        browser.push(number("photos") / number("seconds"));
        gaps.push(number("longest_gap_ms"));
        memory.push(number("memory_bytes") / 1e6);
    }
    let middle = |numbers: &[f64]| median(numbers).unwrap_or_default();
    let (terminal, browser) = (middle(&terminal), middle(&browser));
    println!(
        "\n| median of {passes} | photos/s | of the terminal | longest gap, ms | memory, MB |"
    );
    println!("| --- | --- | --- | --- | --- |");
    println!("| terminal | {terminal:.0} | 1.00 | | |");
    let (share, gap, memory) = (browser / terminal, middle(&gaps), middle(&memory));
    println!("| Chromium | {browser:.0} | {share:.2} | {gap:.0} | {memory:.0} |");
    Ok(())
}
