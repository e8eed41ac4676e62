//! Every file is valid, imports exactly what it uses, and is given the constants and bindings that it declares.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

use super::*;
use crate::backend::gpu::device::Shaders;
use crate::backend::gpu::dispatch::Dispatch;
use crate::backend::gpu::fusion;
use crate::network::{Network, presets::preset};
use crate::plan::parameters::Parameters;
use crate::plan::{Optimizer, Plan, PlanOptions, Source};
use crate::shape::Shape;
use naga::valid::{Capabilities, ModuleInfo, ValidationFlags, Validator};
use std::collections::{BTreeSet, HashMap};
use std::path::Path;

/// Reads all files below a folder of `shaders/`.
fn files(below: &str) -> Vec<Shader> {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/shaders"));
    let mut files = Vec::new();
    let mut folders = vec![root.join(below)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(root).unwrap().with_extension("");
            let name = name.to_str().unwrap().replace('\\', "/");
            let source = std::fs::read_to_string(&path).unwrap().replace("\r\n", "\n");
            files.push(Shader { name: name.leak(), source: source.leak() });
        }
    }
    files.sort_by_key(|file| file.name);
    files
}

fn is_shared(file: &Shader) -> bool {
    file.name.starts_with("shared/")
}

/// Returns the module of a shader, which naga must find valid.
fn module(shader: &Shader) -> (naga::Module, ModuleInfo) {
    let text = shader.text().unwrap();
    let module = match naga::front::wgsl::parse_str(&text) {
        Ok(module) => module,
        Err(error) => panic!("{}: {}", shader.name, error.emit_to_string(&text)),
    };
    let mut validator = Validator::new(ValidationFlags::all(), Capabilities::empty());
    match validator.validate(&module) {
        Ok(info) => (module, info),
        Err(error) => panic!("{}: {}", shader.name, error.emit_to_string(&text)),
    }
}

#[test]
fn every_shader_is_valid() {
    for shader in files("").iter().filter(|file| !is_shared(file)) {
        module(shader);
    }
}

#[test]
fn every_shared_file_can_be_imported_and_is() {
    let listed: Vec<&str> = SHARED.iter().map(|file| file.name).collect();
    let there: Vec<&str> = files("shared").iter().map(|file| file.name).collect();
    assert_eq!(listed, there);
    let imported: BTreeSet<&str> = files("").iter().flat_map(|file| file.imports().0).collect();
    let names: BTreeSet<&str> =
        SHARED.iter().filter_map(|file| file.name.strip_prefix("shared/")).collect();
    assert_eq!(imported, names);
}

/// Returns code without its comments.
fn without_comments(text: &str) -> String {
    text.lines().map(|line| line.split("//").next().unwrap_or("")).collect::<Vec<_>>().join("\n")
}

/// Returns the names that a file declares for the whole module.
fn declared(file: &Shader) -> BTreeSet<String> {
    let code = without_comments(file.imports().1);
    let declaration = |line: &str| {
        let line = match line.starts_with('@') {
            true => &line[line.find("var<")?..],
            false => line,
        };
        let keywords = ["fn ", "struct ", "override ", "const "];
        let rest = keywords.iter().find_map(|keyword| line.strip_prefix(keyword));
        let rest = rest.or_else(|| line.strip_prefix("var<")?.split_once("> ").map(|(_, r)| r))?;
        rest.split(|c: char| !is_of_a_name(c)).next().map(String::from)
    };
    code.lines().filter_map(declaration).collect()
}

fn is_of_a_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// Returns the names in a file, but for those of members.
fn used(file: &Shader) -> BTreeSet<String> {
    let code = without_comments(file.imports().1);
    let mut names = BTreeSet::new();
    let mut behind = ' ';
    for name in code.split_inclusive(|c: char| !is_of_a_name(c)) {
        let word = name.trim_end_matches(|c: char| !is_of_a_name(c));
        if behind != '.' && !word.is_empty() {
            names.insert(word.to_owned());
        }
        behind = name.chars().last().unwrap_or(' ');
    }
    names
}

#[test]
fn every_file_imports_exactly_what_it_uses() {
    let declared_by: HashMap<&str, BTreeSet<String>> = SHARED
        .iter()
        .map(|file| (file.name.strip_prefix("shared/").unwrap(), declared(file)))
        .collect();
    for file in files("") {
        let (imports, _) = file.imports();
        assert!(imports.is_sorted_by(|a, b| a < b), "{}: imports are in order", file.name);
        let (own, used) = (declared(&file), used(&file));
        for import in &imports {
            let uses = used.intersection(&declared_by[import]).any(|name| !own.contains(name));
            assert!(uses, "{} imports `{import}` and uses nothing of it", file.name);
        }
        for name in used.difference(&own) {
            let homes: Vec<&str> = declared_by
                .iter()
                .filter(|(_, declared)| declared.contains(name))
                .map(|(&home, _)| home)
                .collect();
            assert!(
                homes.is_empty() || homes.iter().any(|home| imports.contains(home)),
                "{} uses `{name}` of {homes:?} and does not import it",
                file.name
            );
        }
    }
}

#[test]
fn an_import_that_is_not_there_or_goes_in_a_circle_is_named() {
    let file = |name, source| Shader { name, source };
    let shared = [
        file("shared/one", "#import two\nconst ONE = TWO;\n"),
        file("shared/two", "const TWO = 2;\n"),
        file("shared/round", "#import about\n"),
        file("shared/about", "#import round\n"),
        file("shared/lost", "#import nowhere\n"),
    ];
    let resolved = |source| resolve(&file("pool/test", source), &shared);
    let text = resolved("#import one\n#import two\nconst THREE = ONE + TWO;\n").unwrap();
    assert_eq!(text, "const TWO = 2;\n\nconst ONE = TWO;\n\nconst THREE = ONE + TWO;\n\n");
    let problem = |source| resolved(source).unwrap_err().to_string();
    let lost = problem("#import lost\n");
    assert!(lost.contains("shaders/shared/lost.wgsl") && lost.contains("`nowhere`"), "{lost}");
    let circle = problem("#import round\n");
    assert!(circle.contains("shared/round → shared/about → shared/round"), "{circle}");
}

/// A network with every layer and activation, whose channels are no multiples of four.
const EVERY_LAYER: &str = "['serial',
    ['noise', {'std': 0.1}],
    ['conv', {'ksize': 3, 'chn': 6, 'actions': 'LBA', 'actfunc': 'sigmoid'}],
    ['add', {'x': True, 'actions': 'BA'},
        ['conv', {'ksize': 3, 'chn': 12, 'actions': 'BAL', 'actfunc': 'tanh'}],
        ['conv', {'ksize': 1, 'chn': 3, 'actions': 'L'}]],
    ['parallel',
        ['max', {'ksize': 3, 'stride': 1}],
        ['avg', {'ksize': 3, 'stride': 1}],
        ['conv', {'ksize': [2, 3], 'chn': 5}]],
    ['conv', {'ksize': 3, 'stride': 2, 'chn': 8, 'actions': 'AL', 'actfunc': 'tanh'}],
    ['conv', {'ksize': 3, 'chn': 8, 'groups': 8, 'actions': 'LAB'}],
    ['conv', {'ksize': 3, 'chn': 4, 'groups': 2, 'actions': 'LA'}],
    ['dropout', {'keep_prob': 0.7}],
    ['full', {'width': 32, 'actions': 'ALB', 'actfunc': 'tanh'}]]";

/// Plans that between them run every kernel, alone and fused, with sums whole and split.
fn plans() -> Vec<Plan> {
    let every_layer = Network::new(EVERY_LAYER, Shape::new(12, 12, 3), 4).unwrap();
    let of_preset = |name| {
        let preset = preset(name).unwrap();
        Network::new(&preset.text("LAB"), preset.input, preset.classes).unwrap()
    };
    let networks =
        [(every_layer, 3), (of_preset("residual_flower"), 10), (of_preset("residual_34"), 32)];
    let mut plans = Vec::new();
    for (network, batch_size) in networks {
        let parameters = Parameters::new(&network.graph);
        let photos = Source::Photos { pages: 2, stored_size: 96 };
        let sgd = Optimizer::Sgd { momentum: 0.9 };
        let options = [
            PlanOptions::training(batch_size, Source::Tensor, Optimizer::ADAM),
            PlanOptions { weight_average: 0.99, ..PlanOptions::training(batch_size, photos, sgd) },
            PlanOptions::evaluation(batch_size, Source::Tensor),
        ];
        for options in options {
            plans.push(Plan::new(&network.graph, &parameters, &options).unwrap());
        }
    }
    plans
}

/// Panics unless a dispatch gives its shader the constants and bindings that this declares.
fn check(dispatch: &Dispatch, (module, info): &(naga::Module, ModuleInfo)) {
    let what = format!("{}, {}", dispatch.shader.name, dispatch.entry);
    let given: Vec<&str> = dispatch.constants.as_slice().iter().map(|&(name, _)| name).collect();
    let distinct: BTreeSet<&str> = given.iter().copied().collect();
    assert_eq!(distinct.len(), given.len(), "{what}: a constant is given twice in {given:?}");
    let overrides = || module.overrides.iter().map(|(_, o)| (o.name.as_deref().unwrap(), o.init));
    for name in &distinct {
        assert!(overrides().any(|(declared, _)| declared == *name), "{what}: no override {name}");
    }
    for (name, init) in overrides() {
        assert!(init.is_some() || distinct.contains(name), "{what}: no value for {name}");
    }

    let entry = module.entry_points.iter().position(|entry| entry.name == dispatch.entry);
    let uses = info.get_entry_point(entry.unwrap_or_else(|| panic!("{what}: no such entry")));
    for (handle, variable) in module.global_variables.iter() {
        let (Some(place), false) = (variable.binding, uses[handle].is_empty()) else { continue };
        let naga::AddressSpace::Storage { access } = variable.space else {
            assert_eq!(place.binding, 0, "{what}: what changes from step to step");
            continue;
        };
        let name = variable.name.as_deref().unwrap();
        let bound = dispatch.bindings.get(place.binding as usize - 1);
        let bound = bound.unwrap_or_else(|| panic!("{what}: nothing is bound to {name}"));
        let written = access.contains(naga::StorageAccess::STORE);
        assert_eq!(bound.writable, written, "{what}: {name} and what is bound to it");
    }
}

#[test]
fn dispatches_give_every_shader_what_it_declares() {
    let mut modules: HashMap<&str, (naga::Module, ModuleInfo)> = HashMap::new();
    let mut reached: BTreeSet<(&str, &str)> = BTreeSet::new();
    for plan in plans() {
        for shaders in [Shaders::Tiled, Shaders::Direct] {
            let dispatches = fusion::dispatches(&plan.calls, plan.batch_size, shaders);
            for (call, dispatches) in plan.calls.iter().zip(dispatches) {
                for dispatch in dispatches {
                    let name = dispatch.shader.name;
                    let module = modules.entry(name).or_insert_with(|| module(&dispatch.shader));
                    check(&dispatch, module);
                    reached.insert((name, dispatch.entry));
                    let of_kernel = name.replace('/', "_").ends_with(call.kernel.name());
                    assert!(of_kernel, "{name} for {}", call.kernel.name());
                }
            }
        }
    }
    for shader in files("") {
        if is_shared(&shader) || shader.name.starts_with("probe/") {
            continue;
        }
        for entry in module(&shader).0.entry_points {
            let is_reached = reached.contains(&(shader.name, entry.name.as_str()));
            assert!(is_reached, "{} of {} is not run by any plan here", entry.name, shader.name);
        }
    }
}
