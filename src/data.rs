//! Labelled photos: decoding, resizing, splits, batches, augmentation.
