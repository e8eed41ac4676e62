//! Copies of a few numbers, many times over: the channels of a pixel.
//!
//! A copy of a length that is known only when it runs is a call, and costs more than what it copies. Lengths that are
//! frequent, those of the inception modules, are loads and stores on the spot.

/// Copies `from` to `to`, of the same length.
///
/// # Panics
/// Where the lengths differ.
#[inline(always)]
pub(crate) fn short_copy(from: &[f32], to: &mut [f32]) {
    assert_eq!(from.len(), to.len());
    match to.len() {
        4 => fixed::<4>(from, to),
        6 => fixed::<6>(from, to),
        8 => fixed::<8>(from, to),
        12 => fixed::<12>(from, to),
        16 => fixed::<16>(from, to),
        20 => fixed::<20>(from, to),
        _ => to.copy_from_slice(from),
    }
}

#[inline(always)]
fn fixed<const LEN: usize>(from: &[f32], to: &mut [f32]) {
    if let (Some(from), Some(to)) = (from.first_chunk::<LEN>(), to.first_chunk_mut::<LEN>()) {
        *to = *from;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_any_length() {
        let from: Vec<f32> = (0..40).map(|x| x as f32).collect();
        for len in 0..40 {
            let mut to = [-1.0; 40];
            short_copy(&from[..len], &mut to[..len]);
            assert_eq!(to[..len], from[..len]);
            assert!(to[len..].iter().all(|&x| x == -1.0));
        }
    }
}
