//! Flowers drawn by the program: five classes for a first run without photos, for tests and for pictures in docs; and
//! pictures that show none of them.
//!
//! A picture is a pure function of seed, class, index and size (up to rounding of sines between machines).

mod canvas;
mod dice;
mod flowers;
mod others;
mod scenery;
mod textures;
mod things;

pub use others::{HELD_OUT_OTHERS, LEARNED_OTHERS, draw_other};

use crate::data::library::Library;
use crate::data::photo::{Photo, PhotoId};
use crate::data::resize::LARGEST_SIZE;
use crate::error::{Error, Result, Words};
use canvas::Canvas;
use dice::Dice;
use flowers::Pose;

/// The classes, in the order of their numbers.
pub const CLASSES: [&str; 5] = ["daisy", "dandelion", "rose", "sunflower", "tulip"];

/// Draws the `index`-th picture of a class: `[size, size, 4]` RGBA bytes, opaque.
///
/// # Errors
/// [`Error::Unknown`] if there is no such class, [`Error::Setting`] if the size is not in `8..=LARGEST_SIZE`.
///
/// ```
/// let rose = floret::draw::draw(1, "rose", 0, 32)?;
/// assert_eq!(rose.len(), 32 * 32 * 4);
/// # Ok::<(), floret::error::Error>(())
/// ```
pub fn draw(seed: u64, class: &str, index: u32, size: usize) -> Result<Vec<u8>> {
    let number = CLASSES
        .iter()
        .position(|name| *name == class)
        .ok_or_else(|| Error::unknown(Words::of("what.drawn_flower"), class, CLASSES))?;
    check_size(size)?;
    let mut dice = Dice::new(seed, number as u32, index);
    let mut canvas = scenery::background(size, &mut dice);
    for _ in 0..if dice.chance(0.4) { dice.whole(1, 5) } else { 0 } {
        let centre = [dice.between(0.0, 1.0), dice.between(0.1, 0.9)];
        let pose = Pose::new(centre, dice.between(0.06, 0.13), &mut dice);
        flower(&mut canvas, &mut dice, number, &pose);
    }
    canvas.blur(dice.between(0.0, 0.03));
    for pose in bouquet(&mut dice) {
        let (leaves, width) =
            if number == 4 { (dice.whole(1, 3), 0.12) } else { (dice.whole(0, 2), 0.24) };
        let thickness = pose.radius * if number == 4 { 0.07 } else { 0.06 };
        scenery::stem(&mut canvas, &mut dice, pose.centre, thickness, leaves, width);
        flower(&mut canvas, &mut dice, number, &pose);
    }
    scenery::light(&mut canvas, &mut dice);
    Ok(canvas.finish())
}

fn check_size(size: usize) -> Result<()> {
    if (8..=LARGEST_SIZE).contains(&size) {
        return Ok(());
    }
    let expected = Words::of("expected.pixels").with("low", 8u32).with("high", LARGEST_SIZE);
    Err(Error::setting(Words::of("name.drawn_size"), expected, size))
}

/// Class and index of the picture of that number, where classes take turns.
///
/// ```
/// assert_eq!(floret::draw::numbered(7), ("rose", 1));
/// ```
pub fn numbered(number: u32) -> (&'static str, u32) {
    let classes = CLASSES.len() as u32;
    (CLASSES[(number % classes) as usize], number / classes)
}

/// Adds `per_class` drawn pictures of every class, labelled, to a library.
///
/// # Errors
/// [`Error::PhotoMemory`] if they do not fit, [`Error::Setting`] if the library's photos are too small to draw.
pub fn fill(library: &mut Library, seed: u64, per_class: u32) -> Result<()> {
    library.check_room(CLASSES.len() * per_class as usize)?;
    let size = library.stored_size();
    for index in 0..per_class {
        for class in CLASSES {
            let pixels = draw(seed, class, index, size)?;
            library.add(photo(seed, class, index, size), &pixels)?;
        }
    }
    Ok(())
}

/// The entry of a drawn picture in a library, without its pixels. It is the same picture at any size, and keeps its split.
pub fn photo(seed: u64, class: &str, index: u32, size: usize) -> Photo {
    Photo {
        id: PhotoId::of(format!("drawn {seed} {class} {index}").as_bytes()),
        name: format!("{class}/{index:04}"),
        label: Some(class.into()),
        split: None,
        path: String::new(),
        own_split: None,
        group: None,
        width: size,
        height: size,
    }
}

fn flower(canvas: &mut Canvas, dice: &mut Dice, class: usize, pose: &Pose) {
    match class {
        0 => flowers::daisy(canvas, dice, pose),
        1 => flowers::dandelion(canvas, dice, pose),
        2 => flowers::rose(canvas, dice, pose),
        3 => flowers::sunflower(canvas, dice, pose),
        _ => flowers::tulip(canvas, dice, pose),
    }
}

/// Places of the flowers in focus, those farther back first: mostly one, sometimes a few.
fn bouquet(dice: &mut Dice) -> Vec<Pose> {
    let count = match dice.whole(0, 9) {
        0..=5 => 1,
        6..=8 => dice.whole(2, 3),
        _ => dice.whole(4, 6),
    };
    let largest = [0.44, 0.3, 0.24, 0.2, 0.18, 0.17][count as usize - 1];
    let mut poses: Vec<Pose> = Vec::new();
    for i in 0..count {
        let radius = dice.between(0.55, 1.0) * largest;
        let room = if count == 1 { 0.14 } else { 0.34 };
        // A few tries to keep the flowers apart; petals may still overlap.
        for attempt in 0..8 {
            let centre = [0.5 + dice.between(-room, room), 0.48 + dice.between(-room, room)];
            let apart = |other: &Pose| {
                (other.centre[0] - centre[0]).hypot(other.centre[1] - centre[1])
                    > 0.85 * (other.radius + radius)
            };
            if poses.iter().all(apart) || (attempt == 7 && i == 0) {
                poses.push(Pose::new(centre, radius, dice));
                break;
            }
        }
    }
    poses.sort_by(|a, b| a.radius.total_cmp(&b.radius));
    poses
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_a_function_of_seed_class_and_index() {
        for class in CLASSES {
            let picture = draw(1, class, 0, 24).unwrap();
            assert_eq!(picture.len(), 24 * 24 * 4);
            assert!(picture.chunks_exact(4).all(|pixel| pixel[3] == 255));
            assert_eq!(picture, draw(1, class, 0, 24).unwrap());
            assert_ne!(picture, draw(2, class, 0, 24).unwrap());
            assert_ne!(picture, draw(1, class, 1, 24).unwrap());
        }
        assert_ne!(draw(1, "rose", 0, 24), draw(1, "tulip", 0, 24));
    }

    #[test]
    fn the_size_changes_the_detail_and_not_the_picture() {
        for class in CLASSES {
            let small = draw(3, class, 2, 32).unwrap();
            let large = draw(3, class, 2, 64).unwrap();
            let large = crate::data::resize::resize(&large, 64, 64, 32).unwrap();
            let difference: u32 =
                small.iter().zip(&large).map(|(a, b)| u32::from(a.abs_diff(*b))).sum();
            assert!(difference / (32 * 32 * 3) < 16, "{class}: {difference}");
        }
    }

    #[test]
    fn wrong_names_and_sizes_are_refused() {
        let error = draw(1, "rosa", 0, 32).unwrap_err();
        assert_eq!(error.to_string(), "unknown drawn flower `rosa`; did you mean `rose`?");
        assert!(matches!(draw(1, "rose", 0, 0), Err(Error::Setting { .. })));
    }

    #[test]
    fn fills_a_library_with_every_class() {
        let mut library = Library::new(16, 1 << 20).unwrap();
        fill(&mut library, 1, 3).unwrap();
        assert_eq!(library.classes(), CLASSES);
        assert!(library.counts().iter().all(|count| count.total == 3));
        assert!(fill(&mut Library::new(16, 1024).unwrap(), 1, 3).is_err());
    }
}
