//! The page's files that are built or copied: the web packages and the list it chooses from, what it uses of others, and
//! the models that come with it.

use crate::package::{self, Built, Size};
use crate::progress::Progress;
use crate::project::{root, say};
use crate::recipe::{Package, Recipe};
use crate::{models, setup};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::thread::ScopedJoinHandle;

/// Builds everything, every package as small as it can be; returns the list of packages.
pub fn build(recipe: &Recipe) -> Result<Vec<Built>> {
    let progress = Progress::start();
    let fresh = fetch_and_compile_first(recipe, &progress)?;
    let out_dir = out_dir(recipe);
    let bind = |package: &Package, raw: &Path| {
        package::bind(recipe, package, raw, &fresh.bindings, Size::Smallest, &out_dir)
    };
    // A package is bound and made smaller while the next one is compiled.
    let list = std::thread::scope(|scope| {
        let mut bound = vec![scope.spawn(|| bind(first(recipe)?, &fresh.raw))];
        for package in others(recipe) {
            let raw = package::compile(package, &progress)?;
            bound.push(scope.spawn(move || bind(package, &raw)));
        }
        let task = progress.add("wasm-opt", 20.0);
        let list = bound.into_iter().map(join).collect::<Result<Vec<_>>>();
        task.finish();
        list
    })?;
    let list = in_order(recipe, list);
    remove_others(recipe, &out_dir)?;
    write_list(&out_dir, &list)?;
    Ok(list)
}

/// Builds what the page needs at least: the package that every browser runs. The page's list has that one alone, and those
/// of before that still fit it.
pub fn build_first(recipe: &Recipe) -> Result<Underway> {
    let progress = Progress::start();
    let fresh = fetch_and_compile_first(recipe, &progress)?;
    let out_dir = out_dir(recipe);
    let package = first(recipe)?;
    let built =
        package::bind(recipe, package, &fresh.raw, &fresh.bindings, Size::AsCompiled, &out_dir)?;
    remove_others(recipe, &out_dir)?;
    let list = vec![built];
    write_list(&out_dir, &list)?;
    Ok(Underway { bindings: fresh.bindings, list })
}

/// Builds the packages that `build_first` left out, best first, and puts each on the page's list as soon as it is there.
/// One that fails is told, and the page goes on with the others.
pub fn build_others(recipe: &Recipe, underway: Underway) -> Result<()> {
    let Underway { bindings, mut list } = underway;
    let out_dir = out_dir(recipe);
    let mut failed = 0;
    for package in others(recipe) {
        let built = {
            let progress = Progress::start();
            package::compile(package, &progress).and_then(|raw| {
                package::bind(recipe, package, &raw, &bindings, Size::AsCompiled, &out_dir)
            })
        };
        match built {
            Ok(built) => {
                list = in_order(recipe, list.into_iter().chain([built]).collect());
                write_list(&out_dir, &list)?;
                eprintln!("`{}` is there too: reload the page to use it.", package.name);
            }
            Err(error) => {
                failed += 1;
                eprintln!(
                    "\n`{}` was not built; the page goes on without: {error:#}",
                    package.name
                );
            }
        }
    }
    if failed == 0 && list.len() > 1 {
        eprintln!(
            "Every package is built. Edits to www/ need a reload; edits to src/, a new start."
        );
    }
    Ok(())
}

/// What is there when the page can be served, and what the other packages need.
pub struct Underway {
    bindings: PathBuf,
    list: Vec<Built>,
}

/// The steps before anything can be bound.
struct Compiled {
    bindings: PathBuf,
    /// The module of the first package.
    raw: PathBuf,
}

/// Fetches what a fresh machine lacks, copies what the page has of others, and compiles the first package; all of it side
/// by side as far as one does not need the other.
fn fetch_and_compile_first(recipe: &Recipe, progress: &Progress) -> Result<Compiled> {
    say("building the page: first what every browser runs");
    std::thread::scope(|scope| {
        let bindings = scope.spawn(|| package::bindings_program(progress));
        let files = scope.spawn(|| {
            let task = progress.add("packages by npm", 6.0);
            setup::node_modules()?;
            copy_vendored(recipe)?;
            models::publish(&root().join("models"), &root().join("www/models"))?;
            task.finish();
            Ok(())
        });
        let needs_source = recipe.packages.iter().any(|one| one.shared_memory_bytes.is_some());
        setup::rust_for_wasm(needs_source)?;
        let raw = package::compile(first(recipe)?, progress)?;
        join(files)?;
        Ok(Compiled { bindings: join(bindings)?, raw })
    })
}

fn join<T>(thread: ScopedJoinHandle<'_, Result<T>>) -> Result<T> {
    thread.join().unwrap_or_else(|_| bail!("a step of the build panicked"))
}

/// The package that asks the least of a browser.
fn first(recipe: &Recipe) -> Result<&Package> {
    recipe.packages.last().context("wasm-pack.toml has no [[package]]")
}

/// The others, the one to be preferred first.
fn others(recipe: &Recipe) -> &[Package] {
    recipe.packages.split_last().map_or(&[], |(_, others)| others)
}

/// The page takes the first that its browser runs.
fn in_order(recipe: &Recipe, mut list: Vec<Built>) -> Vec<Built> {
    list.sort_by_key(|built| recipe.packages.iter().position(|one| one.name == built.name));
    list
}

/// Where the packages go.
pub fn out_dir(recipe: &Recipe) -> PathBuf {
    root().join(&recipe.out_dir)
}

/// Packages that the recipe no longer has would be published with the others.
fn remove_others(recipe: &Recipe, out_dir: &Path) -> Result<()> {
    for entry in fs::read_dir(out_dir)? {
        let entry = entry?;
        let name = entry.file_name();
        if entry.path().is_dir() && !recipe.packages.iter().any(|p| name == p.name.as_str()) {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

/// Writes `packages.json` in one go, since a page may be asking for it.
fn write_list(out_dir: &Path, list: &[Built]) -> Result<()> {
    let written = out_dir.join("packages.json.tmp");
    fs::write(&written, serde_json::to_string_pretty(list)?)?;
    fs::rename(&written, out_dir.join("packages.json")).context("writing packages.json")
}

fn copy_vendored(recipe: &Recipe) -> Result<()> {
    for (to, from) in &recipe.vendor {
        let (to, from) = (root().join(to), root().join("node_modules").join(from));
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::copy(&from, &to)
            .with_context(|| format!("copying {} to {}", from.display(), to.display()))?;
    }
    Ok(())
}
