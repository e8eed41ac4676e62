// Direct products (shared/direct.wgsl) whose left matrix is windows: what takes a comparison is found once for all channels of
// a pixel.
//
// A kernel that includes this has `Corner` and `is_real`, and says which window a row is, `corner_at(row)`; what the left matrix
// holds, `left_number(place)`, CHANNELS to a pixel and LEFT_LINE to a line; and where the right one has the first channel of a
// position in a window, `right_start(line, position)`, COLUMNS numbers a channel.

// The pixel under a window's position: where its channels begin, if it is one.
struct Pixel {
    start: u32,
    is_real: bool,
}

fn pixel_at(corner: Corner, line: u32, place: u32) -> Pixel {
    let real = is_real(corner, line, place);
    return Pixel(select(0u, u32(corner.start + i32(line * LEFT_LINE + place)), real), real);
}

fn number_of(pixel: Pixel, channel: u32) -> f32 {
    return select(0.0, left_number(pixel.start + channel), pixel.is_real);
}

// Sums of rows from `first_row`, over windows of `lines` times `positions`.
fn sums_of(first_row: u32, columns: vec4<u32>, lines: u32, positions: u32) -> Sums {
    let corner0 = corner_at(first_row);
    let corner1 = corner_at(first_row + 1u);
    let corner2 = corner_at(first_row + 2u);
    let corner3 = corner_at(first_row + 3u);
    let corner4 = corner_at(first_row + 4u);
    let corner5 = corner_at(first_row + 5u);
    let corner6 = corner_at(first_row + 6u);
    let corner7 = corner_at(first_row + 7u);
    var sum0 = vec4<f32>(0.0);
    var sum1 = vec4<f32>(0.0);
    var sum2 = vec4<f32>(0.0);
    var sum3 = vec4<f32>(0.0);
    var sum4 = vec4<f32>(0.0);
    var sum5 = vec4<f32>(0.0);
    var sum6 = vec4<f32>(0.0);
    var sum7 = vec4<f32>(0.0);
    for (var line = 0u; line < lines; line += 1u) {
        for (var position = 0u; position < positions; position += 1u) {
            let place = position * CHANNELS;
            let pixel0 = pixel_at(corner0, line, place);
            let pixel1 = pixel_at(corner1, line, place);
            let pixel2 = pixel_at(corner2, line, place);
            let pixel3 = pixel_at(corner3, line, place);
            let pixel4 = pixel_at(corner4, line, place);
            let pixel5 = pixel_at(corner5, line, place);
            let pixel6 = pixel_at(corner6, line, place);
            let pixel7 = pixel_at(corner7, line, place);
            let right = right_start(line, position);
            for (var channel = 0u; channel < CHANNELS; channel += 1u) {
                let numbers = right_numbers(right + channel * COLUMNS, columns);
                sum0 += number_of(pixel0, channel) * numbers;
                sum1 += number_of(pixel1, channel) * numbers;
                sum2 += number_of(pixel2, channel) * numbers;
                sum3 += number_of(pixel3, channel) * numbers;
                sum4 += number_of(pixel4, channel) * numbers;
                sum5 += number_of(pixel5, channel) * numbers;
                sum6 += number_of(pixel6, channel) * numbers;
                sum7 += number_of(pixel7, channel) * numbers;
            }
        }
    }
    return Sums(sum0, sum1, sum2, sum3, sum4, sum5, sum6, sum7);
}
