#import nan

// Activations by number: 0 none, 1 ReLU, 2 sigmoid, 3 tanh, as src/backend/gpu/constants.rs numbers them. NaN stays NaN.
// Arguments are clamped where the function is flat, so that no exponential overflows.

fn activate4(x: vec4<f32>, activation: u32) -> vec4<f32> {
    switch activation {
        case 1u: {
            // The bits of the negative numbers, and of no NaN.
            let negative = bitcast<vec4<u32>>(x) - vec4<u32>(0x80000000u) <= vec4<u32>(0x7f800000u);
            return select(x, vec4<f32>(0.0), negative);
        }
        case 2u, 3u: {
            return vec4<f32>(
                activate(x.x, activation),
                activate(x.y, activation),
                activate(x.z, activation),
                activate(x.w, activation),
            );
        }
        default: { return x; }
    }
}

// The derivative of the activation where its value is y.
fn derivative4(y: vec4<f32>, activation: u32) -> vec4<f32> {
    switch activation {
        case 1u: { return select(vec4<f32>(0.0), vec4<f32>(1.0), y > vec4<f32>(0.0)); }
        case 2u: { return y * (1.0 - y); }
        case 3u: { return 1.0 - y * y; }
        default: { return vec4<f32>(1.0); }
    }
}

fn activate(x: f32, activation: u32) -> f32 {
    switch activation {
        case 1u: { return select(x, 0.0, bitcast<u32>(x) - 0x80000000u <= 0x7f800000u); }
        case 2u: { return select(1.0 / (1.0 + exp(-clamp(x, -80.0, 80.0))), x, is_nan(x)); }
        case 3u: { return select(tanh(clamp(x, -15.0, 15.0)), x, is_nan(x)); }
        default: { return x; }
    }
}

fn derivative(y: f32, activation: u32) -> f32 {
    switch activation {
        case 1u: { return select(0.0, 1.0, y > 0.0); }
        case 2u: { return y * (1.0 - y); }
        case 3u: { return 1.0 - y * y; }
        default: { return 1.0; }
    }
}
