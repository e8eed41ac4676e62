//! Folders that are named as the parts of a split: `train`, `val` and `test` in their usual spellings.

use super::super::names::composed;
use super::super::photo::Split;
use serde::Serialize;
use std::collections::BTreeSet;

/// Share of the photos that must lie in such folders.
const MOST: f64 = 0.8;

/// Words for the parts, in small letters, in the languages of people who make data sets.
const WORDS: [(Split, &[&str]); 3] = [
    (
        Split::Train,
        &[
            "train",
            "training",
            "trn",
            "learn",
            "learning",
            "학습",
            "훈련",
            "학습용",
            "훈련용",
            "訓練",
            "学習",
            "训练",
            "训练集",
            "訓練集",
            "entrenamiento",
            "entraînement",
            "entrainement",
            "apprentissage",
            "treino",
            "addestramento",
            "обучение",
        ],
    ),
    (
        Split::Validation,
        &[
            "val",
            "valid",
            "validation",
            "validate",
            "validating",
            "dev",
            "development",
            "검증",
            "검증용",
            "検証",
            "验证",
            "验证集",
            "驗證",
            "驗證集",
            "validierung",
            "validación",
            "validacion",
            "validação",
            "validacao",
            "validazione",
            "валидация",
        ],
    ),
    (
        Split::Test,
        &[
            "test",
            "tests",
            "testing",
            "tst",
            "eval",
            "evaluation",
            "holdout",
            "시험",
            "테스트",
            "평가",
            "시험용",
            "테스트용",
            "평가용",
            "テスト",
            "評価",
            "测试",
            "测试集",
            "測試",
            "測試集",
            "prueba",
            "pruebas",
            "teste",
            "тест",
        ],
    ),
];

/// Words that say nothing beside those.
const FILLERS: [&str; 18] = [
    "set",
    "sets",
    "data",
    "dataset",
    "images",
    "image",
    "imgs",
    "img",
    "photos",
    "pictures",
    "split",
    "seg",
    "folder",
    "samples",
    "daten",
    "데이터",
    "이미지",
    "사진",
];

/// A folder of the author's split.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct SplitFolder {
    /// Its name.
    pub name: String,
    /// The part that it is.
    pub split: Split,
    /// Photos in it.
    pub photos: usize,
}

/// A split made by the author of a data set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SplitFolders {
    /// Its folders.
    pub folders: Vec<SplitFolder>,
    /// Whether what the author calls validation is held back for the test, since there is no other.
    pub validation_is_test: bool,
    /// Whether the photos are split by it.
    pub taken: bool,
}

/// The part that a name means.
///
/// `training_set` is the training part, `Testing` the test; `train station` is neither.
pub fn part_of(name: &str) -> Option<Split> {
    let name = composed(name).to_lowercase();
    let words = name.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty());
    let mut meant = None;
    for word in words.filter(|word| !FILLERS.contains(word)) {
        let glued = FILLERS.iter().find_map(|filler| word.strip_suffix(filler)).unwrap_or(word);
        let part = WORDS
            .iter()
            .find(|(_, words)| words.contains(&word) || words.contains(&glued))
            .map(|(part, _)| *part)?;
        if meant.is_some_and(|meant| meant != part) {
            return None;
        }
        meant = Some(part);
    }
    meant
}

/// Each photo's label and part.
type Placed = Vec<(Option<String>, Option<Split>)>;

/// The author's split in these paths, if there is one: photos to learn from, and others. Gives what becomes of each photo.
pub fn find(paths: &[Vec<&str>]) -> Option<(SplitFolders, Placed)> {
    let deepest = paths.iter().map(|path| path.len().saturating_sub(1)).max()?;
    let depth = (0..deepest).find(|&depth| is_split(paths, depth))?;
    let folder = |path: &Vec<&str>| {
        let (_, folders) = path.split_last()?;
        folders.get(depth).and_then(|folder| Some((composed(folder), part_of(folder)?)))
    };
    let found: Vec<Option<(String, Split)>> = paths.iter().map(folder).collect();
    let parts: BTreeSet<Split> = found.iter().flatten().map(|(_, part)| *part).collect();
    let validation_is_test = !parts.contains(&Split::Test);
    let meant = |part: Split| match part {
        Split::Validation if validation_is_test => Split::Test,
        part => part,
    };
    let mut folders: Vec<SplitFolder> = Vec::new();
    for (name, part) in found.iter().flatten() {
        match folders.iter_mut().find(|folder| folder.name == *name) {
            Some(folder) => folder.photos += 1,
            None => {
                folders.push(SplitFolder { name: name.clone(), split: meant(*part), photos: 1 })
            }
        }
    }
    folders.sort_by_key(|folder| (folder.split, folder.name.clone()));
    // A folder that holds everything is no class.
    let above: BTreeSet<Option<&&str>> =
        paths.iter().map(|path| depth.checked_sub(1).and_then(|above| path.get(above))).collect();
    let label = |path: &Vec<&str>| {
        let (_, parts) = path.split_last()?;
        let below = parts.get(depth + 1..).unwrap_or_default().iter().rev();
        let below = below.copied().find(|folder| part_of(folder).is_none());
        let above = depth.checked_sub(1).filter(|_| above.len() > 1);
        let above = above.and_then(|above| parts.get(above)).copied();
        below.or(above).map(composed)
    };
    let place = |(path, found): (&Vec<&str>, &Option<(String, Split)>)| match found {
        Some((_, part)) => (label(path), Some(meant(*part))),
        // What lies beside the parts keeps its folder.
        None => (path.len().checked_sub(2).map(|folder| composed(path[folder])), None),
    };
    let placed = paths.iter().zip(&found).map(place).collect();
    Some((SplitFolders { folders, validation_is_test, taken: true }, placed))
}

/// Whether the folders at this depth are the parts of a split.
fn is_split(paths: &[Vec<&str>], depth: usize) -> bool {
    let (mut parts, mut inside) = (BTreeSet::new(), 0);
    for path in paths {
        let folder = path.get(depth).filter(|_| depth + 1 < path.len());
        if let Some(part) = folder.and_then(|folder| part_of(folder)) {
            parts.insert(part);
            inside += 1;
        }
    }
    parts.contains(&Split::Train) && parts.len() > 1 && inside as f64 >= MOST * paths.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_spellings_are_known_and_others_are_not() {
        for (name, part) in [
            ("train", Some(Split::Train)),
            ("Training", Some(Split::Train)),
            ("TRAIN_SET", Some(Split::Train)),
            ("trainset", Some(Split::Train)),
            ("train_images", Some(Split::Train)),
            ("train2017", Some(Split::Train)),
            ("02-val", Some(Split::Validation)),
            ("Validation", Some(Split::Validation)),
            ("Testing", Some(Split::Test)),
            ("test_set", Some(Split::Test)),
            ("test1", Some(Split::Test)),
            ("테스트", Some(Split::Test)),
            ("train station", None),
            ("trainers", None),
            ("test tube", None),
            ("images", None),
            ("train_test", None),
            ("", None),
        ] {
            assert_eq!(part_of(name), part, "{name}");
        }
    }
}
