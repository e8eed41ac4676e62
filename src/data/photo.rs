//! What is known of a photo beside its pixels.

use crate::error::{Error, Name, Result, Words};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// A photo's identity: the first 16 bytes of the BLAKE3 hash of its file's content, so that a copy under another name
/// is the same photo. Written as 32 hexadecimal digits.
///
/// ```
/// use floret::data::photo::PhotoId;
/// assert_eq!(PhotoId::of(b"").to_string(), "af1349b9f5f9a1a6a0404dea36dcc949");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PhotoId([u8; 16]);

impl PhotoId {
    /// The identity of a file with this content.
    pub fn of(content: &[u8]) -> Self {
        let mut id = [0; 16];
        id.copy_from_slice(&blake3::hash(content).as_bytes()[..16]);
        Self(id)
    }

    /// The identity as four words, for counters of random numbers.
    pub fn words(&self) -> [u32; 4] {
        let word =
            |i: usize| u32::from_le_bytes([self.0[i], self.0[i + 1], self.0[i + 2], self.0[i + 3]]);
        [word(0), word(4), word(8), word(12)]
    }
}

impl fmt::Display for PhotoId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for PhotoId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for PhotoId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong =
            || Error::setting(Words::of("name.photo_id"), Words::of("expected.hex_digits"), text);
        // Digits are checked first: the parser below would accept a sign.
        if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(wrong());
        }
        let number = u128::from_str_radix(text, 16).map_err(|_| wrong())?;
        Ok(Self(number.to_be_bytes()))
    }
}

impl Serialize for PhotoId {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PhotoId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The part of the data that a photo serves: learned from, watched while learning, or held back for the test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// Learned from.
    Train,
    /// Watched while learning, never learned from.
    Validation,
    /// Held back for the test report.
    Test,
}

impl Split {
    /// All three, in the order of reports.
    pub const ALL: [Self; 3] = [Self::Train, Self::Validation, Self::Test];

    /// `train`, `validation` or `test`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }

    /// The split of that name.
    ///
    /// # Errors
    /// [`Error::Unknown`] for any other name.
    pub fn from_name(name: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|split| split.name() == name)
            .ok_or_else(|| Error::unknown(Words::of("what.split"), name, Self::ALL.map(Self::name)))
    }
}

/// A photo of the library, without its pixels. Label and split stay with the photo, so that adding
/// others never moves it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Photo {
    /// Hash of the file's content.
    pub id: PhotoId,
    /// Where it came from, for people: the folder that held it, and its file.
    pub name: String,
    /// The whole path that it came under; empty for a photo that has none, such as a drawn one.
    #[serde(default)]
    pub path: String,
    /// The class, if one is known.
    pub label: Option<String>,
    /// The part of the data it serves, once assigned.
    pub split: Option<Split>,
    /// The part that the author of the data set gave it to, where that is known and taken.
    #[serde(default)]
    pub own_split: Option<Split>,
    /// The first photo of its group of near-duplicates, where it has one; a group stays on one side of the split.
    pub group: Option<PhotoId>,
    /// Width of the file's picture in pixels, upright.
    pub width: usize,
    /// Height of the file's picture in pixels, upright.
    pub height: usize,
}

impl Photo {
    /// What a split keeps on one side: the photo's group, or the photo alone.
    pub fn unit(&self) -> PhotoId {
        self.group.unwrap_or(self.id)
    }
}

/// A file that was left out, and why.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Skipped {
    /// Folder and file name.
    pub name: Name,
    /// Why, for people.
    pub reason: Words,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_written_and_read_as_hex() {
        let id = PhotoId::of(b"petal");
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(json, format!("\"{id}\""));
        assert_eq!(serde_json::from_str::<PhotoId>(&json).unwrap(), id);
        assert_eq!(id.to_string().parse::<PhotoId>().unwrap(), id);
        for wrong in
            ["", "12", "zz1349b9f5f9a1a6a0404dea36dcc949", "+f1349b9f5f9a1a6a0404dea36dcc949"]
        {
            assert!(wrong.parse::<PhotoId>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn ids_follow_the_content() {
        assert_eq!(PhotoId::of(b"petal"), PhotoId::of(b"petal"));
        assert_ne!(PhotoId::of(b"petal"), PhotoId::of(b"leaf"));
        assert_ne!(PhotoId::of(b"petal").words(), PhotoId::of(b"leaf").words());
    }

    #[test]
    fn splits_are_found_by_name() {
        for split in Split::ALL {
            assert_eq!(Split::from_name(split.name()), Ok(split));
            assert_eq!(serde_json::to_value(split).unwrap(), split.name());
        }
        let error = Split::from_name("tests").unwrap_err();
        assert_eq!(error.to_string(), "unknown split `tests`; did you mean `test`?");
    }
}
