//! `floret doctor`: what is wrong with a data set, before a network is trained on it.

use crate::memory::MemoryArguments;
use crate::output::{print_json, say};
use crate::photos::{PhotosArguments, load_grouped, warn};
use clap::Args;
use floret::data::doctor::{self, Pictures};
use floret::data::edits::named;
use floret::data::library::{ClassCount, Library};
use floret::data::photo::{PhotoId, Skipped};
use floret::data::split::Ratios;
use floret::data::warnings::Warning;
use floret::error::Result;
use floret::report::lines::Language;
use serde::Serialize;
use std::path::PathBuf;

/// Seed of the split that the photos are counted by.
const SEED: u64 = 1;

/// Arguments of `floret doctor`.
#[derive(Args)]
pub struct DoctorArguments {
    /// Folder of class folders, or a .zip, .tar or .tgz of the same.
    photos: PathBuf,
    /// Pixels a side of the network's input: smaller photos are tiny.
    #[arg(long, default_value_t = 64)]
    input: usize,
    #[command(flatten)]
    loading: PhotosArguments,
    #[command(flatten)]
    memory: MemoryArguments,
    /// Print what was found as JSON on stdout: every photo with the id that a file of edits names it by.
    #[arg(long)]
    json: bool,
}

/// A photo, as a file of edits names it and as a person does.
#[derive(Serialize)]
struct Found {
    id: PhotoId,
    came_with: Option<String>,
    class: Option<String>,
    name: String,
}

#[derive(Serialize)]
struct Findings {
    photos: usize,
    removed: usize,
    classes: Vec<ClassCount>,
    warnings: Vec<Warning>,
    conflicts: Vec<Vec<Found>>,
    near_duplicates: Vec<Vec<Found>>,
    series: Vec<Vec<Found>>,
    blank: Vec<Found>,
    tiny: Vec<Found>,
    unlabelled: Vec<Found>,
    small_classes: Vec<String>,
    imbalance: Option<[String; 2]>,
    duplicates: Vec<String>,
    skipped: Vec<Skipped>,
}

/// Runs `floret doctor`.
pub fn run(arguments: &DoctorArguments) -> Result<()> {
    let DoctorArguments { photos, input, loading, memory, json } = arguments;
    let (mut library, loaded, groups) =
        load_grouped(photos, *input, memory.bytes(), loading, Language::En)?;
    library.assign_splits(SEED, &Ratios::default())?;
    let warnings = warn(&library, &groups, Language::En);
    let pictures = Pictures::in_groups(&library, groups);
    let report = doctor::report(&library, &pictures, &loaded.skipped, &loaded.duplicates, *input);
    let one = |index: usize| found(&library, index);
    let some = |indices: &[usize]| indices.iter().map(|&index| one(index)).collect();
    let groups = |groups: &[Vec<usize>]| groups.iter().map(|group| some(group)).collect();
    let removed = library.removed().count();
    let findings = Findings {
        photos: library.photos().len() - removed,
        removed,
        warnings,
        conflicts: groups(&report.conflicts),
        near_duplicates: groups(&report.near_duplicates),
        series: groups(&report.series),
        blank: some(&report.blank),
        tiny: some(&report.tiny),
        unlabelled: some(&report.unlabelled),
        classes: report.classes,
        small_classes: report.small_classes,
        imbalance: report.imbalance,
        duplicates: report.duplicates,
        skipped: report.skipped,
    };
    if *json {
        return print_json(&findings);
    }
    print(&findings);
    Ok(())
}

fn found(library: &Library, index: usize) -> Found {
    let photo = &library.photos()[index];
    let edited = named(library, index);
    Found {
        id: edited.id,
        came_with: edited.came_with,
        class: photo.label.clone(),
        name: photo.name.clone(),
    }
}

fn print(findings: &Findings) {
    say!("{} photos in {} classes", findings.photos, findings.classes.len());
    for ClassCount { label, total, train, validation, test } in &findings.classes {
        say!("  {label}: {total} ({train} to learn from, {validation} to watch, {test} to test)");
    }
    if findings.removed > 0 {
        say!("Left out by hand: {}", findings.removed);
    }
    print_groups("Pictures that lie in several classes", &findings.conflicts);
    print_groups("Groups of nearly the same picture", &findings.near_duplicates);
    print_groups("Series, kept on one side of the split", &findings.series);
    print_photos("Photos of one colour", &findings.blank);
    print_photos("Photos smaller than the network's input", &findings.tiny);
    print_photos("Photos without a class", &findings.unlabelled);
    if !findings.duplicates.is_empty() {
        say!("Copies that were left out: {}", findings.duplicates.len());
    }
    if !findings.small_classes.is_empty() {
        say!("Classes of few photos: {}", findings.small_classes.join(", "));
    }
    if let Some([most, least]) = &findings.imbalance {
        say!("Uneven classes: `{most}` has more than three times the photos of `{least}`");
    }
}

fn print_groups(title: &str, groups: &[Vec<Found>]) {
    if groups.is_empty() {
        return;
    }
    say!("{title}: {}", groups.len());
    for group in groups {
        say!("  {}", group.iter().map(words).collect::<Vec<_>>().join(", "));
    }
}

fn print_photos(title: &str, photos: &[Found]) {
    if photos.is_empty() {
        return;
    }
    say!("{title}: {}", photos.len());
    photos.iter().for_each(|photo| say!("  {}", words(photo)));
}

fn words(photo: &Found) -> String {
    let class = photo.class.as_deref().unwrap_or("no class");
    format!("{} ({class})", photo.name)
}
