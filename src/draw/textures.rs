//! Surfaces without a thing on them: patterns, walls, printed pages.

use super::canvas::{Canvas, Petal, Point, Rgb, hsv, mix};
use super::dice::Dice;
use super::scenery::hash;
use std::f32::consts::{FRAC_PI_2, PI};

/// A random colour, any hue.
fn colour(dice: &mut Dice) -> Rgb {
    hsv(dice.between(0.0, 360.0), dice.between(0.0, 0.9), dice.between(0.1, 1.0))
}

/// Two colours that differ in brightness.
fn two_colours(dice: &mut Dice) -> [Rgb; 2] {
    let (first, second) = (colour(dice), colour(dice));
    let brightness = |c: Rgb| c[0] + c[1] + c[2];
    if (brightness(first) - brightness(second)).abs() > 0.6 {
        [first, second]
    } else {
        [first.map(|c| 0.35 * c), second.map(|c| 0.45 + 0.55 * c)]
    }
}

fn turned(p: Point, angle: f32) -> Point {
    let (sin, cos) = angle.sin_cos();
    [p[0] * cos - p[1] * sin, p[0] * sin + p[1] * cos]
}

/// Fields of two colours, in squares or diamonds.
pub fn checks(size: usize, dice: &mut Dice) -> Canvas {
    let [first, second] = two_colours(dice);
    let (cells, angle) = (dice.between(3.0, 14.0), dice.between(0.0, FRAC_PI_2));
    Canvas::new(size, |p| {
        let [x, y] = turned(p, angle);
        let odd = ((x * cells).floor() + (y * cells).floor()).rem_euclid(2.0) >= 1.0;
        if odd { first } else { second }
    })
}

/// Parallel or concentric bands, sharp or soft.
pub fn stripes(size: usize, dice: &mut Dice) -> Canvas {
    let [first, second] = two_colours(dice);
    let (bands, angle) = (dice.between(3.0, 20.0), dice.between(0.0, PI));
    let (rings, sharp) = (dice.chance(0.3), dice.between(1.0, 12.0));
    let centre = [dice.between(0.0, 1.0), dice.between(0.0, 1.0)];
    Canvas::new(size, |p| {
        let along =
            if rings { (p[0] - centre[0]).hypot(p[1] - centre[1]) } else { turned(p, angle)[0] };
        let wave = (along * bands * std::f32::consts::TAU).sin() * sharp;
        mix(first, second, 0.5 + 0.5 * wave.clamp(-1.0, 1.0))
    })
}

/// Smooth noise of several scales between two colours: clouds, marble, smoke, sand.
pub fn clouds(size: usize, dice: &mut Dice) -> Canvas {
    let [first, second] = two_colours(dice);
    let (cells, octaves) = (dice.between(2.0, 16.0), dice.whole(1, 5));
    let stretch = [dice.between(0.4, 2.5), 1.0];
    let seed = dice.whole(0, u32::MAX - 1);
    Canvas::new(size, |p| {
        let (mut sum, mut weight, mut total) = (0.0, 1.0, 0.0);
        for octave in 0..octaves {
            let scale = cells * (1 << octave) as f32;
            let at = [p[0] * scale * stretch[0], p[1] * scale * stretch[1]];
            sum += weight * smooth_noise(seed.wrapping_add(octave), at);
            total += weight;
            weight *= 0.55;
        }
        mix(first, second, (1.6 * (sum / total - 0.5) + 0.5).clamp(0.0, 1.0))
    })
}

/// Random numbers on the whole points, interpolated smoothly between them.
fn smooth_noise(seed: u32, [x, y]: Point) -> f32 {
    let corner = |dx: f32, dy: f32| {
        // The hash tells places in the unit square apart by 1/8191.
        hash(seed, [(x.floor() + dx + 1.0) / 1024.0, (y.floor() + dy + 1.0) / 1024.0])
    };
    let ease = |t: f32| t * t * (3.0 - 2.0 * t);
    let (across, down) = (ease(x - x.floor()), ease(y - y.floor()));
    let row = |dy: f32| corner(0.0, dy) + (corner(1.0, dy) - corner(0.0, dy)) * across;
    row(0.0) + (row(1.0) - row(0.0)) * down
}

/// A wall of bricks or tiles.
pub fn bricks(size: usize, dice: &mut Dice) -> Canvas {
    let hue = if dice.chance(0.6) { dice.between(5.0, 35.0) } else { dice.between(0.0, 360.0) };
    let brick = hsv(hue, dice.between(0.15, 0.7), dice.between(0.35, 0.8));
    let mortar = hsv(dice.between(20.0, 60.0), dice.between(0.0, 0.2), dice.between(0.5, 0.95));
    let (rows, ratio) = (dice.between(5.0, 16.0), dice.between(1.0, 3.2));
    let (gap, shift) = (dice.between(0.06, 0.16), if dice.chance(0.75) { 0.5 } else { 0.0 });
    let seed = dice.whole(0, u32::MAX - 1);
    Canvas::new(size, |p| {
        let row = (p[1] * rows).floor();
        let x = p[0] * rows / ratio + shift * row.rem_euclid(2.0);
        let inside = [x - x.floor(), p[1] * rows - row];
        if inside[0] < gap / ratio || inside[1] < gap {
            return mortar;
        }
        let shade = 0.75 + 0.5 * hash(seed, [(x.floor() + 2.0) / 64.0, (row + 2.0) / 64.0]);
        brick.map(|c| c * shade)
    })
}

/// A printed page: lines of words, perhaps a picture in a frame.
pub fn page(size: usize, dice: &mut Dice) -> Canvas {
    let paper = hsv(dice.between(30.0, 60.0), dice.between(0.0, 0.15), dice.between(0.85, 1.0));
    let ink = hsv(dice.between(0.0, 360.0), dice.between(0.0, 0.6), dice.between(0.0, 0.3));
    let mut canvas = Canvas::new(size, |_| paper);
    let (lines, margin) = (dice.whole(7, 18), dice.between(0.04, 0.14));
    let height = (1.0 - 2.0 * margin) / lines as f32;
    for line in 0..lines {
        let y = margin + (line as f32 + 0.5) * height;
        let end = if dice.chance(0.2) { dice.between(0.4, 0.8) } else { 1.0 - margin };
        let mut x = margin;
        while x < end {
            let word = dice.between(0.03, 0.13).min(end - x);
            canvas.paint(&Petal::new([x, y], [word, 0.0], 0.24 * height, [0.0, 0.0], ink));
            x += word + 0.022;
        }
    }
    if dice.chance(0.4) {
        let [top, left] = [dice.between(0.1, 0.5), dice.between(0.1, 0.5)];
        let frame = colour(dice);
        let picture = Petal::new([left, top + 0.15], [0.4, 0.0], 0.15, [0.0, 0.0], frame);
        canvas.paint(&picture);
    }
    canvas
}
