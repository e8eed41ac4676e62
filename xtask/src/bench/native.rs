//! `floret bench` beside PyTorch and ONNX Runtime, each in its own process, in turn.

use super::Arguments;
use super::table::Table;
use crate::project::{cargo, command, output, run as run_command, say, target_dir};
use anyhow::{Context, Result};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Builds `floret`, finds a Python with the peers, and lets everyone take turns.
pub fn run(arguments: &Arguments) -> Result<()> {
    let floret = floret()?;
    let python = std::env::var("FLORET_PYTHON").unwrap_or_else(|_| "python3".into());
    let peers: Vec<_> = PEERS
        .into_iter()
        .filter(|peer| match output(command(&python).args(["-c", peer.import])) {
            Ok(_) => true,
            Err(_) => {
                let module = peer.import;
                println!(
                    "skipped: {}: `{python} -c '{module}'` fails; set FLORET_PYTHON",
                    peer.name
                );
                false
            }
        })
        .collect();
    let threads = std::thread::available_parallelism()?.get().to_string();
    say(format_args!("Floret and {} peers, {threads} threads", peers.len()));
    for model in &arguments.models {
        for size in &arguments.sizes {
            let batch = size.to_string();
            let mut table = Table::default();
            for _ in 0..arguments.passes {
                let own = ["--model", model, "--batch", &batch, "--threads", &threads];
                table.add("Floret", &bench(&floret, &own)?);
                for peer in &peers {
                    let mut script = command(&python);
                    script.arg(peer.script).args(peer.arguments);
                    script.args(["--models", model, "--batches", &batch]);
                    script.args(["--threads", &threads, "--passes", "1"]);
                    script.args(["--seconds", &arguments.seconds.to_string()]);
                    let report: Value = serde_json::from_str(&output(&mut script)?)
                        .with_context(|| format!("reading what {} says", peer.script))?;
                    table.add(peer.name, &report["runs"][0]);
                }
            }
            table.print(&format!("{model}, batch {size}, median of {}", arguments.passes));
        }
    }
    Ok(())
}

/// The release build of the terminal program.
pub fn floret() -> Result<PathBuf> {
    run_command(cargo().args(["build", "--release", "--package", "floret", "--bin", "floret"]))?;
    let name = format!("release/floret{}", std::env::consts::EXE_SUFFIX);
    Ok(target_dir()?.join(name))
}

/// Runs `floret bench` with these arguments on the processor and reads its output.
pub fn bench(floret: &Path, arguments: &[&str]) -> Result<Value> {
    let mut bench = command(&floret.to_string_lossy());
    bench.args(["bench", "--backend", "cpu", "--json"]).args(arguments);
    serde_json::from_str(&output(&mut bench)?).context("reading what `floret bench` says")
}

struct Peer {
    name: &'static str,
    import: &'static str,
    script: &'static str,
    arguments: &'static [&'static str],
}

const PEERS: [Peer; 3] = [
    Peer {
        name: "PyTorch, eager",
        import: "import torch",
        script: "benches/pytorch_bench.py",
        arguments: &["--modes", "eager"],
    },
    Peer {
        name: "PyTorch, compiled",
        import: "import torch",
        script: "benches/pytorch_bench.py",
        arguments: &["--modes", "compiled"],
    },
    Peer {
        name: "ONNX Runtime",
        import: "import torch, onnxscript, onnxruntime",
        script: "benches/onnxruntime_bench.py",
        arguments: &[],
    },
];
