//! A bound on the memory that photos take while they are decoded, over all threads.

use std::sync::{Condvar, Mutex, MutexGuard};

/// Bytes that all threads together decode into; one photo alone may take more.
const MOST: u64 = if cfg!(target_arch = "wasm32") { 256 << 20 } else { 2 << 30 };

static HELD: Mutex<u64> = Mutex::new(0);
static RELEASED: Condvar = Condvar::new();

/// Memory held for one photo; given back when dropped.
pub struct Held(u64);

/// Waits until so many bytes are free, or nobody else holds any.
pub fn hold(bytes: u64) -> Held {
    let mut held = lock();
    while *held > 0 && *held + bytes > MOST {
        held = RELEASED.wait(held).unwrap_or_else(|poisoned| poisoned.into_inner());
    }
    *held += bytes;
    Held(bytes)
}

impl Drop for Held {
    fn drop(&mut self) {
        *lock() -= self.0;
        RELEASED.notify_all();
    }
}

/// The count is whole whatever happened to the thread that changed it last.
fn lock() -> MutexGuard<'static, u64> {
    HELD.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_given_back_and_one_photo_may_take_more() {
        let small = hold(1);
        let more = hold(1);
        drop((small, more));
        drop(hold(MOST + 1));
        assert_eq!(hold(7).0, 7);
    }
}
