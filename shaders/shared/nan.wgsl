// Comparisons that see NaN, by its bits: a shader's compiler may take it for granted that there is none. A run that has
// diverged must show.

fn is_nan(x: f32) -> bool {
    return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}

// Whether x > y; not where one of them is NaN.
fn is_greater(x: f32, y: f32) -> bool {
    return x > y && !is_nan(x) && !is_nan(y);
}

// exp(x), whatever a device makes of the exponential of NaN.
fn exponential(x: f32) -> f32 {
    return select(exp(x), x, is_nan(x));
}
