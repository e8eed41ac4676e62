//! `wasm-pack.toml`: which web packages there are and how each is built.

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Recipe {
    /// The folder that gets a folder for each package, relative to the root of the checkout.
    pub out_dir: PathBuf,
    /// Arguments of wasm-opt beside the features of the package.
    pub wasm_opt: Vec<String>,
    /// The packages, the one to be preferred first.
    #[serde(rename = "package")]
    pub packages: Vec<Package>,
    /// Files of the page that come from node_modules: where each goes, and where it comes from.
    pub vendor: BTreeMap<PathBuf, PathBuf>,
}

/// One web package.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Package {
    /// Name of its folder.
    pub name: String,
    /// The features that a browser must have to load it.
    pub needs: Vec<Need>,
    /// Instruction sets, in the words of rustc.
    pub target_features: Vec<String>,
    /// Features of the crate.
    pub cargo_features: Vec<String>,
    /// Size in bytes that memory shared between workers may grow to; without it memory is not shared.
    pub shared_memory_bytes: Option<u64>,
}

/// The features that a package asks of the browser.
#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Need {
    /// `self.crossOriginIsolated`, without which there is no shared memory.
    CrossOriginIsolation,
    /// The relaxed SIMD instructions.
    RelaxedSimd,
}

impl Recipe {
    /// Reads the recipe of the project at `root`.
    pub fn read(root: &Path) -> Result<Recipe> {
        let path = root.join("wasm-pack.toml");
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("reading {}", path.display()))?;
        Recipe::parse(&text).with_context(|| format!("in {}", path.display()))
    }

    fn parse(text: &str) -> Result<Recipe> {
        let recipe: Recipe = toml::from_str(text)?;
        if recipe.packages.is_empty() {
            bail!("no [[package]], so there is nothing for the page to load");
        }
        Ok(recipe)
    }

    /// Keeps the package called `name` only.
    pub fn only(mut self, name: &str) -> Result<Recipe> {
        let names = self.packages.iter().map(|p| p.name.as_str()).collect::<Vec<_>>().join(", ");
        self.packages.retain(|package| package.name == name);
        if self.packages.is_empty() {
            bail!("wasm-pack.toml has no package `{name}`; it has {names}");
        }
        Ok(self)
    }
}

impl Package {
    /// The flags of rustc that turn its instruction sets on.
    pub fn rustflags(&self) -> String {
        let features: Vec<_> = self.target_features.iter().map(|f| format!("+{f}")).collect();
        format!("-Ctarget-feature={}", features.join(","))
    }

    /// Arguments of the linker: without them memory is silently not shared, or shared and unable to grow.
    pub fn link_args(&self) -> Vec<String> {
        let Some(bytes) = self.shared_memory_bytes else { return Vec::new() };
        let mut args = vec![
            "--shared-memory".to_string(),
            "--import-memory".to_string(),
            format!("--max-memory={bytes}"),
        ];
        let thread_locals = ["__wasm_init_tls", "__tls_size", "__tls_align", "__tls_base"];
        args.extend(thread_locals.map(|symbol| format!("--export={symbol}")));
        args
    }

    /// The flags of wasm-opt that name its instruction sets, with those that rustc always uses.
    pub fn wasm_opt_features(&self) -> Vec<String> {
        let always = [
            "bulk-memory",
            "bulk-memory-opt",
            "call-indirect-overlong",
            "multivalue",
            "mutable-globals",
            "nontrapping-float-to-int",
            "reference-types",
            "sign-ext",
        ];
        let own = self.target_features.iter().map(|feature| match feature.as_str() {
            "atomics" => "threads",
            "simd128" => "simd",
            other => other,
        });
        let mut names: Vec<_> = always.into_iter().chain(own).collect();
        names.sort_unstable();
        names.dedup();
        names.into_iter().map(|name| format!("--enable-{name}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours() -> Recipe {
        Recipe::read(&crate::project::root()).unwrap()
    }

    #[test]
    fn the_last_package_asks_for_nothing_so_that_every_browser_has_one() {
        assert!(ours().packages.last().unwrap().needs.is_empty());
    }

    #[test]
    fn shared_memory_goes_with_atomics_and_isolation() {
        for package in ours().packages {
            let atomics = package.target_features.iter().any(|f| f == "atomics");
            let isolated = package.needs.iter().any(|n| matches!(n, Need::CrossOriginIsolation));
            assert_eq!(package.shared_memory_bytes.is_some(), atomics, "{}", package.name);
            assert_eq!(isolated, atomics, "{}", package.name);
            assert_eq!(package.link_args().is_empty(), !atomics, "{}", package.name);
        }
    }

    #[test]
    fn wasm_opt_uses_its_own_names() {
        let threads = ours().only("threads").unwrap();
        let flags = threads.packages[0].wasm_opt_features();
        for flag in ["--enable-threads", "--enable-simd", "--enable-relaxed-simd"] {
            assert!(flags.iter().any(|f| f == flag), "{flag} is not in {flags:?}");
        }
    }

    #[test]
    fn slips_are_named() {
        let unknown = Recipe::parse("out-dir = 'x'\nwasm-opt = []\npackages = []").unwrap_err();
        assert!(format!("{unknown:#}").contains("packages"), "{unknown:#}");
        let missing = ours().only("thread").unwrap_err();
        assert!(format!("{missing}").contains("threads, relaxed, base"), "{missing}");
    }
}
