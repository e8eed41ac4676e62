//! The device's own clock, which tells what each call of a plan takes without the way to the device and back.

use super::device::Device;
use super::memory::create_buffer;
use crate::error::Result;

/// How many calls are timed in one command buffer at most.
pub(super) const MOST_CALLS: usize = 64;

const STAMP: u64 = wgpu::QUERY_SIZE as u64;

/// Holds two time stamps a call.
#[derive(Debug)]
pub(super) struct Clock {
    stamps: wgpu::QuerySet,
    resolved: wgpu::Buffer,
}

impl Clock {
    /// Makes a clock; `None` where the device has no time stamps.
    pub async fn new(device: &Device) -> Result<Option<Self>> {
        if !device.handle.features().contains(wgpu::Features::TIMESTAMP_QUERY) {
            return Ok(None);
        }
        let count = 2 * MOST_CALLS as u32;
        let usage = wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC;
        let resolved =
            create_buffer(device, "time stamps", u64::from(count) * STAMP, usage, 0).await?;
        let stamps = device.handle.create_query_set(&wgpu::QuerySetDescriptor {
            label: None,
            ty: wgpu::QueryType::Timestamp,
            count,
        });
        Ok(Some(Self { stamps, resolved }))
    }

    /// Stamps the beginning and the end of a pass, for the call of that index in the command buffer.
    pub fn writes(&self, call: usize) -> wgpu::ComputePassTimestampWrites<'_> {
        wgpu::ComputePassTimestampWrites {
            query_set: &self.stamps,
            beginning_of_pass_write_index: Some(2 * call as u32),
            end_of_pass_write_index: Some(2 * call as u32 + 1),
        }
    }

    /// Ends a command buffer of `calls` timed calls. Returns the buffer that holds their stamps once that has run, and the
    /// stamps' bytes.
    pub fn resolve(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        calls: usize,
    ) -> (&wgpu::Buffer, u64) {
        encoder.resolve_query_set(&self.stamps, 0..2 * calls as u32, &self.resolved, 0);
        (&self.resolved, 2 * calls as u64 * STAMP)
    }
}

/// Returns the seconds between the two stamps of each call.
pub(super) fn seconds(device: &Device, stamps: &[u64]) -> Vec<f64> {
    let tick = f64::from(device.queue.get_timestamp_period()) * 1e-9;
    let seconds = |pair: &[u64]| pair[1].saturating_sub(pair[0]) as f64 * tick;
    stamps.chunks_exact(2).map(seconds).collect()
}
