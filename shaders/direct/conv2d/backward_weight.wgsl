#import convolution
#import direct_product
#import splits
#import step
#import weight_splits
#import windows

// input, grad_output -> grad_block: patches, transposed, times grad_output, as in conv2d/backward_weight.wgsl. A row is an
// element of the kernel's patch, a column an output channel, and the sum runs over all output pixels of SPLIT_SAMPLES samples, a
// split on the grid's third axis; with one split, `main` writes the gradient itself.
override SPLIT_SAMPLES: u32;

@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read> grad_output: array<f32>;
@group(0) @binding(3) var<storage, read_write> products: array<f32>;

override COLUMNS: u32 = OUT_CHANNELS;

fn right_element(index: u32) -> f32 {
    return grad_output[index];
}

// An element of a patch: its line, its position in that, and its offset from the window's origin in memory.
struct PatchElement {
    line: i32,
    position: i32,
    offset: i32,
}

fn patch_element(row: u32) -> PatchElement {
    // Beyond the kernel its last element will do.
    let depth = min(row, DEPTH - 1u);
    let line = depth / WINDOW_LINE;
    let position = depth % WINDOW_LINE;
    return PatchElement(i32(line), i32(position), i32(line * INPUT_LINE + position));
}

// Elements of the line under a patch element that lie inside the input: all of it or none.
fn line_len(element: PatchElement, top: i32) -> u32 {
    // A negative number is a very large one.
    return select(0u, INPUT_LINE, u32(top + element.line) < INPUT_HEIGHT);
}

// The input under a patch element of the window that begins at `start` in memory and at `left` in its line.
fn input_at(element: PatchElement, line_len: u32, left: i32, start: i32) -> f32 {
    let inside = u32(left + element.position) < line_len;
    return select(0.0, input[select(0u, u32(start + element.offset), inside)], inside);
}

// From the first product to this workgroup's split's.
var<private> product: u32;

fn store_element(row: u32, column: u32, sum: f32) {
    if (row < DEPTH && column < OUT_CHANNELS) {
        products[product + row * OUT_CHANNELS + column] = sum;
    }
}

fn store_bias(column: u32, sum: f32) {
    if (column < OUT_CHANNELS) {
        products[product + SPLIT_BIAS + column] = sum;
    }
}

@compute @workgroup_size(LANES)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let flat = flat_group(group, groups);
    let row = row_of(flat, local);
    if (row >= DEPTH) {
        return;
    }
    let columns = columns_of(flat, local);
    let element0 = patch_element(row);
    let element1 = patch_element(row + 1u);
    let element2 = patch_element(row + 2u);
    let element3 = patch_element(row + 3u);
    let element4 = patch_element(row + 4u);
    let element5 = patch_element(row + 5u);
    let element6 = patch_element(row + 6u);
    let element7 = patch_element(row + 7u);
    var sum0 = vec4<f32>(0.0);
    var sum1 = vec4<f32>(0.0);
    var sum2 = vec4<f32>(0.0);
    var sum3 = vec4<f32>(0.0);
    var sum4 = vec4<f32>(0.0);
    var sum5 = vec4<f32>(0.0);
    var sum6 = vec4<f32>(0.0);
    var sum7 = vec4<f32>(0.0);
    var bias = vec4<f32>(0.0);
    let end = min((group.z + 1u) * SPLIT_SAMPLES, step_inputs.batch_size);
    for (var sample = group.z * SPLIT_SAMPLES; sample < end; sample += 1u) {
        for (var y = 0u; y < OUTPUT_HEIGHT; y += 1u) {
            let top = i32(y * STRIDE_Y) - OFFSET_Y;
            let len0 = line_len(element0, top);
            let len1 = line_len(element1, top);
            let len2 = line_len(element2, top);
            let len3 = line_len(element3, top);
            let len4 = line_len(element4, top);
            let len5 = line_len(element5, top);
            let len6 = line_len(element6, top);
            let len7 = line_len(element7, top);
            let line_start = (i32(sample * INPUT_HEIGHT) + top) * i32(INPUT_LINE);
            let pixels = (sample * OUTPUT_HEIGHT + y) * OUTPUT_WIDTH;
            for (var x = 0u; x < OUTPUT_WIDTH; x += 1u) {
                let left = (i32(x * STRIDE_X) - OFFSET_X) * i32(IN_CHANNELS);
                let start = line_start + left;
                let gradient = right_elements((pixels + x) * OUT_CHANNELS, columns);
                sum0 += input_at(element0, len0, left, start) * gradient;
                sum1 += input_at(element1, len1, left, start) * gradient;
                sum2 += input_at(element2, len2, left, start) * gradient;
                sum3 += input_at(element3, len3, left, start) * gradient;
                sum4 += input_at(element4, len4, left, start) * gradient;
                sum5 += input_at(element5, len5, left, start) * gradient;
                sum6 += input_at(element6, len6, left, start) * gradient;
                sum7 += input_at(element7, len7, left, start) * gradient;
                bias += gradient;
            }
        }
    }
    product = group.z * SPLIT_LEN;
    store_sums(row, columns, Sums(sum0, sum1, sum2, sum3, sum4, sum5, sum6, sum7));
    // The bias is the sum of the gradient alone; the first rows' invocations see to it.
    if (row == 0u) {
        store_bias(columns.x, bias.x);
        store_bias(columns.y, bias.y);
        store_bias(columns.z, bias.z);
        store_bias(columns.w, bias.w);
    }
}
