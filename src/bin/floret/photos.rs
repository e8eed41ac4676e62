//! Photos of a folder or archive, into the library, with progress on stderr.

use floret::data::folder::{Loaded, Progress, load as load_folder};
use floret::data::library::Library;
use floret::data::resize::stored_size;
use floret::error::{Error, Name, Result, Words};
use floret::model_file::ModelFile;
use indicatif::ProgressStyle;
use std::path::Path;
use std::sync::atomic::AtomicBool;

/// The part of the bytes that is read, since an archive does not tell how many photos it has; and how many came by then.
const PROGRESS: &str = "{prefix} {wide_bar} {binary_bytes}/{binary_total_bytes} {msg} {eta}";

/// Loads photos for an input of `input_size` pixels a side. Files that are no photos are named on stderr and skipped.
pub fn load(path: &Path, input_size: usize, memory_limit: u64) -> Result<(Library, Loaded)> {
    let mut library = Library::new(stored_size(input_size), memory_limit)?;
    let bar = crate::output::progress_bar(0, "photos");
    if let Ok(style) = ProgressStyle::with_template(PROGRESS) {
        bar.set_style(style);
    }
    let mut on_progress = |progress: Progress| {
        bar.set_length(progress.total_bytes);
        bar.set_position(progress.bytes);
        bar.set_message(progress.done.to_string());
    };
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let loaded =
        load_folder(path, &mut library, threads, &mut on_progress, &AtomicBool::new(false))?;
    bar.finish_and_clear();
    for skipped in &loaded.skipped {
        eprintln!("skipped {}: {}", skipped.name, skipped.reason);
    }
    if library.all_indices().is_empty() {
        return Err(Error::Data {
            problem: Words::of("problem.no_labelled_photos").with("path", Name::from(path)),
            remedy: Words::of("remedy.name_class_folders"),
        });
    }
    Ok((library, loaded))
}

/// Loads photos to be split: near-duplicates are known, so that a split keeps each group on one side.
pub fn load_grouped(
    path: &Path,
    input_size: usize,
    memory_limit: u64,
) -> Result<(Library, Loaded)> {
    let (mut library, loaded) = load(path, input_size, memory_limit)?;
    floret::data::duplicates::record(&mut library)?;
    Ok((library, loaded))
}

/// Loads the photos of a model file's training, each in the split that it had then; the others have none.
pub fn load_known(path: &Path, file: &ModelFile, memory_limit: u64) -> Result<Library> {
    let input_size = file.snapshot.model.preprocessing.input_size;
    let (mut library, _) = load(path, input_size, memory_limit)?;
    library.restore_splits(&file.splits);
    if library.photos().iter().all(|photo| photo.split.is_none()) {
        return Err(Error::Data {
            problem: Words::of("problem.trained_with_none").with("path", Name::from(path)),
            remedy: Words::of("remedy.name_training_folder"),
        });
    }
    Ok(library)
}
