// Numbers under a window, of which shared/windows.wgsl says where they lie. A kernel that includes this binds the input twice,
// as `input` and as `input_vec4`.
fn window_number(corner: Corner, depth: u32) -> f32 {
    let line = depth / WINDOW_LINE;
    let place = depth % WINDOW_LINE;
    if (depth >= DEPTH || !is_real(corner, line, place)) {
        return 0.0;
    }
    return input[u32(corner.start + i32(line * INPUT_LINE + place))];
}

// Columns depth .. depth + 3 of a window; zeros beyond the matrix.
fn window_numbers(corner: Corner, depth: u32) -> vec4<f32> {
    if (IN_CHANNELS % 4u == 0u) {
        let line = depth / WINDOW_LINE;
        let place = depth % WINDOW_LINE;
        if (depth >= DEPTH || !is_real(corner, line, place)) {
            return vec4<f32>(0.0);
        }
        return input_vec4[u32(corner.start + i32(line * INPUT_LINE + place)) / 4u];
    }
    return vec4<f32>(
        window_number(corner, depth),
        window_number(corner, depth + 1u),
        window_number(corner, depth + 2u),
        window_number(corner, depth + 3u),
    );
}
