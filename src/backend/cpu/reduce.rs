//! Sums over pixels, channel by channel.

pub(crate) mod channel_sums;
pub(crate) mod pixel_runs;
