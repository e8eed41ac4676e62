// What changes from step to step: `StepInputs` in src/kernel.rs with what the host derives from it.
struct StepInputs {
    batch_size: u32,
    step: u32,
    seed_low: u32,
    seed_high: u32,
    learning_rate: f32,
    weight_decay: f32,
    // Adam: 1 - beta ^ (step + 1), from the host because a power of a number near 1 needs more than 32 bits.
    first_correction: f32,
    second_correction: f32,
}

@group(0) @binding(0) var<uniform> step_inputs: StepInputs;

// The index of a workgroup: groups beyond the limit of the first axis go on along the second.
fn flat_group(group: vec3<u32>, groups: vec3<u32>) -> u32 {
    return group.x + group.y * groups.x;
}

// The index of an invocation in a grid of workgroups of 64.
fn flat_index(group: vec3<u32>, groups: vec3<u32>, local: u32) -> u32 {
    return flat_group(group, groups) * 64u + local;
}
