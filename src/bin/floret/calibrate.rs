//! `floret calibrate`: a model file trained earlier gets its temperature and its score for "none of these".

use crate::device::DeviceArguments;
use crate::memory::MemoryArguments;
use crate::output::progress_bar;
use crate::photos::load_known;
use crate::read_file;
use clap::Args;
use floret::classify::Classifier;
use floret::data::library::Library;
use floret::error::{Error, Result};
use floret::model_file::ModelFile;
use floret::recipe::check_looks;
use std::path::PathBuf;

/// Arguments of `floret calibrate`.
#[derive(Args)]
pub struct CalibrateArguments {
    /// Model file.
    model: PathBuf,
    /// The photos that it was trained with: a folder of class folders, or an archive of them.
    photos: PathBuf,
    /// Where to write the calibrated model.
    #[arg(long)]
    out: PathBuf,
    /// What its answers look at from now on, and are the mean over: parts of each side, about the middle, such as 1,0.75; as
    /// before when left out
    #[arg(long, value_delimiter = ',')]
    looks: Option<Vec<f32>>,
    #[command(flatten)]
    device: DeviceArguments,
    #[command(flatten)]
    memory: MemoryArguments,
}

/// Runs the command.
pub fn run(arguments: &CalibrateArguments) -> Result<()> {
    pollster::block_on(calibrate(arguments))
}

async fn calibrate(arguments: &CalibrateArguments) -> Result<()> {
    let memory_limit = arguments.memory.bytes();
    let mut file = ModelFile::from_bytes(&read_file(&arguments.model)?)?;
    if let Some(looks) = &arguments.looks {
        check_looks(looks)?;
        file.snapshot.model.looks.clone_from(looks);
    }
    let library = load_known(&arguments.photos, &file, memory_limit)?;
    let model = file.snapshot.model.clone();
    let mut classifier = Classifier::new(arguments.device.open()?, model, memory_limit).await?;
    calibrate_with_bar(&mut classifier, &library).await?;
    file.snapshot.model.calibration = classifier.model.calibration;
    std::fs::write(&arguments.out, file.to_bytes()?)
        .map_err(|error| Error::file(&arguments.out, &error))?;
    eprintln!("saved {}", arguments.out.display());
    Ok(())
}

/// Calibrates a classifier, with a bar and a line on stderr.
pub async fn calibrate_with_bar(classifier: &mut Classifier, library: &Library) -> Result<()> {
    let bar = progress_bar(0, "calibrating");
    let mut on_progress = |done: usize, total: usize| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
        true
    };
    let outcome = classifier.calibrate(library, &mut on_progress).await;
    bar.finish_and_clear();
    outcome?;
    if let Some(calibration) = &classifier.model.calibration {
        eprintln!("calibrated: temperature {:.2}", calibration.temperature);
    }
    Ok(())
}
