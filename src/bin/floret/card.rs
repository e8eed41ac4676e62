//! `floret card`: what there is to know of a model, as Markdown.

use crate::device::DeviceArguments;
use crate::eval::{OTHERS_PER_KIND, OTHERS_SEED, evaluate_with_bar};
use crate::memory::MemoryArguments;
use crate::output::say;
use crate::photos::load_known;
use crate::read_file;
use clap::Args;
use floret::classify::Classifier;
use floret::data::photo::Split;
use floret::error::{Error, Result};
use floret::model_file::ModelFile;
use floret::report::card::{Card, markdown};
use std::path::PathBuf;

/// Arguments of `floret card`.
#[derive(Args)]
pub struct CardArguments {
    /// Model file.
    model: PathBuf,
    /// The photos that it was trained with: a folder of class folders, or an archive of them.
    photos: PathBuf,
    /// Where to write the card; stdout when left out.
    #[arg(long)]
    out: Option<PathBuf>,
    #[command(flatten)]
    device: DeviceArguments,
    #[command(flatten)]
    memory: MemoryArguments,
}

/// Runs the command.
pub fn run(arguments: &CardArguments) -> Result<()> {
    pollster::block_on(card(arguments))
}

async fn card(arguments: &CardArguments) -> Result<()> {
    let memory_limit = arguments.memory.bytes();
    let bytes = read_file(&arguments.model)?;
    let file = ModelFile::from_bytes(&bytes)?;
    let library = load_known(&arguments.photos, &file, memory_limit)?;
    let model = file.snapshot.model.clone();
    let mut classifier = Classifier::new(arguments.device.open()?, model, memory_limit).await?;
    let held_back = library.indices(Split::Test);
    let evaluation = evaluate_with_bar(&mut classifier, &library, &held_back).await?;
    let others = match &classifier.model.calibration {
        Some(_) => Some(classifier.judge_others(OTHERS_SEED, OTHERS_PER_KIND).await?),
        None => None,
    };
    let name = arguments.model.file_stem().map_or("model".into(), |stem| stem.to_string_lossy());
    let text = markdown(&Card {
        name: &name,
        bytes: bytes.len() as u64,
        snapshot: &file.snapshot,
        counts: &library.counts(),
        evaluation: &evaluation,
        others: others.as_ref(),
    })?;
    match &arguments.out {
        Some(path) => std::fs::write(path, text).map_err(|error| Error::file(path, &error)),
        None => {
            say!("{}", text.trim_end());
            Ok(())
        }
    }
}
