//! Blocks of 16 numbers by value: loops over them become vector instructions of any length, since nothing can alias.

/// Numbers in a block.
pub(super) const BLOCK: usize = 16;

/// A block.
pub(super) type Block = [f32; BLOCK];

/// The block at `start`, with zeros beyond the end of `numbers`.
#[inline(always)]
pub(super) fn load(numbers: &[f32], start: usize) -> Block {
    let rest = &numbers[start..];
    if let Some(block) = rest.first_chunk::<BLOCK>() {
        return *block;
    }
    let mut block = [0.0; BLOCK];
    block[..rest.len()].copy_from_slice(rest);
    block
}

/// Stores a block at `start`, as much of it as `numbers` holds.
#[inline(always)]
pub(super) fn store(numbers: &mut [f32], start: usize, block: &Block) {
    let rest = &mut numbers[start..];
    if let Some(target) = rest.first_chunk_mut::<BLOCK>() {
        *target = *block;
    } else {
        let len = rest.len();
        rest.copy_from_slice(&block[..len]);
    }
}

/// A block of `number(lane)`.
#[inline(always)]
pub(super) fn block(number: impl Fn(usize) -> f32) -> Block {
    let mut block = [0.0; BLOCK];
    for (lane, x) in block.iter_mut().enumerate() {
        *x = number(lane);
    }
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_block_is_cut() {
        let numbers: Vec<f32> = (0..20).map(|x| x as f32).collect();
        let last = load(&numbers, 16);
        assert_eq!((last[3], last[4]), (19.0, 0.0));
        let mut copy = vec![0.0; 20];
        for start in [0, 16] {
            store(&mut copy, start, &load(&numbers, start));
        }
        assert_eq!(copy, numbers);
    }
}
