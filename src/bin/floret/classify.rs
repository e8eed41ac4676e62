//! `floret classify`: photos in, classes out.

use crate::device::DeviceArguments;
use crate::output::{print_json, say};
use crate::read_file;
use clap::Args;
use floret::classify::Classifier;
use floret::data::decode::decode_kept;
use floret::error::{Error, Result};
use floret::model::calibration::Outlier;
use floret::model::metrics::argmax;
use floret::model_file::ModelFile;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Memory that a classification may take: a model and a few photos.
const MEMORY_LIMIT: u64 = 4 << 30;

/// Arguments of `floret classify`.
#[derive(Args)]
pub struct ClassifyArguments {
    /// Model file.
    model: PathBuf,
    /// Photos: JPEG, PNG, WebP, GIF, BMP or TIFF.
    #[arg(required = true)]
    photos: Vec<PathBuf>,
    #[command(flatten)]
    device: DeviceArguments,
    /// Print the result as JSON on stdout.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Answer {
    photo: PathBuf,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    probabilities: Vec<(String, f32)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outlier: Option<Outlier>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Error>,
}

/// Runs the command. A photo that cannot be read is named among the answers; only when none can be is it an error.
pub fn run(arguments: &ClassifyArguments) -> Result<()> {
    pollster::block_on(classify(arguments))
}

async fn classify(arguments: &ClassifyArguments) -> Result<()> {
    let model = ModelFile::from_bytes(&read_file(&arguments.model)?)?.snapshot.model;
    let (classes, size) = (model.classes.clone(), model.preprocessing.stored_size);
    let mut classifier = Classifier::new(arguments.device.open()?, model, MEMORY_LIMIT).await?;
    let mut answers = Vec::new();
    for path in &arguments.photos {
        let answer = match stored_photo(path, size) {
            Ok(pixels) => {
                let answer = classifier.classify(&[&pixels]).await?.remove(0);
                let class = argmax(&answer.probabilities);
                Answer {
                    photo: path.clone(),
                    class: class.and_then(|class| classes.get(class).cloned()),
                    probabilities: classes.iter().cloned().zip(answer.probabilities).collect(),
                    outlier: answer.outlier,
                    error: None,
                }
            }
            Err(error) => Answer {
                photo: path.clone(),
                class: None,
                probabilities: Vec::new(),
                outlier: None,
                error: Some(error),
            },
        };
        if !arguments.json {
            print_answer(&answer);
        }
        answers.push(answer);
    }
    if arguments.json {
        print_json(&answers)?;
    }
    let errors = || answers.iter().filter_map(|answer| answer.error.clone());
    match errors().next() {
        Some(error) if errors().count() == answers.len() => Err(error),
        _ => Ok(()),
    }
}

fn stored_photo(path: &Path, size: usize) -> Result<Vec<u8>> {
    Ok(decode_kept(&path.display().to_string(), &read_file(path)?, size)?.pixels)
}

fn print_answer(answer: &Answer) {
    let photo = answer.photo.display();
    match &answer.class {
        Some(class) => {
            let mut sorted = answer.probabilities.clone();
            sorted.sort_by(|a, b| b.1.total_cmp(&a.1));
            let list: Vec<String> =
                sorted.iter().map(|(name, p)| format!("{name} {:.1}%", 100.0 * p)).collect();
            let list = list.join(", ");
            match answer.outlier {
                Some(Outlier { score, none_of_these: true }) => {
                    say!("{photo}: none of these (score {score:.2}); if any, {class} ({list})")
                }
                _ => say!("{photo}: {class} ({list})"),
            }
        }
        None => say!("{photo}: not classified"),
    }
    if let Some(error) = &answer.error {
        eprintln!("{error}");
    }
}
