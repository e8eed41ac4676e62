#import convolution
#import window_origin
#import windows

// The elements of a patch, of which windows.wgsl says where they lie. The importing shader binds the input twice, as `input` and
// as `input_vec4`, since a binding has one type.
fn patch_element(origin: WindowOrigin, depth: u32) -> f32 {
    let line = depth / WINDOW_LINE;
    let element = depth % WINDOW_LINE;
    if (depth >= DEPTH || !is_inside(origin, line, element)) {
        return 0.0;
    }
    return input[u32(origin.start + i32(line * INPUT_LINE + element))];
}

// Elements depth .. depth + 3 of a patch; zeros beyond the matrix.
fn patch_elements(origin: WindowOrigin, depth: u32) -> vec4<f32> {
    if (IN_CHANNELS % 4u == 0u) {
        let line = depth / WINDOW_LINE;
        let element = depth % WINDOW_LINE;
        if (depth >= DEPTH || !is_inside(origin, line, element)) {
            return vec4<f32>(0.0);
        }
        return input_vec4[u32(origin.start + i32(line * INPUT_LINE + element)) / 4u];
    }
    return vec4<f32>(
        patch_element(origin, depth),
        patch_element(origin, depth + 1u),
        patch_element(origin, depth + 2u),
        patch_element(origin, depth + 3u),
    );
}
