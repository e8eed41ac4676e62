//! Labelled photos: decoding, resizing, splits, batches, augmentation.
//!
//! A photo file becomes RGBA bytes of one square size ([`resize`]) in a [`library`]; its content hash ([`photo`]) is
//! its identity. [`split`] holds part of the photos back, [`batches`] orders the rest, [`augment`] varies them.
//! [`draw`] makes pictures where there are no photos.

pub mod augment;
pub mod batches;
pub mod draw;
pub mod library;
pub mod photo;
pub mod resize;
pub mod split;
