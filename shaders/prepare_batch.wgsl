#import step

// photos page, transforms -> input. One pixel of the batch an invocation; `CONTRIBUTION` in src/kernel/storage.rs states the
// record and the sampling.
override PAGE: f32;
override STORED_SIZE: u32;
override HEIGHT: u32;
override WIDTH: u32;
override CHANNELS: u32;

const CONTRIBUTION: u32 = 32u;
const CONTRIBUTIONS: u32 = 2u;

@group(0) @binding(1) var<storage, read> photos: array<u32>;
@group(0) @binding(2) var<storage, read> transforms: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;

// A stored pixel, red, green and blue from -1 to 1; edges repeat.
fn stored_pixel(slot: u32, x: i32, y: i32) -> vec3<f32> {
    let last = i32(STORED_SIZE) - 1;
    let row = u32(clamp(y, 0, last));
    let column = u32(clamp(x, 0, last));
    let bytes = photos[(slot * STORED_SIZE + row) * STORED_SIZE + column];
    let rgb = vec3<u32>(bytes & 255u, (bytes >> 8u) & 255u, (bytes >> 16u) & 255u);
    return vec3<f32>(rgb) / 127.5 - 1.0;
}

// The photo at a position between pixels, bilinear.
fn sample_bilinear(slot: u32, x: f32, y: f32) -> vec3<f32> {
    let origin = floor(vec2<f32>(x, y));
    let fraction = vec2<f32>(x, y) - origin;
    let column = i32(origin.x);
    let row = i32(origin.y);
    let above = mix(stored_pixel(slot, column, row), stored_pixel(slot, column + 1, row), fraction.x);
    let below = mix(
        stored_pixel(slot, column, row + 1),
        stored_pixel(slot, column + 1, row + 1),
        fraction.x,
    );
    return mix(above, below, fraction.y);
}

fn contribution(record: u32, column: f32, row: f32) -> vec3<f32> {
    let cutout = record + 21u;
    if (column >= transforms[cutout] && row >= transforms[cutout + 1u]
        && column < transforms[cutout + 2u] && row < transforms[cutout + 3u]) {
        return vec3<f32>(0.0);
    }
    let m = record + 3u;
    let x = (column + 0.5) * transforms[m] + (row + 0.5) * transforms[m + 1u] + transforms[m + 2u] - 0.5;
    let y = (column + 0.5) * transforms[m + 3u] + (row + 0.5) * transforms[m + 4u] + transforms[m + 5u] - 0.5;
    let rgb = sample_bilinear(u32(transforms[record + 1u]), x, y);
    var colour = vec3<f32>(0.0);
    for (var channel = 0u; channel < 3u; channel += 1u) {
        let c = record + 9u + 4u * channel;
        colour[channel] = transforms[c] * rgb.x + transforms[c + 1u] * rgb.y
            + transforms[c + 2u] * rgb.z + transforms[c + 3u];
    }
    return colour * transforms[record + 2u];
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let pixel = flat_index(group, groups, local);
    let sample = pixel / (HEIGHT * WIDTH);
    if (sample >= step_inputs.batch_size) {
        return;
    }
    let column = f32(pixel % WIDTH);
    let row = f32(pixel / WIDTH % HEIGHT);
    var colour = vec3<f32>(0.0);
    var found = false;
    for (var index = 0u; index < CONTRIBUTIONS; index += 1u) {
        let record = (sample * CONTRIBUTIONS + index) * CONTRIBUTION;
        if (transforms[record] == PAGE && transforms[record + 2u] != 0.0) {
            colour += contribution(record, column, row);
            found = true;
        }
    }
    if (PAGE > 0.0 && !found) {
        return;
    }
    for (var channel = 0u; channel < min(CHANNELS, 3u); channel += 1u) {
        let index = pixel * CHANNELS + channel;
        if (PAGE > 0.0) {
            output[index] += colour[channel];
        } else {
            output[index] = colour[channel];
        }
    }
}
