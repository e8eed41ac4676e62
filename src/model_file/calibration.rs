//! A model's calibration in its file: two numbers in the metadata, the outlier score's kernel as a tensor. Files from before
//! there was any have neither.

use super::{from_json, internal, refuse, to_json};
use crate::error::{Result, Words};
use crate::model::calibration::{Calibration, OutlierDetector};
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// Name of the entry in the metadata.
const KEY: &str = "calibration";

/// Name of the tensor: one number a channel that the classifying head reads.
pub(super) const KERNEL: &str = "outliers.kernel";

fn remedy() -> Words {
    Words::of("remedy.calibrate_anew")
}

#[derive(Serialize, Deserialize)]
struct Numbers {
    temperature: f32,
    outlier_bias: f32,
}

/// The metadata entry and the tensor.
///
/// # Errors
/// [`crate::error::Error::ModelFile`] for numbers that could not be read again.
pub(super) fn write(
    calibration: &Calibration,
) -> Result<((String, String), (String, TensorView<'_>))> {
    let Calibration { temperature, outliers } = calibration;
    check(calibration)?;
    let numbers = Numbers { temperature: *temperature, outlier_bias: outliers.bias };
    // Every target is little-endian, as the format is.
    let bytes = bytemuck::cast_slice(&outliers.kernel);
    let view = TensorView::new(Dtype::F32, vec![outliers.kernel.len()], bytes);
    Ok(((KEY.into(), to_json(&numbers)?), (KERNEL.into(), view.map_err(internal)?)))
}

/// The calibration of a file whose classifying head reads that many channels.
///
/// # Errors
/// [`crate::error::Error::ModelFile`] in words that say what is wrong with it.
pub(super) fn read(
    metadata: &HashMap<String, String>,
    tensors: &SafeTensors,
    channels: usize,
) -> Result<Option<Calibration>> {
    let kernel = match (metadata.contains_key(KEY), tensors.tensor(KERNEL).ok()) {
        (false, None) => return Ok(None),
        (true, Some(kernel)) => kernel,
        (true, None) => {
            return Err(refuse(Words::of("problem.tensor_missing").with("name", KERNEL), remedy()));
        }
        (false, Some(_)) => {
            return Err(refuse(
                Words::of("problem.tensor_without").with("name", KERNEL).with("key", KEY),
                remedy(),
            ));
        }
    };
    let Numbers { temperature, outlier_bias: bias } = from_json(metadata, KEY)?;
    if kernel.dtype() != Dtype::F32 || kernel.shape() != [channels] {
        let (dtype, shape) = (kernel.dtype(), kernel.shape());
        let problem = Words::of("problem.tensor_shape")
            .with("name", KERNEL)
            .with("expected", format!("F32 [{channels}]"))
            .with("found", format!("{dtype:?} {shape:?}"));
        return Err(refuse(problem, remedy()));
    }
    let numbers = kernel.data().chunks_exact(4);
    let kernel = numbers.map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
    let calibration = Calibration { temperature, outliers: OutlierDetector { kernel, bias } };
    check(&calibration)?;
    Ok(Some(calibration))
}

/// Refuses numbers that no calibration gives.
fn check(calibration: &Calibration) -> Result<()> {
    let Calibration { temperature, outliers } = calibration;
    // The range that the search looks at, and some.
    if !(1e-3..=1e3).contains(temperature) {
        return Err(refuse(Words::of("problem.temperature").with("value", *temperature), remedy()));
    }
    let mut numbers = outliers.kernel.iter().chain([&outliers.bias]);
    match numbers.find(|number| !number.is_finite()) {
        Some(number) => Err(refuse(
            Words::of("problem.tensor_or_bias_holds").with("name", KERNEL).with("value", *number),
            remedy(),
        )),
        None => Ok(()),
    }
}
