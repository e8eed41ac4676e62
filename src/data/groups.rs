//! Photos that a split keeps together: near-duplicates, and series.

use super::duplicates::{self, Signature};
use super::library::Library;
use super::photo::PhotoId;
use super::series;
use crate::error::Result;

/// The least correlation of the details of one picture in two classes, where left and right tell classes apart.
const SAME: f32 = 0.95;

/// What was found, as photo indices; a photo may lie in a group of either kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Groups {
    /// Photos that show the same picture.
    pub near_duplicates: Vec<Vec<usize>>,
    /// Photos of one series, in the order of time.
    pub series: Vec<Vec<usize>>,
}

/// Finds the groups of a library and records for each photo which it belongs to, so that a split keeps them on one
/// side. Run it before [`Library::assign_splits`].
///
/// # Errors
/// None in practice: the library's photos have the size that it says.
pub fn record(library: &mut Library) -> Result<Groups> {
    let size = library.stored_size();
    let signatures: Vec<Signature> = (0..library.photos().len())
        .filter_map(|index| library.photo_pixels(index))
        .map(|pixels| Signature::of(pixels, size))
        .collect::<Result<_>>()?;
    // An arrow to the left is no copy of one to the right.
    let mirrored = library.record_mirror()?.allowed;
    let groups = Groups {
        near_duplicates: duplicates::groups_by(signatures.len(), |one, other| {
            let [a, b] = [one, other].map(|photo| &signatures[photo]);
            let photos = library.photos();
            // Signs that left and right tell apart are alike in all but that: what is of two classes must be the very picture.
            let is_kept_apart = !mirrored && photos[one].label != photos[other].label;
            a.resembles(b, mirrored) && (!is_kept_apart || a.correlation(b, false) >= SAME)
        }),
        series: series::find(library, &signatures),
    };
    library.set_groups(&joined(library, &groups));
    Ok(groups)
}

/// For each photo the id of the first photo that it is connected to, where it is to any.
fn joined(library: &Library, groups: &Groups) -> Vec<Option<PhotoId>> {
    let photos = library.photos();
    let mut parents: Vec<usize> = (0..photos.len()).collect();
    let mut is_member = vec![false; photos.len()];
    for group in groups.near_duplicates.iter().chain(&groups.series) {
        for &photo in group {
            is_member[photo] = true;
            duplicates::join(&mut parents, group[0], photo);
        }
    }
    let roots: Vec<usize> =
        (0..photos.len()).map(|photo| duplicates::root(&mut parents, photo)).collect();
    let mut first: Vec<Option<PhotoId>> = vec![None; photos.len()];
    for (photo, &root) in roots.iter().enumerate() {
        let id = photos[photo].id;
        first[root] = Some(first[root].map_or(id, |other| other.min(id)));
    }
    (0..photos.len()).map(|photo| first[roots[photo]].filter(|_| is_member[photo])).collect()
}
