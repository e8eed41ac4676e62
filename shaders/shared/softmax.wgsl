// Probabilities of one sample, one workgroup a sample. A kernel that includes this binds `logits` and `probabilities`.
override CLASSES: u32;

const LANES: u32 = 32u;

var<workgroup> lanes: array<f32, LANES>;

// The largest number and the sum of exponentials less it, for one sample; for the whole workgroup to call together.
fn softmax_of(sample: u32, local: u32) -> vec2<f32> {
    let start = sample * CLASSES;
    var largest = -3.4e38;
    for (var class_index = local; class_index < CLASSES; class_index += LANES) {
        largest = max(largest, logits[start + class_index]);
    }
    lanes[local] = largest;
    workgroupBarrier();
    for (var lane = 0u; lane < LANES; lane += 1u) {
        largest = max(largest, lanes[lane]);
    }
    workgroupBarrier();
    var sum = 0.0;
    for (var class_index = local; class_index < CLASSES; class_index += LANES) {
        sum += exp(logits[start + class_index] - largest);
    }
    lanes[local] = sum;
    workgroupBarrier();
    sum = 0.0;
    for (var lane = 0u; lane < LANES; lane += 1u) {
        sum += lanes[lane];
    }
    for (var class_index = local; class_index < CLASSES; class_index += LANES) {
        probabilities[start + class_index] = exp(logits[start + class_index] - largest) / sum;
    }
    return vec2<f32>(largest, sum);
}
