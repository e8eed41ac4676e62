//! The five flowers.

use super::canvas::{Canvas, Petal, Point, Rgb, hsv, mix};
use super::dice::Dice;
use std::f32::consts::TAU;

/// The angle between one leaf and the next in most plants, in radians.
const GOLDEN_ANGLE: f32 = 2.399_963;

/// Where a flower's disc lies in the picture: seen from above, or tilted.
#[derive(Debug, Clone, Copy)]
pub struct Pose {
    /// Its middle.
    pub centre: Point,
    /// Its radius.
    pub radius: f32,
    /// The foreshortening, 1 from above, and its direction.
    squash: f32,
    turn: f32,
}

impl Pose {
    /// A random tilt at this place.
    pub fn new(centre: Point, radius: f32, dice: &mut Dice) -> Self {
        let squash =
            if dice.chance(0.5) { dice.between(0.85, 1.0) } else { dice.between(0.5, 0.9) };
        Self { centre, radius, squash, turn: dice.between(-0.6, 0.6) }
    }

    /// From the flower's plane (radius 1) to the picture.
    fn vector(&self, angle: f32, length: f32) -> Point {
        let (x, y) = (angle.cos() * length, angle.sin() * length * self.squash);
        let (sin, cos) = self.turn.sin_cos();
        [(x * cos - y * sin) * self.radius, (x * sin + y * cos) * self.radius]
    }

    fn point(&self, angle: f32, length: f32) -> Point {
        let [x, y] = self.vector(angle, length);
        [self.centre[0] + x, self.centre[1] + y]
    }

    /// A petal that points away from the middle, from `from` to `to` of the radius.
    fn petal(
        &self,
        angle: f32,
        [from, to]: [f32; 2],
        half_width: f32,
        outline: [f32; 2],
        colours: [Rgb; 2],
    ) -> Petal {
        Petal {
            across: self.vector(angle + TAU / 4.0, half_width),
            colours,
            ..Petal::new(
                self.point(angle, from),
                self.vector(angle, to - from),
                half_width,
                outline,
                colours[0],
            )
        }
    }
}

/// A disc of florets in a spiral, as in the middle of daisy and sunflower; `rim` and `middle` are its colours.
fn florets(
    canvas: &mut Canvas,
    dice: &mut Dice,
    pose: &Pose,
    radius: f32,
    count: u32,
    [middle, rim]: [Rgb; 2],
) {
    for ring in 0..12 {
        let part = 1.0 - ring as f32 / 12.0;
        let colour = mix(middle, rim, part * part).map(|c| c * (0.75 + 0.25 * (1.0 - part)));
        let mut step = pose.petal(
            0.0,
            [-radius * part, radius * part],
            radius * part,
            [0.5, 0.5],
            [colour; 2],
        );
        step.shadow = if ring == 0 { 0.45 } else { 0.0 };
        canvas.paint(&step);
    }
    for i in 0..count {
        let part = (i as f32 + 0.5) / count as f32;
        let at = radius * part.sqrt() * 0.97;
        let angle = i as f32 * GOLDEN_ANGLE;
        let colour = mix(middle, rim, part).map(|c| c * dice.between(0.8, 1.3));
        let size = radius * 0.8 / (count as f32).sqrt();
        let seed = pose.petal(
            angle,
            [at - size, at + size],
            size,
            [0.5, 0.5],
            [colour.map(|c| c * 0.6), colour],
        );
        canvas.paint(&seed);
    }
}

/// White or faintly pink rays, narrow and blunt, around a yellow disc.
pub fn daisy(canvas: &mut Canvas, dice: &mut Dice, pose: &Pose) {
    let petals = dice.whole(13, 30);
    let tip = if dice.chance(0.75) {
        hsv(dice.between(30.0, 60.0), dice.between(0.0, 0.06), 0.97)
    } else {
        hsv(dice.between(290.0, 345.0), dice.between(0.1, 0.4), 0.95)
    };
    let base = mix(tip, [0.75, 0.78, 0.7], 0.6);
    let disc = dice.between(0.24, 0.36);
    let half = dice.between(0.75, 1.1) * 2.2 / petals as f32;
    let round = dice.between(0.18, 0.4);
    for layer in 0..2 {
        for i in 0..petals {
            let angle =
                (i as f32 + 0.5 * layer as f32 + dice.between(-0.2, 0.2)) * TAU / petals as f32;
            let reach = dice.between(0.86, 1.0) * (1.0 - 0.06 * layer as f32);
            let dim = dice.between(0.88, 1.0) * (0.88 + 0.12 * layer as f32);
            let colours = [base, tip].map(|colour| colour.map(|c| c * dim));
            let mut petal = pose.petal(angle, [disc * 0.7, reach], half, [0.45, round], colours);
            petal.bend = dice.between(-0.4, 0.4);
            petal.rib = 0.05;
            petal.edge = 0.08;
            petal.streaks = 0.035;
            petal.shadow = 0.3;
            canvas.paint(&petal);
        }
    }
    let hue = dice.between(42.0, 54.0);
    let colours = [hsv(hue, 0.85, 0.98), hsv(hue - 8.0, 0.95, 0.82)];
    florets(canvas, dice, pose, disc, 90, colours);
}

/// A dense golden head of narrow florets, or the white globe of its seeds.
pub fn dandelion(canvas: &mut Canvas, dice: &mut Dice, pose: &Pose) {
    if dice.chance(0.3) {
        return seed_head(canvas, dice, pose);
    }
    let hue = dice.between(46.0, 55.0);
    let value = dice.between(0.88, 1.0);
    let rings = dice.whole(6, 8);
    for ring in 0..rings {
        let part = ring as f32 / rings as f32;
        let count = (38.0 * (1.0 - part) + 10.0) as u32;
        let turn = dice.between(0.0, TAU);
        for i in 0..count {
            let angle = turn + (i as f32 + dice.between(-0.4, 0.4)) * TAU / count as f32;
            let reach = (1.0 - 0.85 * part) * dice.between(0.85, 1.04);
            let tip = hsv(
                hue + dice.between(-3.0, 4.0),
                dice.between(0.75, 0.95),
                value * dice.between(0.9, 1.0),
            );
            let base = hsv(hue - 12.0, 0.97, value * (0.55 + 0.25 * part));
            let inner = reach * dice.between(0.1, 0.35);
            let mut floret = pose.petal(
                angle,
                [inner, reach],
                dice.between(0.035, 0.055),
                [0.3, 0.14],
                [base, tip],
            );
            floret.bend = dice.between(-0.7, 0.7);
            floret.rib = 0.14;
            floret.shadow = 0.22;
            canvas.paint(&floret);
        }
    }
    for _ in 0..24 {
        let (angle, at) = (dice.between(0.0, TAU), dice.between(0.0, 0.16));
        let colour = hsv(hue - 6.0, 0.95, value * dice.between(0.75, 0.98));
        let mut floret =
            pose.petal(angle, [at, at + 0.1], 0.02, [0.3, 0.3], [colour.map(|c| c * 0.8), colour]);
        floret.shadow = 0.2;
        canvas.paint(&floret);
    }
}

fn seed_head(canvas: &mut Canvas, dice: &mut Dice, pose: &Pose) {
    let pose = Pose { squash: 1.0, ..*pose };
    let white = hsv(dice.between(30.0, 220.0), 0.03, 0.97);
    let seeds = dice.whole(90, 150);
    let heart = hsv(dice.between(25.0, 60.0), 0.4, dice.between(0.35, 0.6));
    canvas.paint(&pose.petal(0.0, [-0.14, 0.14], 0.14, [0.5, 0.5], [heart; 2]));
    for i in 0..seeds {
        // Points spread over a globe, seen from the front.
        let part = (i as f32 + 0.5) / seeds as f32;
        let at = part.sqrt() * dice.between(0.93, 1.0);
        let angle = i as f32 * GOLDEN_ANGLE;
        let dim = dice.between(0.75, 1.0);
        let colour = white.map(|c| c * dim);
        let thread = pose.petal(angle, [0.1, at], 0.006, [0.0, 0.0], [heart, colour]);
        canvas.paint(&thread);
        let tuft = pose.point(angle, at);
        let turn = dice.between(0.0, TAU);
        for hair in 0..9 {
            let direction = turn + hair as f32 * TAU / 9.0;
            let length = pose.radius * dice.between(0.11, 0.19);
            let along = [direction.cos() * length, direction.sin() * length];
            canvas.paint(&Petal::new(
                tuft,
                along,
                0.006 * pose.radius + 0.0012,
                [0.0, 0.5],
                colour,
            ));
        }
    }
}

/// Broad petals laid around one another, brighter at their rims, darker towards the heart.
pub fn rose(canvas: &mut Canvas, dice: &mut Dice, pose: &Pose) {
    let (hue, saturation, value) = match dice.whole(0, 9) {
        0..=3 => (dice.between(345.0, 363.0), dice.between(0.75, 0.95), dice.between(0.55, 0.9)),
        4..=6 => (dice.between(325.0, 350.0), dice.between(0.25, 0.65), dice.between(0.85, 1.0)),
        7 => (dice.between(15.0, 32.0), dice.between(0.35, 0.7), 0.98),
        8 => (dice.between(45.0, 55.0), dice.between(0.4, 0.75), 0.97),
        _ => (dice.between(30.0, 60.0), dice.between(0.03, 0.12), 0.97),
    };
    for _ in 0..dice.whole(2, 5) {
        let angle = dice.between(0.0, TAU);
        let colour = dice.near(110.0, 0.6, 0.4, 0.25);
        let reach = dice.between(1.15, 1.5);
        let mut leaf =
            pose.petal(angle, [0.5, reach], 0.26, [0.6, 0.8], [colour.map(|c| c * 0.7), colour]);
        leaf.rib = -0.2;
        leaf.shadow = 0.3;
        canvas.paint(&leaf);
    }
    let petals = dice.whole(19, 30);
    let turn = dice.between(0.0, TAU);
    let opening = dice.between(0.75, 1.1);
    for i in 0..petals {
        let part = i as f32 / petals as f32;
        let reach = (1.0 - part).powf(opening) * dice.between(0.95, 1.05) + 0.06;
        let angle = turn + i as f32 * GOLDEN_ANGLE + dice.between(-0.15, 0.15);
        let deep = 1.0 - 0.35 * part;
        let bright = value * deep * dice.between(0.9, 1.0);
        let tip = hsv(hue, saturation * dice.between(0.85, 1.0), bright);
        let base = hsv(
            hue - 4.0,
            (saturation * 1.15 + 0.08).min(1.0),
            bright * (0.88 - 0.48 * saturation),
        );
        let half = reach * dice.between(0.66, 0.82);
        // The heart's petals stand up around an offset middle.
        let inner = -0.25 * reach;
        let mut petal = pose.petal(angle, [inner, reach], half, [0.55, 0.3], [base, tip]);
        petal.edge = -0.16;
        petal.bend = dice.between(-0.12, 0.12);
        petal.streaks = 0.02;
        petal.shadow = 0.5;
        canvas.paint(&petal);
    }
    for i in 0..7 {
        let part = i as f32 / 7.0;
        let reach = 0.17 * (1.0 - part) + 0.02;
        let colour = hsv(hue, saturation, value * (0.9 - 0.3 * saturation - 0.22 * part));
        let mut curl = pose.petal(
            turn + 2.1 * i as f32,
            [-0.6 * reach, reach],
            reach * 0.8,
            [0.5, 0.3],
            [colour.map(|c| c * 0.5), colour],
        );
        curl.edge = -0.25;
        curl.shadow = 0.4;
        canvas.paint(&curl);
    }
}

/// Pointed golden rays in two rows around a large dark disc of seeds.
pub fn sunflower(canvas: &mut Canvas, dice: &mut Dice, pose: &Pose) {
    let petals = dice.whole(16, 26);
    let hue = dice.between(36.0, 52.0);
    let value = dice.between(0.85, 1.0);
    let disc = dice.between(0.36, 0.52);
    let half = dice.between(0.8, 1.15) * 3.0 / petals as f32;
    for layer in 0..2 {
        for i in 0..petals {
            let angle =
                (i as f32 + 0.5 * layer as f32 + dice.between(-0.25, 0.25)) * TAU / petals as f32;
            let reach = dice.between(0.85, 1.02) * (1.0 - 0.07 * layer as f32);
            let bright = value * dice.between(0.85, 1.0) * (0.82 + 0.18 * layer as f32);
            let tip = hsv(hue + dice.between(-3.0, 5.0), dice.between(0.75, 0.95), bright);
            let base = hsv(hue - 14.0, 0.97, bright * 0.72);
            let mut petal =
                pose.petal(angle, [disc * 0.75, reach], half, [0.55, 0.75], [base, tip]);
            petal.bend = dice.between(-0.6, 0.6);
            petal.rib = 0.16;
            petal.edge = 0.08;
            petal.streaks = 0.06;
            petal.shadow = 0.35;
            canvas.paint(&petal);
        }
    }
    let brown = hsv(dice.between(18.0, 32.0), dice.between(0.6, 0.85), dice.between(0.2, 0.38));
    let heart = if dice.chance(0.4) {
        hsv(dice.between(50.0, 80.0), 0.6, dice.between(0.3, 0.5))
    } else {
        brown.map(|c| c * 0.55)
    };
    florets(canvas, dice, pose, disc, 170, [heart, brown.map(|c| c * 1.25)]);
}

/// A cup of upright petals seen from the side, or open and seen from above.
pub fn tulip(canvas: &mut Canvas, dice: &mut Dice, pose: &Pose) {
    let (hue, saturation, value) = match dice.whole(0, 9) {
        0..=2 => (dice.between(348.0, 365.0), dice.between(0.8, 0.97), dice.between(0.7, 0.95)),
        3..=4 => (dice.between(320.0, 345.0), dice.between(0.35, 0.75), dice.between(0.8, 1.0)),
        5..=6 => (dice.between(44.0, 54.0), dice.between(0.65, 0.95), dice.between(0.9, 1.0)),
        7 => (dice.between(275.0, 300.0), dice.between(0.45, 0.75), dice.between(0.4, 0.75)),
        8 => (dice.between(14.0, 28.0), dice.between(0.75, 0.95), 0.97),
        _ => (dice.between(40.0, 60.0), dice.between(0.02, 0.1), 0.96),
    };
    let flame =
        if dice.chance(0.35) { hsv(50.0, 0.5, 0.97) } else { hsv(hue, saturation * 0.75, value) };
    let tip = hsv(hue, saturation, value);
    if dice.chance(0.2) {
        return open_tulip(canvas, dice, pose, [flame, tip]);
    }
    let lean = dice.between(-0.22, 0.22);
    let spread = dice.between(0.14, 0.34);
    let foot = [pose.centre[0] - lean * pose.radius, pose.centre[1] + 0.9 * pose.radius];
    let pointed = dice.between(0.35, 0.75);
    // Behind, sides, front: angle in units of `spread`, length, half width, light.
    let layers = [
        (-0.5, 1.72, 0.44, 0.62),
        (0.55, 1.75, 0.44, 0.66),
        (-1.0, 1.8, 0.42, 0.86),
        (1.0, 1.78, 0.42, 0.82),
        (0.05, 1.62, 0.5, 1.0),
    ];
    for (side, length, half, bright) in layers {
        let angle = lean + side * spread + dice.between(-0.05, 0.05);
        let length = length * pose.radius * dice.between(0.94, 1.06);
        let along = [angle.sin() * length, -angle.cos() * length];
        let light = bright * dice.between(0.94, 1.04);
        let mut petal = Petal::new(foot, along, half * pose.radius, [0.38, pointed], tip);
        petal.colours = [flame, tip].map(|colour| colour.map(|c| c * light));
        petal.bend = -side * dice.between(0.3, 0.6);
        petal.rib = 0.12;
        petal.edge = 0.2;
        petal.streaks = 0.045;
        petal.shadow = 0.4;
        canvas.paint(&petal);
    }
}

fn open_tulip(canvas: &mut Canvas, dice: &mut Dice, pose: &Pose, [flame, tip]: [Rgb; 2]) {
    let turn = dice.between(0.0, TAU);
    for i in 0..6 {
        // The three outer petals first.
        let angle = turn + (i % 3) as f32 * TAU / 3.0 + if i < 3 { 0.0 } else { TAU / 6.0 };
        let light = if i < 3 { 0.82 } else { 1.0 } * dice.between(0.92, 1.04);
        let colours = [flame, tip].map(|colour| colour.map(|c| c * light));
        let mut petal = pose.petal(angle, [0.0, dice.between(0.9, 1.02)], 0.4, [0.5, 0.5], colours);
        petal.rib = 0.14;
        petal.edge = 0.12;
        petal.streaks = 0.05;
        petal.shadow = 0.4;
        canvas.paint(&petal);
    }
    let heart = if dice.chance(0.5) { [0.12, 0.08, 0.12] } else { hsv(52.0, 0.7, 0.9) };
    let mut disc = pose.petal(0.0, [-0.16, 0.16], 0.16, [0.5, 0.5], [heart; 2]);
    disc.edge = 0.3;
    canvas.paint(&disc);
    for i in 0..6 {
        let angle = turn + 0.3 + i as f32 * TAU / 6.0;
        let colour = hsv(48.0, 0.6, 0.75);
        canvas.paint(&pose.petal(
            angle,
            [0.08, 0.26],
            0.025,
            [0.2, 0.3],
            [colour.map(|c| c * 0.4), colour],
        ));
    }
}
