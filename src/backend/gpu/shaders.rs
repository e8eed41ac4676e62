//! The shaders: fixed text from `shaders/`, a file a kernel, with the shared parts that each one needs in front.

const STEP: &str = include_str!("../../../shaders/shared/step.wgsl");
const ACTIVATION: &str = include_str!("../../../shaders/shared/activation.wgsl");
const NAN: &str = include_str!("../../../shaders/shared/nan.wgsl");
const RANDOM: &str = include_str!("../../../shaders/shared/random.wgsl");
const POOLING: &str = include_str!("../../../shaders/shared/pooling.wgsl");
const MOMENTS: &str = include_str!("../../../shaders/shared/moments.wgsl");
const SOFTMAX: &str = include_str!("../../../shaders/shared/softmax.wgsl");
const CONVOLUTION: &str = include_str!("../../../shaders/shared/convolution.wgsl");
const PRODUCT: &str = include_str!("../../../shaders/shared/product.wgsl");
const WINDOWS: &str = include_str!("../../../shaders/shared/windows.wgsl");
const WINDOW_NUMBERS: &str = include_str!("../../../shaders/shared/window_numbers.wgsl");
const PHASES: &str = include_str!("../../../shaders/shared/phases.wgsl");
const NORMALIZE: &str = include_str!("../../../shaders/shared/normalize.wgsl");
const PARTS: &str = include_str!("../../../shaders/shared/parts.wgsl");
const WEIGHT_PARTS: &str = include_str!("../../../shaders/shared/weight_parts.wgsl");
const DIRECT: &str = include_str!("../../../shaders/shared/direct.wgsl");
const DIRECT_WINDOWS: &str = include_str!("../../../shaders/shared/direct_windows.wgsl");

/// A kernel's shader.
#[derive(Debug)]
pub(super) struct Shader {
    /// The kernel's name.
    pub name: &'static str,
    /// Shared parts, put in front.
    shared: &'static [&'static str],
    /// The kernel's own file.
    own: &'static str,
}

impl Shader {
    /// The whole text.
    pub fn text(&self) -> String {
        self.shared.iter().chain([&self.own]).copied().collect::<Vec<_>>().join("\n")
    }
}

/// The shader of a kernel, or the probe.
pub(super) fn shader(name: &str) -> Option<&'static Shader> {
    SHADERS.iter().chain(&DIRECT_SHADERS).chain([&PROBE]).find(|shader| shader.name == name)
}

/// Measures the device; no kernel.
pub(super) static PROBE: Shader = Shader {
    name: "multiply_add",
    shared: &[STEP],
    own: include_str!("../../../shaders/probe/multiply_add.wgsl"),
};

/// Those of `Shaders::Direct` in place of the kernels' own.
pub(super) static DIRECT_SHADERS: [Shader; 3] = [
    Shader {
        name: "direct/conv2d_forward",
        shared: &[STEP, NAN, ACTIVATION, CONVOLUTION, NORMALIZE, WINDOWS, DIRECT, DIRECT_WINDOWS],
        own: include_str!("../../../shaders/direct/conv2d_forward.wgsl"),
    },
    Shader {
        name: "direct/conv2d_backward_input",
        shared: &[STEP, NAN, ACTIVATION, CONVOLUTION, PHASES, DIRECT, DIRECT_WINDOWS],
        own: include_str!("../../../shaders/direct/conv2d_backward_input.wgsl"),
    },
    Shader {
        name: "direct/conv2d_backward_weight",
        shared: &[STEP, CONVOLUTION, WEIGHT_PARTS, WINDOWS, DIRECT],
        own: include_str!("../../../shaders/direct/conv2d_backward_weight.wgsl"),
    },
];

/// All shaders, by kernel.
pub(super) static SHADERS: [Shader; 26] = [
    Shader {
        name: "prepare_batch",
        shared: &[STEP],
        own: include_str!("../../../shaders/prepare_batch.wgsl"),
    },
    Shader {
        name: "conv2d_forward",
        shared: &[
            STEP,
            NAN,
            ACTIVATION,
            CONVOLUTION,
            NORMALIZE,
            PARTS,
            PRODUCT,
            WINDOWS,
            WINDOW_NUMBERS,
        ],
        own: include_str!("../../../shaders/conv2d_forward.wgsl"),
    },
    Shader {
        name: "conv2d_backward_input",
        shared: &[STEP, NAN, ACTIVATION, CONVOLUTION, PARTS, PRODUCT, PHASES],
        own: include_str!("../../../shaders/conv2d_backward_input.wgsl"),
    },
    Shader {
        name: "conv2d_backward_weight",
        shared: &[STEP, CONVOLUTION, WEIGHT_PARTS, PRODUCT, WINDOWS, WINDOW_NUMBERS],
        own: include_str!("../../../shaders/conv2d_backward_weight.wgsl"),
    },
    Shader {
        name: "max_pool_forward",
        shared: &[STEP, NAN, POOLING],
        own: include_str!("../../../shaders/max_pool_forward.wgsl"),
    },
    Shader {
        name: "max_pool_backward",
        shared: &[STEP, POOLING],
        own: include_str!("../../../shaders/max_pool_backward.wgsl"),
    },
    Shader {
        name: "avg_pool_forward",
        shared: &[STEP, POOLING],
        own: include_str!("../../../shaders/avg_pool_forward.wgsl"),
    },
    Shader {
        name: "avg_pool_backward",
        shared: &[STEP, POOLING],
        own: include_str!("../../../shaders/avg_pool_backward.wgsl"),
    },
    Shader {
        name: "batch_norm_statistics",
        shared: &[STEP, MOMENTS],
        own: include_str!("../../../shaders/batch_norm_statistics.wgsl"),
    },
    Shader {
        name: "batch_norm_running",
        shared: &[STEP],
        own: include_str!("../../../shaders/batch_norm_running.wgsl"),
    },
    Shader {
        name: "batch_norm_normalize",
        shared: &[STEP, NAN, ACTIVATION, MOMENTS],
        own: include_str!("../../../shaders/batch_norm_normalize.wgsl"),
    },
    Shader {
        name: "batch_norm_backward_reduce",
        shared: &[STEP, NAN, ACTIVATION],
        own: include_str!("../../../shaders/batch_norm_backward_reduce.wgsl"),
    },
    Shader {
        name: "batch_norm_backward_input",
        shared: &[STEP, NAN, ACTIVATION],
        own: include_str!("../../../shaders/batch_norm_backward_input.wgsl"),
    },
    Shader {
        name: "activation_forward",
        shared: &[STEP, NAN, ACTIVATION],
        own: include_str!("../../../shaders/activation_forward.wgsl"),
    },
    Shader {
        name: "activation_backward",
        shared: &[STEP, NAN, ACTIVATION],
        own: include_str!("../../../shaders/activation_backward.wgsl"),
    },
    Shader {
        name: "add_forward",
        shared: &[STEP, NAN, ACTIVATION],
        own: include_str!("../../../shaders/add_forward.wgsl"),
    },
    Shader {
        name: "add_backward",
        shared: &[STEP],
        own: include_str!("../../../shaders/add_backward.wgsl"),
    },
    Shader {
        name: "concat_forward",
        shared: &[STEP],
        own: include_str!("../../../shaders/concat_forward.wgsl"),
    },
    Shader {
        name: "concat_backward",
        shared: &[STEP],
        own: include_str!("../../../shaders/concat_backward.wgsl"),
    },
    Shader {
        name: "dropout",
        shared: &[STEP, RANDOM],
        own: include_str!("../../../shaders/dropout.wgsl"),
    },
    Shader {
        name: "noise",
        shared: &[STEP, RANDOM],
        own: include_str!("../../../shaders/noise.wgsl"),
    },
    Shader {
        name: "softmax_cross_entropy",
        shared: &[STEP, NAN, SOFTMAX],
        own: include_str!("../../../shaders/softmax_cross_entropy.wgsl"),
    },
    Shader {
        name: "softmax",
        shared: &[STEP, NAN, SOFTMAX],
        own: include_str!("../../../shaders/softmax.wgsl"),
    },
    Shader { name: "adam", shared: &[STEP], own: include_str!("../../../shaders/adam.wgsl") },
    Shader { name: "sgd", shared: &[STEP], own: include_str!("../../../shaders/sgd.wgsl") },
    Shader {
        name: "average_weights",
        shared: &[STEP],
        own: include_str!("../../../shaders/average_weights.wgsl"),
    },
];

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;

    #[test]
    fn every_shader_is_valid() {
        for shader in SHADERS.iter().chain(&DIRECT_SHADERS).chain([&PROBE]) {
            let text = shader.text();
            let module = match naga::front::wgsl::parse_str(&text) {
                Ok(module) => module,
                Err(error) => panic!("{}: {}", shader.name, error.emit_to_string(&text)),
            };
            let mut validator = naga::valid::Validator::new(
                naga::valid::ValidationFlags::all(),
                naga::valid::Capabilities::empty(),
            );
            if let Err(error) = validator.validate(&module) {
                panic!("{}: {}", shader.name, error.emit_to_string(&text));
            }
        }
    }

    #[test]
    fn every_file_is_in_the_table() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/shaders");
        let names = |prefix: &str| -> Vec<String> {
            std::fs::read_dir(format!("{folder}/{prefix}"))
                .unwrap()
                .map(|entry| entry.unwrap().path())
                .filter(|path| path.extension().is_some_and(|extension| extension == "wgsl"))
                .map(|path| format!("{prefix}{}", path.file_stem().unwrap().to_string_lossy()))
                .collect()
        };
        let mut files = [names(""), names("direct/")].concat();
        let shaders = SHADERS.iter().chain(&DIRECT_SHADERS);
        let mut table: Vec<String> = shaders.map(|shader| shader.name.into()).collect();
        files.sort();
        table.sort();
        assert_eq!(files, table);
    }
}
