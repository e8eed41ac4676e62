//! The device: which adapter is taken and why, its limits, and whether it was lost or has failed.

use crate::error::{Error, Name, Result, Words};
use std::sync::{Arc, Mutex, PoisonError};

/// The options of a GPU executor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GpuOptions {
    /// Whether an adapter that is only a program on the CPU will do. It is many times slower than the CPU executor, so only
    /// tests ask for it.
    pub allow_software: bool,
    /// Whether a software adapter gets the shaders that a GPU gets, which are slower there. Only tests of those ask for it.
    pub shaders_of_a_gpu: bool,
}

/// Which shaders a device is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shaders {
    /// These are for a GPU: tiles in workgroup memory, and passes fused over barriers.
    Tiled,
    /// These are for a software adapter, which runs a workgroup's invocations on a processor: barriers and workgroup memory
    /// cost more there than they save, so there are neither tiles nor fused passes.
    Direct,
}

/// An adapter in words for people.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct AdapterSummary {
    /// Its name, as far as the browser or the driver tells.
    pub name: String,
    /// The programming interface beneath: `WebGPU`, `Vulkan`, `Metal`, `DX12`.
    pub interface: String,
    /// Whether it is only a program on the CPU.
    pub software: bool,
}

impl AdapterSummary {
    /// Describes an adapter; `words` name it where its information does not.
    fn new(info: &wgpu::AdapterInfo, words: Option<String>) -> Self {
        let name = [&info.name, &info.driver, &info.driver_info]
            .into_iter()
            .find(|text| !text.is_empty())
            .cloned()
            .or(words)
            .unwrap_or_else(|| "unnamed adapter".into());
        let interface = match info.backend {
            wgpu::Backend::BrowserWebGpu => "WebGPU",
            wgpu::Backend::Vulkan => "Vulkan",
            wgpu::Backend::Metal => "Metal",
            wgpu::Backend::Dx12 => "DX12",
            _ => "GPU",
        };
        let lower = name.to_lowercase();
        let software = info.device_type == wgpu::DeviceType::Cpu
            || ["swiftshader", "llvmpipe", "lavapipe", "basic render"]
                .into_iter()
                .any(|known| lower.contains(known));
        Self { name, interface: interface.into(), software }
    }
}

/// Names interface and adapter: `WebGPU, NVIDIA …`.
impl std::fmt::Display for AdapterSummary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, {}", self.interface, self.name)
    }
}

fn instance() -> wgpu::Instance {
    wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle())
}

/// Returns the adapter that the system or browser offers first, a hardware one where there is one; `None` where there is no
/// WebGPU. Whether the executor takes it, [`GpuOptions`] says.
pub async fn offered_adapter() -> Option<AdapterSummary> {
    let adapter = request_adapter(&instance()).await.ok()?;
    Some(AdapterSummary::new(&adapter.get_info(), browser_words().await))
}

async fn request_adapter(instance: &wgpu::Instance) -> Result<wgpu::Adapter> {
    let options = wgpu::RequestAdapterOptions {
        power_preference: wgpu::PowerPreference::HighPerformance,
        ..Default::default()
    };
    instance.request_adapter(&options).await.map_err(|error| Error::Device {
        device: "WebGPU".into(),
        problem: Words::of("problem.no_adapter"),
        remedy: Words::of("remedy.processor_everywhere"),
        detail: error.to_string(),
    })
}

/// Asks for vendor and architecture, such as `google swiftshader`: a browser tells no more of an adapter, and wgpu leaves it
/// out.
#[cfg(target_arch = "wasm32")]
async fn browser_words() -> Option<String> {
    use js_sys::{Function, Object, Promise, Reflect};
    use wasm_bindgen::{JsCast, JsValue};
    let get = |object: &JsValue, key: &str| Reflect::get(object, &key.into()).ok();
    let gpu = get(&get(&js_sys::global(), "navigator")?, "gpu")?;
    let options = Object::new();
    Reflect::set(&options, &"powerPreference".into(), &"high-performance".into()).ok()?;
    let request: Function = get(&gpu, "requestAdapter")?.dyn_into().ok()?;
    let promise: Promise = request.call1(&gpu, &options).ok()?.dyn_into().ok()?;
    let adapter = wasm_bindgen_futures::JsFuture::from(promise).await.ok()?;
    let info = get(&adapter, "info")?;
    let words: Vec<String> = ["vendor", "architecture"]
        .into_iter()
        .filter_map(|key| get(&info, key)?.as_string())
        .filter(|word| !word.is_empty())
        .collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// Returns nothing, since natively the driver names the adapter.
#[cfg(not(target_arch = "wasm32"))]
async fn browser_words() -> Option<String> {
    None
}

/// The failures that a device's callbacks have reported.
#[derive(Debug, Default)]
struct Status {
    /// Why the device was lost, if it was.
    lost: Option<String>,
    /// The first error that no scope caught.
    failure: Option<String>,
}

/// An open device with its queue.
#[derive(Debug)]
pub(super) struct Device {
    pub handle: wgpu::Device,
    pub queue: wgpu::Queue,
    pub limits: wgpu::Limits,
    pub adapter: AdapterSummary,
    pub shaders: Shaders,
    status: Arc<Mutex<Status>>,
}

impl Device {
    /// Opens the adapter that the options allow, with all the buffer size that it has.
    pub async fn open(options: &GpuOptions) -> Result<Self> {
        let adapter = request_adapter(&instance()).await?;
        let summary = AdapterSummary::new(&adapter.get_info(), browser_words().await);
        if summary.software && !options.allow_software {
            return Err(Error::Device {
                device: summary.to_string().into(),
                problem: Words::of("problem.software_adapter"),
                remedy: Words::of("remedy.hardware"),
                detail: String::new(),
            });
        }
        let offered = adapter.limits();
        let required_limits = wgpu::Limits {
            max_buffer_size: offered.max_buffer_size,
            max_storage_buffer_binding_size: offered.max_storage_buffer_binding_size,
            ..wgpu::Limits::default()
        };
        // Time stamps are for measuring alone: where there are none, nothing else is missing.
        let required_features = adapter.features() & wgpu::Features::TIMESTAMP_QUERY;
        let descriptor =
            wgpu::DeviceDescriptor { required_limits, required_features, ..Default::default() };
        let (handle, queue) =
            adapter.request_device(&descriptor).await.map_err(|error| Error::Device {
                device: summary.to_string().into(),
                problem: Words::of("problem.device_refused"),
                remedy: Words::of("remedy.close_programs"),
                detail: error.to_string(),
            })?;
        let status = Arc::new(Mutex::new(Status::default()));
        let reported = Arc::clone(&status);
        handle.set_device_lost_callback(move |reason, message| {
            let mut status = reported.lock().unwrap_or_else(PoisonError::into_inner);
            status.lost.get_or_insert_with(|| format!("{reason:?}: {message}"));
        });
        let reported = Arc::clone(&status);
        handle.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            let mut status = reported.lock().unwrap_or_else(PoisonError::into_inner);
            status.failure.get_or_insert_with(|| error.to_string());
        }));
        let limits = handle.limits();
        let shaders = match summary.software && !options.shaders_of_a_gpu {
            true => Shaders::Direct,
            false => Shaders::Tiled,
        };
        Ok(Self { handle, queue, limits, adapter: summary, shaders, status })
    }

    /// Returns an error where the device is lost or has failed since it was opened.
    pub fn check(&self) -> Result<()> {
        let status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(detail) = &status.lost {
            return Err(self.gone(detail.clone()));
        }
        match &status.failure {
            Some(detail) => Err(self.error(Words::of("problem.device_failed"), detail.clone())),
            None => Ok(()),
        }
    }

    /// Marks the device as lost and returns the error. A browser breaks off reads before it reports the loss that broke them
    /// off.
    pub fn lost(&self, detail: String) -> Error {
        let mut status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        let detail = status.lost.get_or_insert(detail).clone();
        self.gone(detail)
    }

    fn gone(&self, detail: String) -> Error {
        Error::DeviceLost { device: self.name(), reason: Words::of("reason.device_gone"), detail }
    }

    /// Makes a device error with this device's name; `detail` is what the driver says.
    pub fn error(&self, problem: Words, detail: impl std::fmt::Display) -> Error {
        Error::Device {
            device: self.name(),
            problem,
            remedy: Words::of("remedy.start_again"),
            detail: detail.to_string(),
        }
    }

    /// Returns the device's name as it may be shown.
    pub fn name(&self) -> Name {
        self.adapter.to_string().into()
    }

    /// Returns a function that destroys the device; everything after it fails with [`Error::DeviceLost`].
    pub fn destroyer(&self) -> impl Fn() + use<> {
        let (status, handle) = (Arc::clone(&self.status), self.handle.clone());
        move || {
            let mut status = status.lock().unwrap_or_else(PoisonError::into_inner);
            status.lost.get_or_insert_with(|| "destroyed".into());
            drop(status);
            handle.destroy();
        }
    }

    /// Natively, runs the callbacks of finished work; a browser runs them by itself.
    pub fn poll(&self) -> Result<()> {
        self.poll_as(wgpu::PollType::Poll)
    }

    /// Natively, waits for a submission; in a browser its callback does.
    pub fn wait_for(&self, submission: wgpu::SubmissionIndex) -> Result<()> {
        self.poll_as(wgpu::PollType::Wait { submission_index: Some(submission), timeout: None })
    }

    fn poll_as(&self, kind: wgpu::PollType) -> Result<()> {
        let polled = self.handle.poll(kind).map(|_| ()).map_err(|error| error.to_string());
        self.check()?;
        polled.map_err(|detail| self.error(Words::of("problem.device_failed"), detail))
    }
}
