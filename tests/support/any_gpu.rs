//! An executor on whatever adapter this machine or browser has, software included.
#![allow(dead_code, unused_macros, unused_imports, reason = "each suite uses its own part")]

use floret::backend::gpu::{GpuBackend, GpuOptions};

/// `None`, said aloud, where there is no adapter. CI has one, natively and in its browser, so there that is a failure.
pub async fn open_any_gpu() -> Option<GpuBackend> {
    open(GpuOptions { allow_software: true, ..GpuOptions::default() }).await
}

/// One executor for each choice of shaders: a software adapter has its own and those of a GPU, a GPU the latter alone.
pub async fn open_with_each_shaders() -> Vec<GpuBackend> {
    let Some(backend) = open_any_gpu().await else { return Vec::new() };
    let software = backend.adapter().software;
    let mut backends = vec![backend];
    if software {
        backends.extend(open(GpuOptions { allow_software: true, shaders_of_a_gpu: true }).await);
    }
    backends
}

async fn open(options: GpuOptions) -> Option<GpuBackend> {
    // A browser has no environment: there, that of the build counts.
    let ci = std::env::var("CI").ok().or(option_env!("CI").map(str::to_string));
    match GpuBackend::new(options).await {
        Ok(backend) => Some(backend),
        Err(error) if ci.as_deref() == Some("true") => panic!("{error}"),
        Err(error) => {
            println!("skipped: no GPU adapter ({error})");
            None
        }
    }
}

/// The same for suites that only run natively.
pub fn any_gpu() -> Option<GpuBackend> {
    pollster::block_on(open_any_gpu())
}

/// Makes tests of async functions: natively they block, in a browser they are promises.
macro_rules! device_tests {
    ($($name:ident),+ $(,)?) => {
        #[cfg(not(target_arch = "wasm32"))]
        mod native {
            $(#[test]
            fn $name() {
                pollster::block_on(super::$name());
            })+
        }
        #[cfg(target_arch = "wasm32")]
        mod web {
            $(#[wasm_bindgen_test::wasm_bindgen_test]
            async fn $name() {
                super::$name().await;
            })+
        }
    };
}
pub(crate) use device_tests;
