// input, grad_output -> grad_block: windows, transposed, times grad_output, as in ../conv2d_backward_weight.wgsl. A row is a
// place in the kernel, a column an output channel, and the sum runs over all output pixels of SPLIT_SAMPLES samples, a part
// on the grid's third axis; with one part, `main` writes the gradient itself.
override SPLIT_SAMPLES: u32;
@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read> grad_output: array<f32>;
@group(0) @binding(3) var<storage, read_write> products: array<f32>;

override COLUMNS: u32 = OUT_CHANNELS;

fn right_number(place: u32) -> f32 {
    return grad_output[place];
}

// A place in the kernel: its line, its place in that, and how far it lies behind its window's corner in memory.
struct Place {
    line: i32,
    left: i32,
    behind: i32,
}

fn place_at(row: u32) -> Place {
    // Beyond the kernel the last place will do.
    let place = min(row, DEPTH - 1u);
    let line = place / WINDOW_LINE;
    let left = place % WINDOW_LINE;
    return Place(i32(line), i32(left), i32(line * INPUT_LINE + left));
}

// Numbers of the line under a place that are pixels': all of it or none.
fn line_len(place: Place, top: i32) -> u32 {
    // A negative number is a very large one.
    return select(0u, INPUT_LINE, u32(top + place.line) < INPUT_HEIGHT);
}

// The number under a place of the window that begins at `start` in memory and at `left` in its line.
fn number_at(place: Place, line_len: u32, left: i32, start: i32) -> f32 {
    let is_real = u32(left + place.left) < line_len;
    return select(0.0, input[select(0u, u32(start + place.behind), is_real)], is_real);
}

// From the first product number to this workgroup's part.
var<private> product: u32;

fn store_number(row: u32, column: u32, sum: f32) {
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
    let place0 = place_at(row);
    let place1 = place_at(row + 1u);
    let place2 = place_at(row + 2u);
    let place3 = place_at(row + 3u);
    let place4 = place_at(row + 4u);
    let place5 = place_at(row + 5u);
    let place6 = place_at(row + 6u);
    let place7 = place_at(row + 7u);
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
            let len0 = line_len(place0, top);
            let len1 = line_len(place1, top);
            let len2 = line_len(place2, top);
            let len3 = line_len(place3, top);
            let len4 = line_len(place4, top);
            let len5 = line_len(place5, top);
            let len6 = line_len(place6, top);
            let len7 = line_len(place7, top);
            let line_start = (i32(sample * INPUT_HEIGHT) + top) * i32(INPUT_LINE);
            let pixels = (sample * OUTPUT_HEIGHT + y) * OUTPUT_WIDTH;
            for (var x = 0u; x < OUTPUT_WIDTH; x += 1u) {
                let left = (i32(x * STRIDE_X) - OFFSET_X) * i32(IN_CHANNELS);
                let start = line_start + left;
                let gradient = right_numbers((pixels + x) * OUT_CHANNELS, columns);
                sum0 += number_at(place0, len0, left, start) * gradient;
                sum1 += number_at(place1, len1, left, start) * gradient;
                sum2 += number_at(place2, len2, left, start) * gradient;
                sum3 += number_at(place3, len3, left, start) * gradient;
                sum4 += number_at(place4, len4, left, start) * gradient;
                sum5 += number_at(place5, len5, left, start) * gradient;
                sum6 += number_at(place6, len6, left, start) * gradient;
                sum7 += number_at(place7, len7, left, start) * gradient;
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
