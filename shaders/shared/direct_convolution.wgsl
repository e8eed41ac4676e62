#import direct_product
#import window_origin

// Direct products whose left matrix is patches: what takes a comparison is found once for all channels of a pixel.
//
// The importing shader says which window a row is, `left_origin(row)`; what the left matrix holds, `left_element(index)`,
// LEFT_CHANNELS to a pixel, LEFT_LINE to a line, and LEFT_HEIGHT lines to a sample; and where the right one has the first channel
// of a position in a window, `right_start(line, position)`, COLUMNS elements a channel.

// The pixel under a window's position: where its channels begin, if it lies inside.
struct Pixel {
    start: u32,
    inside: bool,
}

fn pixel_at(origin: WindowOrigin, line: u32, element: u32) -> Pixel {
    // A negative number is a very large one.
    let inside = u32(origin.top + i32(line)) < LEFT_HEIGHT && u32(origin.left + i32(element)) < LEFT_LINE;
    let start = select(0u, u32(origin.start + i32(line * LEFT_LINE + element)), inside);
    return Pixel(start, inside);
}

fn element_of(pixel: Pixel, channel: u32) -> f32 {
    return select(0.0, left_element(pixel.start + channel), pixel.inside);
}

// Sums of rows from `first_row`, over windows of `lines` times `positions`.
fn sums_of(first_row: u32, columns: vec4<u32>, lines: u32, positions: u32) -> Sums {
    let origin0 = left_origin(first_row);
    let origin1 = left_origin(first_row + 1u);
    let origin2 = left_origin(first_row + 2u);
    let origin3 = left_origin(first_row + 3u);
    let origin4 = left_origin(first_row + 4u);
    let origin5 = left_origin(first_row + 5u);
    let origin6 = left_origin(first_row + 6u);
    let origin7 = left_origin(first_row + 7u);
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
            let element = position * LEFT_CHANNELS;
            let pixel0 = pixel_at(origin0, line, element);
            let pixel1 = pixel_at(origin1, line, element);
            let pixel2 = pixel_at(origin2, line, element);
            let pixel3 = pixel_at(origin3, line, element);
            let pixel4 = pixel_at(origin4, line, element);
            let pixel5 = pixel_at(origin5, line, element);
            let pixel6 = pixel_at(origin6, line, element);
            let pixel7 = pixel_at(origin7, line, element);
            let right = right_start(line, position);
            for (var channel = 0u; channel < LEFT_CHANNELS; channel += 1u) {
                let elements = right_elements(right + channel * COLUMNS, columns);
                sum0 += element_of(pixel0, channel) * elements;
                sum1 += element_of(pixel1, channel) * elements;
                sum2 += element_of(pixel2, channel) * elements;
                sum3 += element_of(pixel3, channel) * elements;
                sum4 += element_of(pixel4, channel) * elements;
                sum5 += element_of(pixel5, channel) * elements;
                sum6 += element_of(pixel6, channel) * elements;
                sum7 += element_of(pixel7, channel) * elements;
            }
        }
    }
    return Sums(sum0, sum1, sum2, sum3, sum4, sum5, sum6, sum7);
}
