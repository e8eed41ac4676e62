//! The nine models: totals, shapes, and plans whose buffers are sound.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

use floret::kernel::{Call, Storage};
use floret::network::Network;
use floret::network::presets::{PRESETS, preset};
use floret::plan::parameters::Parameters;
use floret::plan::{Optimizer, Plan, PlanOptions, Source};
use std::collections::HashSet;

fn network(name: &str, actions: &str) -> Network {
    let preset = preset(name).unwrap();
    Network::new(&preset.text(actions), preset.input, preset.classes).unwrap()
}

#[test]
fn totals_are_the_textbooks() {
    let totals: Vec<u64> = PRESETS
        .iter()
        .map(|preset| {
            let network = network(preset.name, preset.actions);
            let total = Parameters::new(&network.graph).counted();
            assert_eq!(total, network.structure.parameters, "{}", preset.name);
            assert_eq!(total, preset.parameters, "{}", preset.name);
            total
        })
        .collect();
    let textbook = [
        43_885,
        173_637,
        173_637,
        189_925,
        32_401_768,
        143_667_240,
        21_616_232,
        21_616_232,
        57_344_360,
    ];
    assert_eq!(totals, textbook);
}

#[test]
fn plans_of_all_presets_are_sound() {
    for preset in PRESETS {
        for actions in ["LA", "LAB", "BAL"] {
            let network = network(preset.name, actions);
            let parameters = Parameters::new(&network.graph);
            let training = PlanOptions::training(2, Source::Tensor, Optimizer::ADAM);
            let evaluation = PlanOptions::evaluation(2, Source::Tensor);
            for options in [training, evaluation] {
                let plan = Plan::new(&network.graph, &parameters, &options).unwrap();
                check_buffers(&plan, &format!("{} {actions} {:?}", preset.name, options.mode));
            }
        }
    }
}

/// No call reads and writes one buffer, every buffer read was written before, and views fit their buffers.
fn check_buffers(plan: &Plan, name: &str) {
    let workspace = |views: &[floret::kernel::View]| -> Vec<u32> {
        let buffer = |view: &floret::kernel::View| match view.storage {
            Storage::Workspace(buffer) => {
                assert!(
                    view.offset + view.extent.len(plan.batch_size) <= plan.buffers[buffer as usize]
                );
                Some(buffer)
            }
            _ => None,
        };
        views.iter().filter_map(buffer).collect()
    };
    let mut written: HashSet<u32> = workspace(&[plan.input]).into_iter().collect();
    for (number, Call { kernel, reads, writes }) in plan.calls.iter().enumerate() {
        let (reads, writes) = (workspace(reads), workspace(writes));
        for buffer in &reads {
            assert!(written.contains(buffer), "{name}: call {number} {kernel:?} reads nothing");
            assert!(
                !writes.contains(buffer),
                "{name}: call {number} {kernel:?} overwrites its input"
            );
        }
        written.extend(writes);
    }
}
