//! Photos of a folder or archive, into the library, with progress on stderr.

use clap::{Args, ValueEnum};
use floret::data::edits::Edits;
use floret::data::folder::{Loaded, Progress, load_laid_out};
use floret::data::groups::{self, Groups};
use floret::data::layout::Accepted;
use floret::data::library::Library;
use floret::data::resize::stored_size;
use floret::data::warnings::{Warning, before_training};
use floret::error::{Error, Name, Result, Words};
use floret::model_file::ModelFile;
use floret::report::lines::Language;
use floret::report::photos as words;
use indicatif::ProgressStyle;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

/// The part of the bytes that is read, since an archive does not tell how many photos it has; and how many came by then.
const PROGRESS: &str = "{prefix} {wide_bar} {binary_bytes}/{binary_total_bytes} {msg} {eta}";

/// How photos are taken in.
#[derive(Args)]
pub struct PhotosArguments {
    /// What of the data set's own arrangement to ignore: folders named train, val and test, a .csv or .tsv of labels, classes
    /// in the names of files.
    #[arg(long, value_enum, value_delimiter = ',')]
    ignore: Vec<Arrangement>,
    /// A file of changes by hand, as the page saves it: photos moved to other classes or left out, classes renamed.
    #[arg(long, visible_alias = "apply", value_name = "FILE")]
    edits: Option<PathBuf>,
}

/// What a data set may bring beside photos in class folders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Arrangement {
    /// Folders named train, val and test, or alike.
    Split,
    /// A .csv or .tsv of labels.
    Table,
    /// Classes in names of files, such as cat.0.jpg.
    Names,
}

impl PhotosArguments {
    fn accepted(&self) -> Accepted {
        let takes = |what| !self.ignore.contains(&what);
        Accepted {
            split: takes(Arrangement::Split),
            table: takes(Arrangement::Table),
            names: takes(Arrangement::Names),
        }
    }
}

/// Loads photos for an input of `input_size` pixels a side. Files that are no photos are named on stderr and skipped, and
/// how the others are laid out is said.
pub fn load(
    path: &Path,
    input_size: usize,
    memory_limit: u64,
    arguments: &PhotosArguments,
    language: Language,
) -> Result<(Library, Loaded)> {
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
    let (accepted, cancelled) = (arguments.accepted(), AtomicBool::new(false));
    let loaded =
        load_laid_out(path, &mut library, threads, accepted, &mut on_progress, &cancelled)?;
    bar.finish_and_clear();
    for skipped in &loaded.skipped {
        eprintln!("skipped {}: {}", skipped.name, skipped.reason);
    }
    for line in words::layout(&loaded.layout, language) {
        eprintln!("{line}");
    }
    if let Some(path) = &arguments.edits {
        let text = String::from_utf8_lossy(&crate::read_file(path)?).into_owned();
        Edits::from_json(&path.display().to_string(), &text)?.apply(&mut library);
    }
    if library.all_indices().is_empty() {
        return Err(Error::Data {
            problem: Words::of("problem.no_labelled_photos").with("path", Name::from(path)),
            remedy: Words::of("remedy.name_class_folders"),
        });
    }
    Ok((library, loaded))
}

/// Loads photos to be split: near-duplicates and series are known, so that a split keeps each group on one side.
pub fn load_grouped(
    path: &Path,
    input_size: usize,
    memory_limit: u64,
    arguments: &PhotosArguments,
    language: Language,
) -> Result<(Library, Loaded, Groups)> {
    let (mut library, loaded) = load(path, input_size, memory_limit, arguments, language)?;
    let groups = groups::record(&mut library)?;
    Ok((library, loaded, groups))
}

/// Says what is to be known of photos that have been split before a network is trained on them, and gives it.
pub fn warn(library: &Library, groups: &Groups, language: Language) -> Vec<Warning> {
    let warnings = before_training(library, groups);
    for warning in &warnings {
        eprintln!("{}", words::warning(warning, language));
    }
    warnings
}

/// Loads the photos of a model file's training, each in the split that it had then; the others have none.
pub fn load_known(
    path: &Path,
    file: &ModelFile,
    memory_limit: u64,
    arguments: &PhotosArguments,
) -> Result<Library> {
    let input_size = file.snapshot.model.preprocessing.input_size;
    let (mut library, _) = load(path, input_size, memory_limit, arguments, Language::En)?;
    library.restore_splits(&file.splits);
    if library.photos().iter().all(|photo| photo.split.is_none()) {
        return Err(Error::Data {
            problem: Words::of("problem.trained_with_none").with("path", Name::from(path)),
            remedy: Words::of("remedy.name_training_folder"),
        });
    }
    Ok(library)
}
