// Long sums over few tiles are split, so that a large device has workgroups enough; a second pass adds the partial sums in order.

// Splits of a sum; 1 leaves it whole.
override SPLITS: u32;
// Elements from one split's partial sums to the next split's, in scratch.
override SPLIT_LEN: u32;
