//! Backgrounds of drawn pictures, and the light upon everything.

use super::canvas::{Canvas, Petal, Point, Rgb, hsv, mix};
use super::dice::Dice;

/// A background: meadow, sky, dark studio, out-of-focus garden or plain wall.
pub fn background(size: usize, dice: &mut Dice) -> Canvas {
    match dice.whole(0, 9) {
        0..=3 => meadow(size, dice),
        4..=5 => sky(size, dice),
        6 => studio(size, dice),
        7..=8 => garden(size, dice),
        _ => wall(size, dice),
    }
}

fn gradient(size: usize, top: Rgb, bottom: Rgb) -> Canvas {
    Canvas::new(size, |[_, y]| mix(top, bottom, y))
}

fn meadow(size: usize, dice: &mut Dice) -> Canvas {
    let hue = dice.between(75.0, 130.0);
    let light = dice.between(0.35, 0.75);
    let mut canvas = gradient(
        size,
        hsv(hue, 0.45, light),
        hsv(hue + 8.0, 0.65, light * dice.between(0.35, 0.7)),
    );
    for layer in 0..3 {
        let near = layer as f32 / 2.0;
        for _ in 0..dice.whole(25, 60) {
            let foot = [dice.between(-0.1, 1.1), dice.between(0.25 + 0.4 * near, 1.3)];
            let rise = dice.between(0.15, 0.5);
            let value = light * dice.between(0.45, 1.15);
            let colour = dice.near(hue, 0.6, value, 0.3);
            let blade = [dice.between(-0.25, 0.25), -rise];
            let mut blade = Petal::new(foot, blade, dice.between(0.006, 0.022), [0.3, 0.9], colour);
            blade.colours[0] = colour.map(|c| c * 0.55);
            blade.bend = dice.between(-4.0, 4.0);
            canvas.paint(&blade);
        }
        canvas.blur(0.02 * (1.0 - near) + dice.between(0.0, 0.012));
    }
    canvas
}

fn sky(size: usize, dice: &mut Dice) -> Canvas {
    let hue = dice.between(200.0, 225.0);
    let top = hsv(hue, dice.between(0.4, 0.8), dice.between(0.6, 0.95));
    let mut canvas = gradient(size, top, hsv(hue - 8.0, dice.between(0.1, 0.4), 0.97));
    for _ in 0..dice.whole(0, 4) {
        let middle = [dice.between(0.0, 1.0), dice.between(0.05, 0.8)];
        for _ in 0..10 {
            let puff = [middle[0] + dice.between(-0.2, 0.2), middle[1] + dice.between(-0.05, 0.05)];
            let half = dice.between(0.03, 0.1);
            canvas.paint(&Petal::disc(puff, [half * 1.4, half * 0.8], [0.97; 3]));
        }
    }
    canvas.blur(0.025);
    if dice.chance(0.5) {
        let colour = dice.near(105.0, 0.55, 0.4, 0.25);
        for x in 0..14 {
            let foot = [x as f32 / 13.0, 1.05];
            let half = [dice.between(0.06, 0.14), dice.between(0.05, 0.2)];
            canvas.paint(&Petal::disc(foot, half, mix(colour, [0.0; 3], dice.between(0.0, 0.3))));
        }
        canvas.blur(0.015);
    }
    canvas
}

fn studio(size: usize, dice: &mut Dice) -> Canvas {
    let colour = hsv(dice.between(0.0, 360.0), dice.between(0.0, 0.5), dice.between(0.05, 0.35));
    let light = [dice.between(0.0, 1.0), dice.between(0.0, 0.6)];
    Canvas::new(size, |p| {
        let distance = (p[0] - light[0]).hypot(p[1] - light[1]);
        colour.map(|c| c * (1.5 - distance).max(0.15))
    })
}

fn garden(size: usize, dice: &mut Dice) -> Canvas {
    let hue = dice.between(70.0, 140.0);
    let mut canvas = gradient(
        size,
        hsv(hue, 0.4, dice.between(0.3, 0.8)),
        hsv(hue + 15.0, 0.6, dice.between(0.15, 0.5)),
    );
    let accent = dice.between(0.0, 360.0);
    for _ in 0..dice.whole(12, 40) {
        let spot = [dice.between(-0.05, 1.05), dice.between(-0.05, 1.05)];
        let colour = if dice.chance(0.35) {
            dice.near(accent, 0.5, 0.85, 0.6)
        } else {
            dice.near(hue, 0.5, 0.5, 0.7)
        };
        let half = dice.between(0.02, 0.11);
        let mut disc = Petal::disc(spot, [half, half], colour);
        disc.edge = -0.15;
        canvas.paint(&disc);
    }
    canvas.blur(dice.between(0.012, 0.045));
    canvas
}

fn wall(size: usize, dice: &mut Dice) -> Canvas {
    let colour = hsv(dice.between(0.0, 360.0), dice.between(0.0, 0.35), dice.between(0.5, 0.98));
    let far = colour.map(|c| c * dice.between(0.6, 0.95));
    gradient(size, colour, far)
}

/// A stem from `top` down out of the picture, with `leaves` leaves of half width `leaf_width` of their length.
pub fn stem(
    canvas: &mut Canvas,
    dice: &mut Dice,
    top: Point,
    thickness: f32,
    leaves: u32,
    leaf_width: f32,
) {
    let hue = dice.between(85.0, 125.0);
    let value = dice.between(0.35, 0.65);
    let fall = [dice.between(-0.15, 0.15), 1.2 - top[1]];
    let bend = dice.between(-3.0, 3.0);
    let mut stalk = Petal::new(top, fall, thickness, [0.0, 0.0], hsv(hue, 0.6, value));
    stalk.bend = bend;
    stalk.edge = 0.45;
    for _ in 0..leaves {
        let u = dice.between(0.25, 0.75);
        let sideways = bend * u * u;
        let foot = [0, 1].map(|axis| top[axis] + fall[axis] * u + stalk.across[axis] * sideways);
        let side = if dice.chance(0.5) { 1.0 } else { -1.0 };
        let angle = side * dice.between(0.35, 1.1);
        let length = dice.between(9.0, 17.0) * thickness + 0.08;
        let tip = [angle.sin() * length, -angle.cos() * length];
        let colour = dice.near(hue, 0.6, value, 0.2);
        let mut leaf = Petal::new(foot, tip, length * leaf_width, [0.6, 0.9], colour);
        leaf.colours[0] = colour.map(|c| c * 0.7);
        leaf.bend = side * dice.between(0.0, 0.8);
        leaf.rib = -0.25;
        leaf.streaks = 0.06;
        leaf.shadow = 0.25;
        canvas.paint(&leaf);
    }
    canvas.paint(&stalk);
}

/// The light of the day, the lens and the film: direction, warmth, vignette, softness and grain.
pub fn light(canvas: &mut Canvas, dice: &mut Dice) {
    if dice.chance(0.3) {
        canvas.blur(dice.between(0.002, 0.009));
    }
    let angle = dice.between(0.0, std::f32::consts::TAU);
    let slant = dice.between(0.0, 0.35);
    let toward = [angle.cos() * slant, angle.sin() * slant];
    let exposure = dice.between(0.75, 1.2);
    let warmth = dice.between(-0.1, 0.12);
    let vignette = dice.between(0.0, 0.5);
    let contrast = dice.between(0.8, 1.15);
    let tint = [1.0 + warmth, 1.0, 1.0 - warmth];
    canvas.each(|p, colour| {
        let d = [p[0] - 0.5, p[1] - 0.5];
        let falloff = 1.0 - vignette * (d[0] * d[0] + d[1] * d[1]);
        let bright = exposure * falloff * (1.0 + d[0] * toward[0] + d[1] * toward[1]);
        [0, 1, 2].map(|c| (0.5 + (colour[c] * bright * tint[c] - 0.5) * contrast).clamp(0.0, 1.0))
    });
    let grain = dice.between(0.0, 0.03);
    let seed = dice.whole(0, u32::MAX - 1);
    canvas.each(|p, colour| {
        let noise = grain * (hash(seed, p) - 0.5);
        colour.map(|c| c + noise)
    });
}

/// A number in [0, 1) that depends on the place alone.
pub fn hash(seed: u32, p: Point) -> f32 {
    let mut word = seed ^ ((p[0] * 8191.0) as u32).wrapping_mul(0x9E37_79B9);
    word = (word ^ (word >> 15)).wrapping_add((p[1] * 8191.0) as u32).wrapping_mul(0x85EB_CA6B);
    word = (word ^ (word >> 13)).wrapping_mul(0xC2B2_AE35);
    (word >> 8) as f32 / 16_777_216.0
}
