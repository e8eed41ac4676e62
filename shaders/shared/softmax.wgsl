#import nan

// The probabilities of one sample, by one workgroup. The importing shader binds `logits` and `probabilities`.
override CLASSES: u32;

const LANES: u32 = 32u;

var<workgroup> lanes: array<f32, LANES>;

// The largest logit of a sample and the sum of the exponentials less it. The whole workgroup calls this together.
fn softmax_of(sample: u32, local: u32) -> vec2<f32> {
    let start = sample * CLASSES;
    var largest = logits[start];
    for (var class_index = local; class_index < CLASSES; class_index += LANES) {
        if (is_greater(logits[start + class_index], largest)) {
            largest = logits[start + class_index];
        }
    }
    lanes[local] = largest;
    workgroupBarrier();
    for (var lane = 0u; lane < LANES; lane += 1u) {
        largest = max(largest, lanes[lane]);
    }
    workgroupBarrier();
    var sum = 0.0;
    for (var class_index = local; class_index < CLASSES; class_index += LANES) {
        sum += exponential(logits[start + class_index] - largest);
    }
    lanes[local] = sum;
    workgroupBarrier();
    sum = 0.0;
    for (var lane = 0u; lane < LANES; lane += 1u) {
        sum += lanes[lane];
    }
    for (var class_index = local; class_index < CLASSES; class_index += LANES) {
        let probability = exponential(logits[start + class_index] - largest) / sum;
        probabilities[start + class_index] = select(probability, sum, is_nan(sum));
    }
    return vec2<f32>(largest, sum);
}
