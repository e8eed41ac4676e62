//! What is said of photos before a network is trained on them: how they are laid out, whether they are mirrored, and what
//! is to be known of them.

use crate::data::layout::{Layout, SplitFolder};
use crate::data::mirror::{Mirroring, Verdict};
use crate::data::photo::Split;
use crate::data::warnings::Warning;
use crate::error::harmless;
use crate::model::metrics::interval::Interval;
use crate::report::lines::Language;

/// Classes that a sentence names; of more it says how many.
const NAMED: usize = 5;

/// What was recognised of a data set's own arrangement, a sentence each, and how to decline it.
pub fn layout(layout: &Layout, language: Language) -> Vec<String> {
    let mut lines = Vec::new();
    let decline = |taken: bool, what: &str| match (taken, language) {
        (true, Language::En) => format!("; `--ignore {what}` declines it"),
        (false, Language::En) => ", but was declined".into(),
        (true, Language::Ko) => format!(" (쓰지 않으려면 `--ignore {what}`)"),
        (false, Language::Ko) => " 쓰지 않기로 했습니다.".into(),
    };
    if let Some(split) = &layout.split {
        let folders: Vec<String> = split.folders.iter().map(|f| folder(f, language)).collect();
        let (folders, end) = (folders.join(", "), decline(split.taken, "split"));
        lines.push(match language {
            Language::En => format!("The photos come with a split of their own: {folders}{end}"),
            Language::Ko => format!("사진이 이미 나뉘어 있습니다: {folders}{end}"),
        });
        if split.taken && split.validation_is_test {
            lines.push(match language {
                Language::En => "It has no test part, so its validation part is the test.".into(),
                Language::Ko => "시험용 폴더가 없어 검증용 폴더를 시험에 씁니다.".into(),
            });
        }
    }
    if let Some(table) = &layout.table {
        let names: Vec<String> = table.names.iter().map(|name| harmless(name)).collect();
        let (names, end) = (names.join(", "), decline(table.taken, "table"));
        let (photos, classes) = (table.photos, table.classes);
        lines.push(match language {
            Language::En => format!("{names} labels {photos} photos, {classes} classes{end}"),
            Language::Ko => {
                format!("{names}에 사진 {photos}장의 클래스 {classes}개가 적혀 있습니다{end}")
            }
        });
        if table.taken && table.unlisted > 0 {
            let n = table.unlisted;
            lines.push(match language {
                Language::En => format!("{n} photos are not in the table and are left out."),
                Language::Ko => format!("표에 없는 사진 {n}장은 쓰지 않습니다."),
            });
        }
    }
    if let Some(named) = &layout.names {
        let (classes, end) = (list(&named.classes, language), decline(named.taken, "names"));
        lines.push(match language {
            Language::En => format!("The names of the files tell the classes: {classes}{end}"),
            Language::Ko => format!("파일 이름이 클래스를 알려 줍니다: {classes}{end}"),
        });
    }
    lines
}

fn folder(folder: &SplitFolder, language: Language) -> String {
    let SplitFolder { name, split, photos } = folder;
    let name = harmless(name);
    match language {
        Language::En => {
            let part = match split {
                Split::Train => "to learn from",
                Split::Validation => "to watch",
                Split::Test => "to test",
            };
            format!("{name} ({photos} {part})")
        }
        Language::Ko => {
            let part = match split {
                Split::Train => "학습",
                Split::Validation => "검증",
                Split::Test => "시험",
            };
            format!("{name}({part} {photos}장)")
        }
    }
}

/// Whether photos are mirrored in a run, and who decided it. `mirror` is what the recipe asks for.
pub fn mirroring(mirror: Mirroring, verdict: &Verdict, language: Language) -> String {
    match (mirror, language) {
        (Mirroring::Yes, Language::En) => "Photos are mirrored, as was asked for.".into(),
        (Mirroring::No, Language::En) => "Photos are not mirrored, as was asked for.".into(),
        (Mirroring::Yes, Language::Ko) => "설정대로 사진의 좌우를 뒤집어 씁니다.".into(),
        (Mirroring::No, Language::Ko) => "설정대로 사진의 좌우를 뒤집지 않습니다.".into(),
        (Mirroring::Auto, language) => match (verdict.pair.clone().map(|pair| pair.map(|name| harmless(&name))), language) {
            (Some([one, other]), Language::En) => format!(
                "Photos are not mirrored: left and right tell `{one}` from `{other}` apart. `--mirror yes` mirrors them all \
                 the same."
            ),
            (None, Language::En) => {
                "Photos are mirrored: left and right tell no classes apart. `--mirror no` leaves them as they are.".into()
            }
            (Some([one, other]), Language::Ko) => format!(
                "사진의 좌우를 뒤집지 않습니다. `{one}`와(과) `{other}`은(는) 좌우로 구별되기 때문입니다(뒤집으려면 \
                 `--mirror yes`)."
            ),
            (None, Language::Ko) => {
                "사진의 좌우를 뒤집어 씁니다. 좌우로 구별되는 클래스가 없기 때문입니다(뒤집지 않으려면 `--mirror no`)."
                    .into()
            }
        },
    }
}

/// A warning, with what to do.
pub fn warning(warning: &Warning, language: Language) -> String {
    // Names of folders may hold anything.
    match language {
        Language::En => english(warning),
        Language::Ko => korean(warning),
    }
}

fn english(warning: &Warning) -> String {
    let list = |classes: &[String]| list(classes, Language::En);
    match warning {
        Warning::OneClass { class } => format!(
            "There is one class only, `{}`: one class leaves nothing to tell apart, and any answer would be right. Add a \
             folder of photos of something else.",
            harmless(class)
        ),
        Warning::SamePicture { classes } => format!(
            "All photos of {} show the same picture: there is nothing to learn from more of it, and nothing to test with. Add \
             different photos.",
            list(classes)
        ),
        Warning::OneSeries { classes } => format!(
            "All photos of {} are one series, such as frames of a video: the end of it is held back for the test, which is kinder \
             than other photos would be. Add photos taken at another time or place.",
            list(classes)
        ),
        Warning::LeftOut { photos, left } => format!(
            "{photos} {} left out, since others have the same content; {left} {} left.",
            if *photos == 1 { "file was" } else { "files were" },
            if *left == 1 { "photo is" } else { "photos are" },
        ),
        Warning::NoTest { all: true, .. } => {
            "No photo is held back for the test, so nothing will be known of how good the \
            model is. Add photos until every class has at least two that differ."
                .into()
        }
        Warning::NoTest { classes, .. } => format!(
            "No photo of {} is held back for the test, so nothing will be known of how well it is told apart. Add photos of it.",
            list(classes)
        ),
        Warning::FewTestPhotos { photos } => {
            let low = least(*photos);
            let held = if *photos == 1 { "photo is" } else { "photos are" };
            format!(
                "Only {photos} {held} held back for the test: even if all are answered rightly, the accuracy on other photos may \
                 be {low:.0}% (95% interval). Add photos."
            )
        }
    }
}

fn korean(warning: &Warning) -> String {
    let list = |classes: &[String]| list(classes, Language::Ko);
    match warning {
        Warning::OneClass { class } => format!(
            "클래스가 `{}` 하나뿐입니다. 하나로는 구별할 것이 없어 무엇이라 답해도 맞습니다. 다른 것의 사진 폴더를 넣으세요.",
            harmless(class)
        ),
        Warning::SamePicture { classes } => format!(
            "{}의 사진이 모두 같은 그림입니다. 더 배울 것도, 시험할 것도 없습니다. 서로 다른 사진을 넣으세요.",
            list(classes)
        ),
        Warning::OneSeries { classes } => format!(
            "{}의 사진이 모두 이어 찍은 한 묶음(동영상의 프레임 등)입니다. 끝부분을 시험용으로 남겨 두지만, 다른 사진보다 쉬운 \
             시험이 됩니다. 다른 때나 다른 곳에서 찍은 사진을 넣으세요.",
            list(classes)
        ),
        Warning::LeftOut { photos, left } => {
            format!("내용이 같은 파일 {photos}개를 뺐습니다. 남은 사진은 {left}장입니다.")
        }
        Warning::NoTest { all: true, .. } => {
            "시험용으로 남겨 둘 사진이 없어 모델이 얼마나 정확한지 알 수 없게 됩니다. 클래스마다 \
            서로 다른 사진을 두 장 이상 넣으세요."
                .into()
        }
        Warning::NoTest { classes, .. } => format!(
            "{}의 사진은 시험용으로 남겨 둘 것이 없어 얼마나 잘 구별하는지 알 수 없습니다. 사진을 더 넣으세요.",
            list(classes)
        ),
        Warning::FewTestPhotos { photos } => format!(
            "시험용 사진이 {photos}장뿐입니다. 모두 맞혀도 다른 사진에서의 정확도는 {:.0}%일 수 있습니다(95% 신뢰 구간). 사진을 더 \
             넣으세요.",
            least(*photos)
        ),
    }
}

/// The least accuracy, in percent, that a test without a mistake leaves possible.
fn least(photos: usize) -> f64 {
    let photos = u32::try_from(photos).unwrap_or(u32::MAX);
    Interval::wilson(photos, photos).map_or(0.0, |interval| 100.0 * interval.low)
}

/// `left`, `left and right`, or how many more there are.
fn list(names: &[String], language: Language) -> String {
    let quoted: Vec<String> =
        names.iter().take(NAMED).map(|name| format!("`{}`", harmless(name))).collect();
    let more = names.len() - quoted.len();
    match language {
        Language::En if more > 0 => format!("{} and {more} more classes", quoted.join(", ")),
        Language::En => match quoted.split_last() {
            Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
            _ => quoted.join(""),
        },
        Language::Ko if more > 0 => format!("{} 외 {more}개 클래스", quoted.join(", ")),
        Language::Ko => quoted.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::warnings::FEW_TEST_PHOTOS;

    #[test]
    fn few_test_photos_are_those_that_leave_a_wide_interval() {
        let is_wide = |photos: u32| Interval::wilson(photos, photos).unwrap().wide;
        assert!(is_wide(FEW_TEST_PHOTOS as u32 - 1) && !is_wide(FEW_TEST_PHOTOS as u32));
        let words = warning(&Warning::FewTestPhotos { photos: 2 }, Language::En);
        assert!(words.contains("Only 2 photos") && words.contains("may be 34%"), "{words}");
    }

    #[test]
    fn every_warning_has_words_in_both_languages() {
        let classes: Vec<String> = ["a", "b"].map(String::from).into();
        let warnings = [
            Warning::OneClass { class: "a".into() },
            Warning::SamePicture { classes: classes.clone() },
            Warning::OneSeries { classes: classes.clone() },
            Warning::LeftOut { photos: 1, left: 2 },
            Warning::NoTest { classes: classes.clone(), all: true },
            Warning::NoTest { classes, all: false },
        ];
        for found in &warnings {
            assert!(warning(found, Language::En).is_ascii());
            assert!(!warning(found, Language::Ko).is_ascii());
        }
        assert!(warning(&warnings[1], Language::En).starts_with("All photos of `a` and `b` show"));
        assert!(warning(&warnings[3], Language::En).starts_with("1 file was left out"));
    }

    #[test]
    fn mirroring_is_said_with_its_reason() {
        let verdict = |pair: Option<[&str; 2]>| Verdict {
            allowed: pair.is_none(),
            photos: 10,
            pair: pair.map(|pair| pair.map(String::from)),
        };
        let apart = verdict(Some(["left", "right"]));
        let words = mirroring(Mirroring::Auto, &apart, Language::En);
        assert!(
            words.starts_with(
                "Photos are not mirrored: left and right tell `left` from `right` apart."
            ),
            "{words}"
        );
        let words = mirroring(Mirroring::Auto, &verdict(None), Language::En);
        assert!(words.starts_with("Photos are mirrored"), "{words}");
        assert!(mirroring(Mirroring::No, &verdict(None), Language::En).contains("asked for"));
    }
}
