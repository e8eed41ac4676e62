//! The order in which an epoch visits the training photos: a pure function of seed and epoch, so that a run stopped in
//! the middle of an epoch goes on from its position.

use crate::rng::{Random, Stream};

/// The photos of `epoch` in the order they are visited: a shuffle of `photos` (indices in the library).
///
/// ```
/// use floret::data::batches::{batch, epoch_order};
/// let order = epoch_order(&[3, 5, 8], 1, 0);
/// assert_eq!(order, epoch_order(&[3, 5, 8], 1, 0));
/// assert_eq!(batch(&order, 2, 2).len(), 1);
/// ```
pub fn epoch_order(photos: &[usize], seed: u64, epoch: u32) -> Vec<usize> {
    let mut order = photos.to_vec();
    Random::new(seed, Stream::Shuffle, 0, epoch).shuffle(&mut order, 0);
    order
}

/// The batch that starts at `position` of the order: `batch_size` photos, fewer at the end, none past it.
pub fn batch(order: &[usize], position: usize, batch_size: usize) -> &[usize] {
    let start = position.min(order.len());
    &order[start..start.saturating_add(batch_size).min(order.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_epoch_visits_every_photo_once_in_an_order_of_its_own() {
        let photos: Vec<usize> = (10..60).collect();
        let mut seen = Vec::new();
        for epoch in 0..3 {
            let order = epoch_order(&photos, 7, epoch);
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, photos);
            assert!(!seen.contains(&order));
            seen.push(order);
        }
        assert_ne!(epoch_order(&photos, 8, 0), seen[0]);
    }

    #[test]
    fn batches_tile_the_epoch_from_any_position() {
        let order = epoch_order(&(0..23).collect::<Vec<_>>(), 1, 4);
        let tiled: Vec<usize> =
            (0..23).step_by(5).flat_map(|p| batch(&order, p, 5)).copied().collect();
        assert_eq!(tiled, order);
        assert_eq!(batch(&order, 20, 5).len(), 3);
        assert!(batch(&order, 23, 5).is_empty());
        assert!(batch(&order, usize::MAX, usize::MAX).is_empty());
    }
}
