#import splits

// The partial sums of a matrix product, which the entry point `finish` adds up; it alone binds them.
@group(0) @binding(1) var<storage, read> partial_sums: array<vec4<f32>>;

// Sums 4 * index .. 4 * index + 3, their splits in order.
fn sum_of_splits(index: u32) -> vec4<f32> {
    var sum = partial_sums[index];
    for (var split = 1u; split < SPLITS; split += 1u) {
        sum += partial_sums[split * SPLIT_LEN / 4u + index];
    }
    return sum;
}
