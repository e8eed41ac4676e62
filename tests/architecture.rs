//! Holds the code to ARCHITECTURE.md: imports run downward, files stay small, and the picture of the floors is the true one.
//! With `FLORET_WRITE_FLOORS=1` the picture in ARCHITECTURE.md is written anew.
#![cfg(not(target_arch = "wasm32"))]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

type Rooms = BTreeMap<String, BTreeSet<String>>;

/// A file past this length is really two.
const LONGEST: usize = 500;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Lists the files below `folder` with one of `endings`, relative to the root, in order.
fn files(folder: &str, endings: &[&str]) -> Vec<String> {
    fn walk(at: &Path, out: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(at).expect("a folder of the project").flatten() {
            let path = entry.path();
            let name = entry.file_name();
            if path.is_dir() && name != "pkg" && name != "node_modules" && name != "target" {
                walk(&path, out);
            } else if path.is_file() {
                out.push(path);
            }
        }
    }
    let mut paths = Vec::new();
    walk(&root().join(folder), &mut paths);
    let mut names: Vec<String> = paths
        .iter()
        .map(|path| {
            path.strip_prefix(root()).expect("below the root").to_string_lossy().replace('\\', "/")
        })
        .filter(|name| endings.iter().any(|ending| name.ends_with(ending)))
        .collect();
    names.sort();
    names
}

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Names the room of a source file; the two executors are rooms of their own.
fn room(path: &str) -> String {
    let parts: Vec<&str> = path.trim_end_matches(".rs").split('/').collect();
    match parts[..] {
        ["backend", executor, ..] => format!("backend/{executor}"),
        _ => parts[0].to_owned(),
    }
}

/// Drops comments, and items that only tests have.
fn without_tests(text: &str) -> String {
    let code: Vec<&str> = text.lines().map(|line| line.split("//").next().unwrap_or("")).collect();
    let code = code.join("\n");
    let mut kept = String::new();
    let mut rest = code.as_str();
    while let Some((before, item)) = rest.split_once("#[cfg(test)]") {
        kept.push_str(before);
        let mut depth = 0;
        let end = item.char_indices().find(|&(_, c)| {
            depth += i32::from(c == '{') - i32::from(c == '}');
            depth == 0 && (c == ';' || c == '}')
        });
        rest = end.map_or("", |(at, _)| &item[at + 1..]);
    }
    kept + rest
}

/// Collects which room names which, from files and their texts.
fn rooms(sources: &[(String, String)]) -> Rooms {
    let names: BTreeSet<String> = sources.iter().map(|(path, _)| room(path)).collect();
    let mut rooms: Rooms = names.iter().map(|name| (name.clone(), BTreeSet::new())).collect();
    for (path, text) in sources {
        let own = room(path);
        let start = if own == "bin" { "floret::" } else { "crate::" };
        for rest in without_tests(text).split(start).skip(1) {
            let named: Vec<&str> = rest
                .split(|c: char| !c.is_alphanumeric() && c != '_' && c != ':')
                .next()
                .unwrap_or("")
                .split("::")
                .collect();
            let inner = named.iter().take(2).copied().collect::<Vec<_>>().join("/");
            let other = if names.contains(&inner) { inner } else { named[0].to_owned() };
            if other != own && names.contains(&other) {
                rooms.entry(own.clone()).or_default().insert(other);
            }
        }
    }
    rooms
}

/// Gives every room its floor, which is the longest way down from it; a circle is an error that names it.
fn floors(rooms: &Rooms) -> Result<Vec<Vec<String>>, String> {
    fn height(name: &str, rooms: &Rooms, way: &mut Vec<String>) -> Result<usize, String> {
        if way.iter().any(|room| room == name) {
            return Err(format!("a circle of imports: {} → {name}", way.join(" → ")));
        }
        way.push(name.to_owned());
        let mut floor = 0;
        for below in &rooms[name] {
            floor = floor.max(1 + height(below, rooms, way)?);
        }
        way.pop();
        Ok(floor)
    }
    let mut floors: Vec<Vec<String>> = Vec::new();
    for name in rooms.keys() {
        let floor = height(name, rooms, &mut Vec::new())?;
        floors.resize(floors.len().max(floor + 1), Vec::new());
        floors[floor].push(name.clone());
    }
    Ok(floors)
}

/// Draws the floors, the highest first.
fn drawn(floors: &[Vec<String>]) -> String {
    let lines = floors
        .iter()
        .enumerate()
        .rev()
        .map(|(floor, rooms)| format!("{floor:2}  {}\n", rooms.join("  ")));
    format!("```text\n{}```\n", lines.collect::<String>())
}

fn engine_sources() -> Vec<(String, String)> {
    let names = files("src", &[".rs"]).into_iter();
    names
        .filter(|name| name != "src/lib.rs" && !name.ends_with("/tests.rs"))
        .map(|name| (name["src/".len()..].to_owned(), read(&name)))
        .collect()
}

#[test]
fn imports_run_downward_and_the_picture_is_true() {
    let floors = floors(&rooms(&engine_sources())).unwrap_or_else(|circle| panic!("{circle}"));
    let (open, close) = ("<!-- floors -->\n", "<!-- /floors -->");
    let text = read("ARCHITECTURE.md");
    let (before, rest) =
        text.split_once(open).expect("ARCHITECTURE.md has the marker <!-- floors -->");
    let (stands, after) =
        rest.split_once(close).expect("ARCHITECTURE.md has the marker <!-- /floors -->");
    let true_picture = drawn(&floors);
    if std::env::var_os("FLORET_WRITE_FLOORS").is_some() {
        fs::write(
            root().join("ARCHITECTURE.md"),
            format!("{before}{open}{true_picture}{close}{after}"),
        )
        .expect("ARCHITECTURE.md can be written");
        return;
    }
    assert_eq!(
        stands, true_picture,
        "run this test with FLORET_WRITE_FLOORS=1 to draw the floors anew"
    );
}

#[test]
fn no_file_is_over_500_lines() {
    let folders = ["src", "shaders", "tests", "www", "xtask"];
    let long: Vec<String> = folders
        .iter()
        .flat_map(|folder| files(folder, &[".rs", ".wgsl", ".js", ".css", ".html", ".py"]))
        // A catalogue of texts has one subject, however many texts it has.
        .filter(|name| !matches!(name.as_str(), "www/i18n/en.js" | "www/i18n/ko.js"))
        // The bindings are made by a build, and what stands in vendor is copied by one.
        .filter(|name| !name.starts_with("www/pkg/") && !name.starts_with("www/vendor/"))
        .map(|name| (read(&name).lines().count(), name))
        .filter(|&(lines, _)| lines > LONGEST)
        .map(|(lines, name)| format!("{name}: {lines} lines"))
        .collect();
    assert!(long.is_empty(), "files over {LONGEST} lines: {long:#?}");
}

#[test]
fn every_shader_import_names_a_shared_file() {
    let mut found = 0;
    for name in files("shaders", &[".wgsl"]) {
        for import in read(&name).lines().filter_map(|line| line.strip_prefix("#import ")) {
            let file = format!("shaders/shared/{}.wgsl", import.trim());
            assert!(
                root().join(&file).is_file(),
                "{name} imports {import}, but there is no {file}"
            );
            found += 1;
        }
    }
    assert!(found > 0, "no shader imports anything");
}

/// The page's folders, lowest first; the files of `www/` itself stand on top.
const PAGE: [&str; 5] = ["i18n", "engine", "state", "ui", "panels"];

/// Lists the imports of page files, given with their texts, that run upward.
fn upward_in_page(sources: &[(String, String)]) -> Vec<String> {
    let floor = |folder: &str| PAGE.iter().position(|&known| known == folder);
    let mut upward = Vec::new();
    for (path, text) in sources {
        let Some(own) = path.split_once('/').and_then(|(folder, _)| floor(folder)) else {
            continue;
        };
        let imports = ["from '../", "import '../", "import('../"].iter().flat_map(|start| {
            text.split(start).skip(1).map(|rest| rest.split('\'').next().unwrap_or(""))
        });
        for import in imports {
            // One folder up already; each further step is spelt.
            let steps = 2 + import.matches("../").count();
            let folders: Vec<&str> = path.split('/').collect();
            let from = &folders[..folders.len().saturating_sub(steps)];
            let other = [from, &[import.trim_start_matches("../")]].concat().join("/");
            // The run's reducer imports nothing, and page and worker share it.
            if other == "state/run.js" {
                continue;
            }
            let folder = other.split_once('/').map_or("", |(folder, _)| folder);
            let above = floor(folder).map_or(!other.contains('/'), |floor| floor > own);
            if above {
                upward.push(format!("{path} imports {other}"));
            }
        }
    }
    upward
}

#[test]
fn the_page_imports_downward_and_the_worker_stands_apart() {
    let sources: Vec<(String, String)> = files("www", &[".js"])
        .into_iter()
        .filter(|name| !name.ends_with(".test.js"))
        .map(|name| (name["www/".len()..].to_owned(), read(&name)))
        .collect();
    let upward = upward_in_page(&sources);
    assert!(upward.is_empty(), "imports that run upward: {upward:#?}");
    for (path, text) in &sources {
        let imports_worker =
            text.lines().any(|line| line.contains("/worker.js'") && line.contains("from '"));
        assert!(!imports_worker, "{path} imports the worker, which is started and never imported");
    }
    let run = read("www/state/run.js");
    assert!(
        !run.lines().any(|line| line.starts_with("import ")),
        "www/state/run.js imports something"
    );
}

#[test]
fn a_planted_circle_and_an_upward_import_are_found() {
    let source = |path: &str, text: &str| (path.to_owned(), text.to_owned());
    let low = source(
        "shape.rs",
        "#[cfg(test)]\nmod tests { use crate::plan::Plan; }\n// crate::plan\npub struct Window;",
    );
    let high = source("plan/buffers.rs", "use crate::shape::Window;");
    assert_eq!(
        floors(&rooms(&[low, high.clone()])),
        Ok(vec![vec!["shape".to_owned()], vec!["plan".to_owned()]])
    );

    let upward = source("shape.rs", "#[cfg(test)]\nmod tests;\nuse crate::plan::Plan;");
    let error = floors(&rooms(&[upward, high])).expect_err("an upward import closes a circle");
    assert!(error.contains("plan → shape → plan"), "{error}");

    let page = [source(
        "state/state.js",
        "import { Panel } from '../ui/panel.js';\nimport { t } from '../i18n/i18n.js';",
    )];
    assert_eq!(upward_in_page(&page), ["state/state.js imports ui/panel.js"]);
    let deep = [source(
        "i18n/errors/en.js",
        "/** @type {import('../i18n.js').Words} */\nimport { store } from '../../state/state.js';",
    )];
    assert_eq!(upward_in_page(&deep), ["i18n/errors/en.js imports state/state.js"]);
}
