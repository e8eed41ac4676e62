//! The stratified split: which photos are learned from, which are watched, which are held back.
//!
//! A photo keeps the split it has; only photos without one are assigned, class by class, in an order that is a pure
//! function of seed and photo id. Copies and groups of near-duplicates move as one, so that no test photo has a twin
//! among the training photos.

use super::photo::{Photo, PhotoId, Split};
use super::series;
use crate::error::{Error, Result, Words};
use crate::rng::{Random, Stream};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

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
    /// one for the test from 2 photos on and one for validation from 5 on.
    fn targets(&self, photos: usize) -> [usize; 2] {
        let share = |percent: u32, from: usize| {
            let rounded = (photos * percent as usize + 50) / 100;
            let least = usize::from(percent > 0 && photos >= from);
            if photos < from { 0 } else { rounded.max(least) }
        };
        [share(self.validation, 5), share(self.test, 2)]
    }
}

/// Gives every labelled photo without a split one.
///
/// Per class, units (single photos, or groups that stay together) are taken in random order: to the test while they fit
/// into its share, then to validation, the rest to training. A unit that has a photo with a split joins it: that of
/// its first such photo. A unit with several labels counts in the class of its first photo by id.
///
/// Each class of two or more photos has a test photo after: where all its units were too large, the smallest is held
/// back whole, and a class that is one single unit is cut in time.
///
/// Where the author of the data set made a split, that is taken instead.
///
/// # Errors
/// [`Error::Setting`] if the ratios leave too little to learn from.
pub fn assign(photos: &mut [Photo], seed: u64, ratios: &Ratios) -> Result<()> {
    ratios.check()?;
    match photos.iter().any(|photo| photo.label.is_some() && photo.own_split.is_some()) {
        true => take_own(photos, seed, ratios),
        false => share_out(photos, seed, ratios),
    }
    Ok(())
}

/// Takes the split that the author of the data set made. Where that has nothing to watch while learning, some of what is
/// learned from is watched; what the author left out is learned from.
fn take_own(photos: &mut [Photo], seed: u64, ratios: &Ratios) {
    let is_watched = photos.iter().any(|photo| photo.own_split == Some(Split::Validation));
    let mut held_back = BTreeSet::new();
    for photo in photos.iter_mut().filter(|photo| photo.label.is_some()) {
        if photo.split.is_none() && (is_watched || photo.own_split == Some(Split::Test)) {
            photo.split = Some(photo.own_split.unwrap_or(Split::Train));
        }
        if photo.split.is_some_and(|split| split != Split::Train) {
            held_back.insert(photo.unit());
        }
    }
    // A picture that is held back too is no part of what is watched: the author's word stays.
    for photo in photos.iter_mut().filter(|photo| photo.label.is_some()) {
        if photo.split.is_none() && held_back.contains(&photo.unit()) {
            photo.split = Some(Split::Train);
        }
    }
    let is_free = |photo: &Photo| photo.label.is_some() && !held_back.contains(&photo.unit());
    let free: Vec<usize> = (0..photos.len()).filter(|&index| is_free(&photos[index])).collect();
    let mut learned: Vec<Photo> = free.iter().map(|&index| photos[index].clone()).collect();
    share_out(&mut learned, seed, &Ratios { test: 0, ..*ratios });
    for (index, photo) in free.into_iter().zip(learned) {
        photos[index].split = photo.split;
    }
}

fn share_out(photos: &mut [Photo], seed: u64, ratios: &Ratios) {
    let fixed: Vec<bool> = photos.iter().map(|photo| photo.split.is_some()).collect();
    let mut units = BTreeMap::<PhotoId, Vec<usize>>::new();
    for (index, photo) in photos.iter().enumerate() {
        if photo.label.is_some() {
            units.entry(photo.unit()).or_default().push(index);
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
    if ratios.test > 0 {
        hold_back(photos, &fixed, ratios);
    }
}

/// Sees to it that each class of two or more photos has a test photo, as far as its photos are not `fixed`.
fn hold_back(photos: &mut [Photo], fixed: &[bool], ratios: &Ratios) {
    let (mut classes, mut units) = (BTreeMap::new(), BTreeMap::new());
    for (index, photo) in photos.iter().enumerate() {
        let Some(label) = &photo.label else { continue };
        classes.entry(label.clone()).or_insert_with(Vec::new).push(index);
        units.entry(photo.unit()).or_insert_with(Vec::new).push(index);
    }
    for members in classes.into_values() {
        if members.len() < 2
            || members.iter().any(|&index| photos[index].split == Some(Split::Test))
        {
            continue;
        }
        let of_class: BTreeSet<PhotoId> =
            members.iter().map(|&index| photos[index].unit()).collect();
        let is_free = |unit: &Vec<usize>| unit.iter().all(|&index| !fixed[index]);
        let smallest = of_class
            .iter()
            .filter_map(|unit| units.get(unit))
            .filter(|unit| {
                let own = unit.iter().filter(|index| members.contains(index)).count();
                2 * own <= members.len() && is_free(unit)
            })
            .min_by_key(|unit| unit.len());
        if let Some(unit) = smallest {
            unit.iter().for_each(|&index| photos[index].split = Some(Split::Test));
            continue;
        }
        let mut free: Vec<usize> = members.iter().copied().filter(|&index| !fixed[index]).collect();
        // Several groups that cannot be held back stay as they are: only a single one is cut.
        if free.len() < 2 || of_class.len() > 1 {
            continue;
        }
        free.sort_by(|&one, &other| series::in_time(&photos[one].name, &photos[other].name));
        let [validation, test] = ratios.targets(free.len());
        let learned = free.len() - validation - test;
        for (place, index) in free.into_iter().enumerate() {
            let split = match place {
                _ if place < learned => Split::Train,
                _ if place < learned + validation => Split::Validation,
                _ => Split::Test,
            };
            // Its copies under other labels go with it.
            let id = photos[index].id;
            let copies =
                photos.iter_mut().zip(fixed).filter(|(photo, fixed)| photo.id == id && !**fixed);
            copies.for_each(|(photo, _)| photo.split = Some(split));
        }
    }
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
                path: String::new(),
                own_split: None,
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
            (2, [1, 0, 1]),
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
    fn a_class_that_is_one_group_is_cut_in_time() {
        let mut members = photos("rose", 40);
        members.extend(photos("tulip", 40));
        let group = Some(members[0].id);
        members.iter_mut().take(40).for_each(|photo| photo.group = group);
        assign(&mut members, 1, &Ratios::default()).unwrap();
        assert_eq!(Split::ALL.map(|s| count(&members[..40], s)), [32, 2, 6]);
        let split_of = |number: usize| members[number].split;
        assert!((0..32).all(|number| split_of(number) == Some(Split::Train)));
        assert!((34..40).all(|number| split_of(number) == Some(Split::Test)));
        // Who has a split already is not moved.
        let before = members.clone();
        assign(&mut members, 2, &Ratios::default()).unwrap();
        assert_eq!(members, before);
    }

    #[test]
    fn of_two_groups_the_smaller_is_held_back_whole() {
        let mut members = photos("rose", 40);
        let groups = [members[0].id, members[30].id];
        for (number, photo) in members.iter_mut().enumerate() {
            photo.group = Some(groups[usize::from(number >= 30)]);
        }
        assign(&mut members, 1, &Ratios::default()).unwrap();
        assert_eq!(count(&members[..30], Split::Train), 30);
        assert_eq!(count(&members[30..], Split::Test), 10);
    }

    #[test]
    fn the_authors_split_is_taken_and_only_what_is_watched_is_chosen() {
        let mut members = photos("rose", 60);
        for (number, photo) in members.iter_mut().enumerate() {
            photo.own_split = [Some(Split::Train), Some(Split::Test), None][(number + 10) / 30];
        }
        // One picture on both sides: the author's word stays.
        let group = Some(members[0].id);
        for number in [0, 30] {
            members[number].group = group;
        }
        let shared = split(members.clone(), 1);
        assert_eq!(count(&shared[..20], Split::Test) + count(&shared[50..], Split::Test), 0);
        assert_eq!(
            (count(&shared[20..50], Split::Test), shared[0].split),
            (30, Some(Split::Train))
        );
        assert_eq!(count(&shared, Split::Validation), 1);
        members[0].own_split = Some(Split::Validation);
        let shared = split(members, 1);
        assert_eq!(Split::ALL.map(|part| count(&shared, part)), [29, 1, 30]);
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
            // A class that would have no test photo holds a whole group back.
            let size = |photo: &Photo| members.iter().filter(|p| p.group == photo.group).count();
            let largest = members.iter().filter(|p| p.group.is_some()).map(size).max().unwrap_or(0);
            prop_assert!(held <= members.len() * 15 / 100 + sizes.len() * (largest + 1));
        }
    }
}
