//! The stratified split: which photos are learned from, which are watched, which are held back.
//!
//! A photo keeps the split it has; only photos without one are assigned, class by class, in an order that is a pure
//! function of seed and photo id. Copies and groups of near-duplicates move as one, so that no test photo has a twin
//! among the training photos.

use super::photo::{Photo, PhotoId, Split};
use crate::error::{Error, Result, Words};
use crate::rng::{Random, Stream};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How the photos of a class are shared out, in percent; the rest is for training.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ratios {
    /// Percent watched while learning.
    pub validation: u32,
    /// Percent held back for the test.
    pub test: u32,
}

impl Default for Ratios {
    /// 80 / 5 / 15, as in the report that the flower models come from.
    fn default() -> Self {
        Self { validation: 5, test: 15 }
    }
}

impl Ratios {
    /// Checks that something is left to learn from.
    ///
    /// # Errors
    /// [`Error::Setting`] if half or more is held back.
    pub fn check(&self) -> Result<()> {
        let held = u64::from(self.validation) + u64::from(self.test);
        if held > 50 {
            return Err(Error::setting(
                Words::of("name.held_back"),
                Words::of("expected.held_back"),
                held,
            ));
        }
        Ok(())
    }

    /// Photos of validation and test in a class of `photos`: the rounded percentage, but where it is not zero at least
    /// one for the test from 3 photos on and one for validation from 5 on.
    fn targets(&self, photos: usize) -> [usize; 2] {
        let share = |percent: u32, from: usize| {
            let rounded = (photos * percent as usize + 50) / 100;
            let least = usize::from(percent > 0 && photos >= from);
            if photos < from { 0 } else { rounded.max(least) }
        };
        [share(self.validation, 5), share(self.test, 3)]
    }
}

/// Gives every labelled photo without a split one.
///
/// Per class, units (single photos, or groups that stay together) are taken in random order: to the test while they fit
/// into its share, then to validation, the rest to training. A unit that has a photo with a split joins it: that of
/// its first such photo. A unit with several labels counts in the class of its first photo by id.
///
/// # Errors
/// [`Error::Setting`] if the ratios leave too little to learn from.
pub fn assign(photos: &mut [Photo], seed: u64, ratios: &Ratios) -> Result<()> {
    ratios.check()?;
    let mut units = BTreeMap::<PhotoId, Vec<usize>>::new();
    for (index, photo) in photos.iter().enumerate() {
        if photo.label.is_some() {
            units.entry(photo.group.unwrap_or(photo.id)).or_default().push(index);
        }
    }
    let mut classes = BTreeMap::<String, Class>::new();
    for mut members in units.into_values() {
        members.sort_by_key(|&index| (photos[index].id, photos[index].label.clone()));
        let first = &photos[members[0]];
        let class = classes.entry(first.label.clone().unwrap_or_default()).or_default();
        let order = random_order(seed, first.id);
        class.photos += members.len();
        if let Some(split) = members.iter().find_map(|&index| photos[index].split) {
            for &index in &members {
                let split = *photos[index].split.get_or_insert(split);
                class.assigned[split as usize] += 1;
            }
        } else {
            class.unassigned.push((order, members));
        }
    }
    for mut class in classes.into_values() {
        let [validation, test] = ratios.targets(class.photos);
        let mut room = [
            validation.saturating_sub(class.assigned[Split::Validation as usize]),
            test.saturating_sub(class.assigned[Split::Test as usize]),
        ];
        class.unassigned.sort();
        for (_, members) in class.unassigned {
            let split = if members.len() <= room[1] {
                room[1] -= members.len();
                Split::Test
            } else if members.len() <= room[0] {
                room[0] -= members.len();
                Split::Validation
            } else {
                Split::Train
            };
            for index in members {
                photos[index].split = Some(split);
            }
        }
    }
    Ok(())
}

#[derive(Default)]
struct Class {
    photos: usize,
    /// Photos that have a split, by `Split as usize`.
    assigned: [usize; 3],
    unassigned: Vec<([u32; 2], Vec<usize>)>,
}

/// Where a photo comes in the order of assignment.
fn random_order(seed: u64, id: PhotoId) -> [u32; 2] {
    let [a, b, c, d] = id.words();
    let random = Random::new(seed, Stream::Split, a, b);
    [random.word(c), random.word(d)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn photos(class: &str, count: usize) -> Vec<Photo> {
        (0..count)
            .map(|i| Photo {
                id: PhotoId::of(format!("{class} {i}").as_bytes()),
                name: format!("{class}/{i}"),
                label: Some(class.into()),
                split: None,
                group: None,
                width: 1,
                height: 1,
            })
            .collect()
    }

    fn count(photos: &[Photo], split: Split) -> usize {
        photos.iter().filter(|photo| photo.split == Some(split)).count()
    }

    fn split(mut photos: Vec<Photo>, seed: u64) -> Vec<Photo> {
        assign(&mut photos, seed, &Ratios::default()).unwrap();
        photos
    }

    #[test]
    fn each_class_is_shared_out_alike() {
        for (size, expected) in [
            (0, [0, 0, 0]),
            (1, [1, 0, 0]),
            (2, [2, 0, 0]),
            (3, [2, 0, 1]),
            (5, [3, 1, 1]),
            (20, [16, 1, 3]),
            (100, [80, 5, 15]),
        ] {
            let both = split([photos("rose", size), photos("tulip", 40)].concat(), 1);
            assert_eq!(Split::ALL.map(|s| count(&both[..size], s)), expected, "{size}");
            assert_eq!(Split::ALL.map(|s| count(&both[size..], s)), [32, 2, 6]);
        }
    }

    #[test]
    fn the_seed_decides() {
        assert_eq!(split(photos("rose", 50), 1), split(photos("rose", 50), 1));
        assert_ne!(split(photos("rose", 50), 1), split(photos("rose", 50), 2));
        let mut backwards = photos("rose", 50);
        backwards.reverse();
        let mut backwards = split(backwards, 1);
        backwards.reverse();
        assert_eq!(backwards, split(photos("rose", 50), 1));
    }

    #[test]
    fn newcomers_move_nobody_and_restore_the_ratios() {
        let mut both = split(photos("rose", 20), 1);
        let before = both.clone();
        both.extend(photos("rose", 100).split_off(20));
        let after = split(both, 9);
        assert_eq!(after[..20], before);
        assert_eq!(Split::ALL.map(|s| count(&after, s)), [80, 5, 15]);
    }

    #[test]
    fn a_newcomer_joins_its_group() {
        let mut members = split(photos("rose", 40), 1);
        let held = members.iter().position(|p| p.split == Some(Split::Test)).unwrap();
        let group = Some(members[held].id);
        members[held].group = group;
        for mut newcomer in photos("twin", 3) {
            newcomer.group = group;
            members.push(newcomer);
        }
        assert_eq!(count(&split(members, 1)[40..], Split::Test), 3);
    }

    #[test]
    fn a_copy_under_another_label_stays_on_the_same_side() {
        let mut members = photos("rose", 60);
        let copies: Vec<Photo> =
            members.iter().cloned().map(|p| Photo { label: Some("tulip".into()), ..p }).collect();
        members.extend(copies);
        let members = split(members, 3);
        for (one, other) in members[..60].iter().zip(&members[60..]) {
            assert_eq!(one.split, other.split);
        }
    }

    #[test]
    fn unlabelled_photos_stay_out() {
        let mut members = photos("rose", 10);
        members[4].label = None;
        let members = split(members, 1);
        assert_eq!(members[4].split, None);
        assert!(members.iter().filter(|p| p.label.is_some()).all(|p| p.split.is_some()));
    }

    #[test]
    fn holding_back_too_much_is_refused() {
        let ratios = Ratios { validation: 30, test: 30 };
        assert!(matches!(assign(&mut [], 1, &ratios), Err(Error::Setting { .. })));
    }

    proptest! {
        #[test]
        fn groups_stay_whole_and_shares_are_never_exceeded(
            sizes in proptest::collection::vec(1usize..40, 1..4), groups in 1usize..30, seed: u64,
        ) {
            let mut members: Vec<Photo> =
                sizes.iter().enumerate().flat_map(|(c, &size)| photos(&c.to_string(), size)).collect();
            // Every third photo joins one of the groups, across classes.
            let ids: Vec<PhotoId> = members.iter().map(|p| p.id).collect();
            for (i, photo) in members.iter_mut().enumerate().filter(|(i, _)| i % 3 == 0) {
                photo.group = Some(ids[i % groups.min(ids.len())]);
            }
            let members = split(members, seed);
            for photo in &members {
                prop_assert!(photo.split.is_some());
                if photo.group.is_some() {
                    let twin = members.iter().find(|p| p.group == photo.group).unwrap();
                    prop_assert_eq!(twin.split, photo.split);
                }
            }
            let held = count(&members, Split::Test);
            prop_assert!(held <= members.len() * 15 / 100 + sizes.len());
        }
    }
}
