// Activations by number: 0 none, 1 ReLU, 2 sigmoid, 3 tanh; `Activation` in src/kernel.rs.
// Arguments are clamped where the function is flat, so that no exponential overflows.

fn activate4(x: vec4<f32>, activation: u32) -> vec4<f32> {
    switch activation {
        case 1u: { return max(x, vec4<f32>(0.0)); }
        case 2u: { return 1.0 / (1.0 + exp(-clamp(x, vec4<f32>(-80.0), vec4<f32>(80.0)))); }
        case 3u: { return tanh(clamp(x, vec4<f32>(-15.0), vec4<f32>(15.0))); }
        default: { return x; }
    }
}

// The slope at the point whose value is y.
fn slope4(y: vec4<f32>, activation: u32) -> vec4<f32> {
    switch activation {
        case 1u: { return select(vec4<f32>(0.0), vec4<f32>(1.0), y > vec4<f32>(0.0)); }
        case 2u: { return y * (1.0 - y); }
        case 3u: { return 1.0 - y * y; }
        default: { return vec4<f32>(1.0); }
    }
}

fn activate(x: f32, activation: u32) -> f32 {
    switch activation {
        case 1u: { return max(x, 0.0); }
        case 2u: { return 1.0 / (1.0 + exp(-clamp(x, -80.0, 80.0))); }
        case 3u: { return tanh(clamp(x, -15.0, 15.0)); }
        default: { return x; }
    }
}

fn slope(y: f32, activation: u32) -> f32 {
    switch activation {
        case 1u: { return select(0.0, 1.0, y > 0.0); }
        case 2u: { return y * (1.0 - y); }
        case 3u: { return 1.0 - y * y; }
        default: { return 1.0; }
    }
}
