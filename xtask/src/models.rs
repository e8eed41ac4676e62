//! `www/models/`: the models that come with the page, their cards as pages, and the list that the page offers.

use anyhow::{Context, Result, bail};
use pulldown_cmark::{Options, Parser, html};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// An entry of `models/index.json`, as `models/README.md` explains it.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Entry {
    file: String,
    card: String,
    title: Title,
    accuracy: f64,
    test_photos: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Title {
    en: String,
    ko: String,
}

/// An entry as the page reads it: with what the model file says, and what it must be when it arrives.
#[derive(Debug, Serialize)]
struct Listed {
    #[serde(flatten)]
    entry: Entry,
    classes: Vec<String>,
    /// Rows and columns of a photo.
    input: u64,
    bytes: u64,
    /// BLAKE3 of the file, in hexadecimal.
    hash: String,
}

/// Copies the models of `from` into a fresh folder `to`, cards as pages, with the list of them.
pub fn publish(from: &Path, to: &Path) -> Result<()> {
    let index = from.join("index.json");
    let reading = || format!("reading {}", index.display());
    let entries: Vec<Entry> =
        serde_json::from_str(&fs::read_to_string(&index).with_context(reading)?)
            .with_context(reading)?;
    if to.exists() {
        fs::remove_dir_all(to)?;
    }
    fs::create_dir_all(to)?;
    for file in fs::read_dir(from)? {
        let path = file?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.ends_with(".safetensors") && !entries.iter().any(|entry| entry.file == name) {
            bail!(
                "{name} has no entry in {}; models/README.md says what to write",
                index.display()
            );
        }
        if path.is_file() && !name.ends_with(".md") && name != "index.json" {
            fs::copy(&path, to.join(&name))?;
        }
    }
    let list =
        entries.into_iter().map(|entry| list(from, to, entry)).collect::<Result<Vec<_>>>()?;
    fs::write(to.join("index.json"), serde_json::to_string_pretty(&list)?)?;
    Ok(())
}

/// Checks an entry against its file, and writes its card.
fn list(from: &Path, to: &Path, mut entry: Entry) -> Result<Listed> {
    let wrong = |file: &str| format!("models/index.json names {file}");
    let content = fs::read(from.join(&entry.file)).with_context(|| wrong(&entry.file))?;
    let facts = facts(&content).with_context(|| wrong(&entry.file))?;
    if !(0.0..=1.0).contains(&entry.accuracy) {
        bail!("models/index.json: the accuracy of {} is from 0 to 1", entry.file);
    }
    let card = fs::read_to_string(from.join(&entry.card)).with_context(|| wrong(&entry.card))?;
    entry.card = entry.card.replace(".md", ".html");
    fs::write(to.join(&entry.card), page(&entry.title.en, &card))?;
    Ok(Listed {
        classes: facts.classes,
        input: facts.input,
        bytes: content.len() as u64,
        hash: blake3::hash(&content).to_hex().to_string(),
        entry,
    })
}

struct Facts {
    classes: Vec<String>,
    input: u64,
}

/// The header of a model file: safetensors begins with the length of its JSON header.
fn facts(content: &[u8]) -> Result<Facts> {
    #[derive(Deserialize)]
    struct Header {
        #[serde(rename = "__metadata__")]
        metadata: BTreeMap<String, String>,
    }
    #[derive(Deserialize)]
    struct Input {
        height: u64,
    }
    let length: [u8; 8] =
        content.get(..8).and_then(|start| start.try_into().ok()).context("it is empty")?;
    let header = usize::try_from(u64::from_le_bytes(length))
        .ok()
        .and_then(|length| content.get(8..)?.get(..length));
    let header: Header = serde_json::from_slice(header.context("it is cut short")?)?;
    let field = |name: &str| {
        header.metadata.get(name).with_context(|| format!("its header lacks `{name}`"))
    };
    let input: Input = serde_json::from_str(field("input")?)?;
    Ok(Facts { classes: serde_json::from_str(field("classes")?)?, input: input.height })
}

/// A card as a page in the look of the others.
fn page(title: &str, card: &str) -> String {
    let mut body = String::new();
    html::push_html(&mut body, Parser::new_ext(card, Options::ENABLE_TABLES));
    format!(
        r#"<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'">
    <meta name="color-scheme" content="light dark">
    <title>{title} · Floret</title>
    <link rel="icon" href="../icon.svg" type="image/svg+xml">
    <link rel="stylesheet" href="../styles/tokens.css">
    <link rel="stylesheet" href="../styles/base.css">
    <link rel="stylesheet" href="../styles/layout.css">
    <link rel="stylesheet" href="../styles/card.css">
  </head>
  <body>
    <main class="model-card">
{body}    </main>
  </body>
</html>
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::root;
    use std::path::PathBuf;

    /// A folder of models in the temporary folder, with this index.
    fn folder(name: &str, index: &str) -> PathBuf {
        let folder =
            std::env::temp_dir().join(format!("floret-models-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("index.json"), index).unwrap();
        folder
    }

    /// The start of a model file.
    fn model() -> Vec<u8> {
        let header = r#"{"__metadata__":{"classes":"[\"장미\",\"tulip\"]","input":"{\"height\":96,\"width\":96,\"channels\":3}"}}"#;
        let mut content = (header.len() as u64).to_le_bytes().to_vec();
        content.extend_from_slice(header.as_bytes());
        content
    }

    const INDEX: &str = r#"[{"file": "one.safetensors", "card": "one.md", "title": {"en": "One", "ko": "하나"},
        "accuracy": 0.5, "test_photos": 10}]"#;

    #[test]
    fn a_model_is_listed_with_what_its_file_says() {
        let from = folder("listed", INDEX);
        fs::write(from.join("one.safetensors"), model()).unwrap();
        fs::write(from.join("one.md"), "# One\n\n| a | b |\n| - | - |\n| 1 | <b> |\n").unwrap();
        let to = from.join("out");
        publish(&from, &to).unwrap();
        let list: serde_json::Value =
            serde_json::from_str(&fs::read_to_string(to.join("index.json")).unwrap()).unwrap();
        assert_eq!(list[0]["classes"], serde_json::json!(["장미", "tulip"]));
        assert_eq!(list[0]["input"], 96);
        assert_eq!(list[0]["bytes"], model().len());
        assert_eq!(list[0]["hash"], blake3::hash(&model()).to_hex().as_str());
        assert_eq!(list[0]["card"], "one.html");
        assert_eq!(fs::read(to.join("one.safetensors")).unwrap(), model());
        assert!(fs::read_to_string(to.join("one.html")).unwrap().contains("<td>1</td>"));
        fs::remove_dir_all(from).unwrap();
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let said = |from: &Path| format!("{:#}", publish(from, &from.join("out")).unwrap_err());
        let from = folder("absent", INDEX);
        assert!(said(&from).contains("one.safetensors"), "{}", said(&from));
        fs::write(from.join("one.safetensors"), &model()[..20]).unwrap();
        assert!(said(&from).contains("cut short"), "{}", said(&from));
        fs::write(from.join("one.safetensors"), model()).unwrap();
        assert!(said(&from).contains("one.md"), "{}", said(&from));
        fs::write(from.join("one.md"), "").unwrap();
        fs::write(from.join("two.safetensors"), model()).unwrap();
        assert!(said(&from).contains("two.safetensors has no entry"), "{}", said(&from));
        fs::remove_dir_all(from).unwrap();
    }

    #[test]
    fn the_projects_own_models_are_in_order() {
        let to = std::env::temp_dir().join(format!("floret-models-own-{}", std::process::id()));
        publish(&root().join("models"), &to).unwrap();
        assert!(to.join("flowers.safetensors").is_file());
        fs::remove_dir_all(to).unwrap();
    }
}
