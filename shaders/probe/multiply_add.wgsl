#import step

// Chains of multiply-adds that stay in registers: what a device can do at best. 8 chains of 4 elements an invocation, so
// that no multiply-add waits for the one before.
override ROUNDS: u32;

@group(0) @binding(1) var<storage, read_write> output: array<vec4<f32>>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = flat_index(group, groups, local);
    // Not known beforehand, so that nothing is computed ahead.
    let factor = vec4<f32>(f32(step_inputs.batch_size) * 1e-3);
    let summand = vec4<f32>(f32(index % 7u), f32(index % 5u), f32(index % 3u), 1.0);
    var chain0 = summand;
    var chain1 = summand + 1.0;
    var chain2 = summand + 2.0;
    var chain3 = summand + 3.0;
    var chain4 = summand + 4.0;
    var chain5 = summand + 5.0;
    var chain6 = summand + 6.0;
    var chain7 = summand + 7.0;
    for (var round = 0u; round < ROUNDS; round += 1u) {
        chain0 = chain0 * factor + summand;
        chain1 = chain1 * factor + summand;
        chain2 = chain2 * factor + summand;
        chain3 = chain3 * factor + summand;
        chain4 = chain4 * factor + summand;
        chain5 = chain5 * factor + summand;
        chain6 = chain6 * factor + summand;
        chain7 = chain7 * factor + summand;
    }
    output[index] = chain0 + chain1 + chain2 + chain3 + chain4 + chain5 + chain6 + chain7;
}
