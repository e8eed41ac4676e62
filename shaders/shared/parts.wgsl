// Sums of a matrix product in SPLITS parts, which the entry point `finish` adds up; it alone binds them.
// From one part to the next, in scratch.
override SPLIT_LEN: u32;

@group(0) @binding(1) var<storage, read> parts: array<vec4<f32>>;

// Sums 4 * index .. 4 * index + 3, their parts in order.
fn sum_of_parts(index: u32) -> vec4<f32> {
    var sum = parts[index];
    for (var split = 1u; split < SPLITS; split += 1u) {
        sum += parts[split * SPLIT_LEN / 4u + index];
    }
    return sum;
}
