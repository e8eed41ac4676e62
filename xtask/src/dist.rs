//! `dist/`: the page as any static host serves it, with the list of its files for the service worker.

use crate::project::root;
use anyhow::{Context, Result};
use serde::Serialize;
use std::fs;
use std::path::{Path, PathBuf};

/// `files.json`: what the service worker keeps for use without a network.
#[derive(Debug, Serialize)]
struct FileList {
    /// A hash over all files: another version means that something changed.
    version: String,
    files: Vec<Listed>,
}

#[derive(Debug, Serialize)]
struct Listed {
    /// Relative to the page, with `/` between folders.
    path: String,
    /// BLAKE3 of the content, in hexadecimal.
    hash: String,
    bytes: u64,
}

/// Copies the page into a fresh `dist/` and lists it; returns the folder and its size in bytes.
pub fn write(page: &Path) -> Result<(PathBuf, u64)> {
    let dist = root().join("dist");
    if dist.exists() {
        fs::remove_dir_all(&dist).context("emptying dist/")?;
    }
    let list = copy_listed(page, &dist)?;
    fs::write(dist.join("files.json"), serde_json::to_string_pretty(&list)?)?;
    Ok((dist, list.files.iter().map(|file| file.bytes).sum()))
}

fn copy_listed(page: &Path, dist: &Path) -> Result<FileList> {
    let mut files = Vec::new();
    for path in files_below(page)? {
        let relative = path.strip_prefix(page)?;
        let target = dist.join(relative);
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder)?;
        }
        let content = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
        fs::write(&target, &content)?;
        files.push(Listed {
            path: relative.to_string_lossy().replace('\\', "/"),
            hash: blake3::hash(&content).to_hex().to_string(),
            bytes: content.len() as u64,
        });
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let mut version = blake3::Hasher::new();
    for file in &files {
        version.update(file.path.as_bytes()).update(file.hash.as_bytes());
    }
    Ok(FileList { version: version.finalize().to_hex().to_string(), files })
}

/// The files of the page; not its tests, types and records of the build, which no browser asks for.
fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            found.extend(files_below(&path)?);
        } else if ![".test.js", ".d.ts", ".tmp"].iter().any(|end| name.ends_with(end)) {
            found.push(path);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_names_what_a_browser_loads_and_changes_with_it() {
        let base = std::env::temp_dir().join(format!("floret-dist-{}", std::process::id()));
        let page = base.join("www");
        fs::create_dir_all(page.join("pkg/base")).unwrap();
        fs::write(page.join("index.html"), "one").unwrap();
        fs::write(page.join("format.test.js"), "not shipped").unwrap();
        fs::write(page.join("pkg/base/floret.js"), "bindings").unwrap();
        fs::write(page.join("pkg/base/floret.d.ts"), "not shipped").unwrap();

        let first = copy_listed(&page, &base.join("dist")).unwrap();
        let paths: Vec<_> = first.files.iter().map(|f| f.path.as_str()).collect();
        assert_eq!(paths, ["index.html", "pkg/base/floret.js"]);
        assert_eq!(first.files[0].bytes, 3);
        assert_eq!(fs::read(base.join("dist/index.html")).unwrap(), b"one");

        let again = copy_listed(&page, &base.join("dist")).unwrap();
        assert_eq!(first.version, again.version);
        fs::write(page.join("index.html"), "two").unwrap();
        let changed = copy_listed(&page, &base.join("dist")).unwrap();
        assert_ne!(first.version, changed.version);
        fs::remove_dir_all(base).unwrap();
    }
}
