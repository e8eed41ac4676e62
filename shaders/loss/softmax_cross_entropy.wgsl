#import nan
#import softmax
#import step

// logits, targets -> grad_logits, probabilities, metrics. `main` does one sample a workgroup and leaves its loss, weight
// and correctness in scratch; `finish` adds them to the metrics in the samples' order.
@group(0) @binding(1) var<storage, read_write> scratch: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> logits: array<f32>;
@group(0) @binding(3) var<storage, read> targets: array<f32>;
@group(0) @binding(4) var<storage, read_write> grad_logits: array<f32>;
@group(0) @binding(5) var<storage, read_write> probabilities: array<f32>;
@group(0) @binding(6) var<storage, read_write> metrics: array<f32>;

@compute @workgroup_size(LANES)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let sample = flat_group(group, groups);
    if (sample >= step_inputs.batch_size) {
        return;
    }
    let start = sample * CLASSES;
    let target_start = sample * (CLASSES + 1u);
    let weight = targets[target_start + CLASSES];
    let softmax = softmax_of(sample, local);
    let log_sum = select(log(softmax.y), softmax.y, is_nan(softmax.y));
    let scale = weight / f32(step_inputs.batch_size);
    var loss = 0.0;
    for (var class_index = local; class_index < CLASSES; class_index += LANES) {
        let wanted = targets[target_start + class_index];
        let centred = logits[start + class_index] - softmax.x;
        grad_logits[start + class_index] =
            scale * (probabilities[start + class_index] - wanted);
        // A class without a target adds nothing, not even where its logit is infinitely far away.
        if (wanted != 0.0) {
            loss += wanted * (log_sum - centred);
        }
    }
    workgroupBarrier();
    lanes[local] = loss;
    workgroupBarrier();
    if (local == 0u) {
        for (var lane = 1u; lane < LANES; lane += 1u) {
            loss += lanes[lane];
        }
        var answer = 0u;
        var truth = 0u;
        for (var class_index = 1u; class_index < CLASSES; class_index += 1u) {
            if (is_greater(logits[start + class_index], logits[start + answer])) {
                answer = class_index;
            }
            if (targets[target_start + class_index] > targets[target_start + truth]) {
                truth = class_index;
            }
        }
        scratch[sample] = vec4<f32>(weight * loss, weight, select(0.0, 1.0, answer == truth), 1.0);
    }
}

@compute @workgroup_size(1)
fn finish() {
    var sums = vec4<f32>(metrics[0], metrics[1], metrics[2], metrics[3]);
    for (var sample = 0u; sample < step_inputs.batch_size; sample += 1u) {
        sums += scratch[sample];
    }
    metrics[0] = sums.x;
    metrics[1] = sums.y;
    metrics[2] = sums.z;
    metrics[3] = sums.w;
}
