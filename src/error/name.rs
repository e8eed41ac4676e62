//! Names from outside (files, classes, layers) as they may be shown: nothing in them moves a terminal's cursor or turns a
//! line's direction.

use serde::{Serialize, Serializer};
use std::fmt;
use std::ops::Deref;

/// A name from outside that is safe to show, in a terminal and on a page.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Name(String);

/// Replaces what would change how the text around it is shown: control characters, line and paragraph separators, and the
/// marks that override the direction of writing (Unicode Standard Annex 9; Boucher and Anderson, 2021).
#[cold]
#[inline(never)]
pub fn harmless(text: &str) -> String {
    text.chars().map(|c| if is_harmful(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

impl From<&str> for Name {
    fn from(text: &str) -> Self {
        Self(harmless(text))
    }
}

impl From<String> for Name {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<&String> for Name {
    fn from(text: &String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<&std::path::Path> for Name {
    fn from(path: &std::path::Path) -> Self {
        Self::from(path.to_string_lossy().as_ref())
    }
}

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_and_changes_of_direction_are_replaced() {
        assert_eq!(
            harmless("rose\u{1b}[2J\r\n\u{7f}\u{9b}.jpg"),
            "rose\u{fffd}[2J\u{fffd}\u{fffd}\u{fffd}\u{fffd}.jpg"
        );
        for mark in ('\u{202a}'..='\u{202e}').chain('\u{2066}'..='\u{2069}') {
            assert_eq!(harmless(&format!("a{mark}gpj.b")), "a\u{fffd}gpj.b", "{mark:?}");
        }
    }

    #[test]
    fn names_in_any_alphabet_stay_as_they_are() {
        for name in ["장미/사진 1.jpg", "ورد", "fleur-d’été", "👩‍🌾.png", ""] {
            assert_eq!(harmless(name), name);
        }
    }
}
