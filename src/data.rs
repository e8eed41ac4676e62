//! Labelled photos: decoding, resizing, splits, batches, augmentation.
//!
//! Files come from folders or an [`archive`], told apart by their first bytes ([`image_kind`]). A photo file becomes
//! RGBA bytes of one square size ([`resize`]) in a [`library`]; its content hash ([`photo`]) is its identity. [`split`]
//! holds part of the photos back, [`batches`] orders the rest, [`augment`] varies them. [`duplicates`],
//! [`series`] and the [`doctor`] tell what is wrong with a data set, [`mirror`] whether left and right matter in it.

pub mod archive;
pub mod augment;
pub mod batches;
pub mod decode;
pub mod doctor;
pub mod duplicates;
pub mod edits;
#[cfg(feature = "cli")]
pub mod folder;
pub mod groups;
pub mod image_kind;
pub mod intake;
pub mod layout;
pub mod library;
pub mod mirror;
pub mod names;
pub mod photo;
pub mod resize;
pub mod series;
pub mod split;
pub mod warnings;
