//! `bindings MODULE FOLDER`: writes a WebAssembly module's JavaScript bindings, its types and the module itself.

use anyhow::{Context, Result, bail};
use std::path::PathBuf;
use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<()> {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [module, folder] = arguments.as_slice() else { bail!("usage: bindings MODULE FOLDER") };
    Bindgen::new()
        .input_path(module)
        .web(true)?
        .typescript(true)
        .generate(folder)
        .with_context(|| format!("writing the JavaScript bindings of {}", module.display()))
}
