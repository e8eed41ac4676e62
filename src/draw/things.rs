//! Faces, animals and things that are no flowers.

use super::canvas::{Canvas, Petal, Point, Rgb, hsv, mix};
use super::dice::Dice;
use super::scenery::background;

/// Where a thing stands in the picture; its own plane reaches from −1 to 1, y downwards.
struct Frame {
    centre: Point,
    half: f32,
    mirrored: bool,
}

impl Frame {
    /// A random place and size.
    fn new(dice: &mut Dice) -> Self {
        let half = dice.between(0.24, 0.46);
        let room = 0.5 - 0.8 * half;
        let centre = [0.5 + dice.between(-room, room), 0.52 + dice.between(-room, room)];
        Self { centre, half, mirrored: dice.chance(0.5) }
    }

    fn vector(&self, [x, y]: Point) -> Point {
        [if self.mirrored { -x } else { x } * self.half, y * self.half]
    }

    fn point(&self, at: Point) -> Point {
        let [x, y] = self.vector(at);
        [self.centre[0] + x, self.centre[1] + y]
    }

    /// An ellipse.
    fn disc(&self, canvas: &mut Canvas, at: Point, half_axes: [f32; 2], colour: Rgb) {
        let half_axes = half_axes.map(|axis| axis * self.half);
        canvas.paint(&Petal { edge: 0.12, ..Petal::disc(self.point(at), half_axes, colour) });
    }

    /// A bar from one point to another, of this half width; `outline` as in [`Petal::outline`].
    fn bar(
        &self,
        canvas: &mut Canvas,
        [from, to]: [Point; 2],
        half_width: f32,
        outline: [f32; 2],
        colour: Rgb,
    ) {
        let along = self.vector([to[0] - from[0], to[1] - from[1]]);
        canvas.paint(&Petal::new(self.point(from), along, half_width * self.half, outline, colour));
    }

    /// A rectangle by its left, top, right and bottom.
    fn block(&self, canvas: &mut Canvas, [left, top, right, bottom]: [f32; 4], colour: Rgb) {
        let middle = 0.5 * (top + bottom);
        let ends = [[left, middle], [right, middle]];
        self.bar(canvas, ends, 0.5 * (bottom - top), [0.0, 0.0], colour);
    }
}

fn paint_colour(dice: &mut Dice) -> Rgb {
    hsv(dice.between(0.0, 360.0), dice.between(0.1, 0.95), dice.between(0.25, 1.0))
}

const DARK: Rgb = [0.08, 0.08, 0.1];
const WHITE: Rgb = [0.95, 0.95, 0.93];

/// A face with hair, neck and shoulders.
pub fn face(size: usize, dice: &mut Dice) -> Canvas {
    let mut canvas = background(size, dice);
    let frame = Frame::new(dice);
    let skin = hsv(dice.between(15.0, 35.0), dice.between(0.2, 0.6), dice.between(0.3, 0.97));
    let hair = hsv(dice.between(15.0, 50.0), dice.between(0.1, 0.8), dice.between(0.05, 0.8));
    let clothes = paint_colour(dice);
    frame.disc(&mut canvas, [0.0, 1.5], [1.1, 0.7], clothes);
    frame.block(&mut canvas, [-0.22, 0.4, 0.22, 1.1], skin.map(|c| 0.85 * c));
    let long = dice.between(0.0, 0.7);
    frame.disc(&mut canvas, [0.0, -0.15 + 0.4 * long], [0.78, 0.85 + 0.4 * long], hair);
    frame.disc(&mut canvas, [0.0, 0.0], [dice.between(0.55, 0.66), 0.8], skin);
    frame.disc(&mut canvas, [0.0, -0.68], [0.55, dice.between(0.2, 0.34)], hair);
    let iris = hsv(dice.between(20.0, 230.0), 0.6, dice.between(0.2, 0.6));
    for side in [-1.0, 1.0] {
        frame.disc(&mut canvas, [0.25 * side, -0.1], [0.12, 0.07], WHITE);
        frame.disc(&mut canvas, [0.25 * side, -0.1], [0.06, 0.06], iris);
        frame.disc(&mut canvas, [0.25 * side, -0.1], [0.03, 0.03], DARK);
        let brow = [[0.12 * side, -0.25], [0.38 * side, -0.24]];
        frame.bar(&mut canvas, brow, 0.035, [0.3, 0.5], hair.map(|c| 0.7 * c));
    }
    let shade = skin.map(|c| 0.75 * c);
    frame.bar(&mut canvas, [[0.0, -0.1], [0.03, 0.2]], 0.06, [1.0, 0.3], shade);
    let (smile, lips) = (dice.between(0.03, 0.12), [skin[0], 0.55 * skin[1], 0.6 * skin[2]]);
    frame.disc(&mut canvas, [0.0, 0.42], [0.22, smile], lips);
    canvas
}

/// A cat's head above its body.
pub fn cat(size: usize, dice: &mut Dice) -> Canvas {
    let mut canvas = background(size, dice);
    let frame = Frame::new(dice);
    let fur = hsv(dice.between(15.0, 45.0), dice.between(0.0, 0.7), dice.between(0.15, 0.95));
    let stripe = fur.map(|c| 0.6 * c);
    frame.disc(&mut canvas, [0.25, 1.0], [0.8, 0.75], fur);
    for stripe_at in 0..dice.whole(0, 4) {
        let x = 0.15 + 0.22 * stripe_at as f32;
        frame.bar(&mut canvas, [[x, 0.45], [x + 0.1, 0.95]], 0.05, [0.5, 0.5], stripe);
    }
    for side in [-1.0, 1.0] {
        let ear = [[0.62 * side, -0.95], [0.3 * side, -0.2]];
        frame.bar(&mut canvas, ear, 0.3, [0.9, 0.1], fur);
        let inner = [[0.57 * side, -0.8], [0.35 * side, -0.3]];
        frame.bar(&mut canvas, inner, 0.16, [0.9, 0.1], [0.85, 0.6, 0.6]);
    }
    frame.disc(&mut canvas, [0.0, 0.0], [0.72, 0.6], fur);
    let iris = hsv(dice.between(40.0, 140.0), 0.7, 0.8);
    for side in [-1.0, 1.0] {
        frame.disc(&mut canvas, [0.28 * side, -0.08], [0.14, 0.13], iris);
        frame.disc(&mut canvas, [0.28 * side, -0.08], [0.04, 0.12], DARK);
        for whisker in [-1.0f32, 0.0, 1.0] {
            let ends = [[0.15 * side, 0.24], [0.85 * side, 0.24 + 0.12 * whisker]];
            frame.bar(&mut canvas, ends, 0.012, [0.0, 0.3], WHITE);
        }
    }
    frame.bar(&mut canvas, [[0.0, 0.28], [0.0, 0.15]], 0.09, [0.9, 0.2], [0.8, 0.45, 0.45]);
    canvas
}

/// A car from the side.
pub fn car(size: usize, dice: &mut Dice) -> Canvas {
    let mut canvas = background(size, dice);
    let frame = Frame::new(dice);
    let body = paint_colour(dice);
    let road = [0.3, 0.3, 0.32].map(|c| c * dice.between(0.6, 1.6));
    canvas.each(|p, colour| if p[1] > frame.point([0.0, 0.5])[1] { road } else { colour });
    let [front, back] = [dice.between(0.35, 0.6), dice.between(0.5, 0.85)];
    let roof = dice.between(0.32, 0.45);
    frame.bar(&mut canvas, [[-back, -0.25], [front, -0.25]], roof, [0.18, 0.3], body);
    let glass = [0.55, 0.7, 0.8].map(|c| c * dice.between(0.4, 1.1));
    frame.bar(&mut canvas, [[-back + 0.12, -0.3], [-0.03, -0.3]], 0.2, [0.3, 0.0], glass);
    frame.bar(&mut canvas, [[0.05, -0.3], [front - 0.1, -0.3]], 0.2, [0.0, 0.4], glass);
    frame.bar(&mut canvas, [[-1.0, 0.15], [1.0, 0.15]], 0.3, [0.1, 0.12], body);
    frame.disc(&mut canvas, [0.93, 0.08], [0.07, 0.08], [1.0, 0.95, 0.7]);
    frame.disc(&mut canvas, [-0.95, 0.08], [0.05, 0.08], [0.8, 0.1, 0.1]);
    let hub = [0.7; 3].map(|c| c * dice.between(0.6, 1.3));
    for x in [-0.55, 0.55] {
        frame.disc(&mut canvas, [x, 0.42], [0.25, 0.25], DARK);
        frame.disc(&mut canvas, [x, 0.42], [0.13, 0.13], hub);
    }
    canvas
}

/// A house with roof, door and windows.
pub fn house(size: usize, dice: &mut Dice) -> Canvas {
    let mut canvas = background(size, dice);
    let frame = Frame::new(dice);
    let wall = hsv(dice.between(15.0, 60.0), dice.between(0.0, 0.5), dice.between(0.5, 1.0));
    let roof = hsv(dice.between(0.0, 40.0), dice.between(0.2, 0.8), dice.between(0.2, 0.7));
    if dice.chance(0.6) {
        frame.block(&mut canvas, [0.4, -0.95, 0.6, -0.3], roof.map(|c| 0.7 * c));
    }
    frame.block(&mut canvas, [-0.8, -0.2, 0.8, 1.0], wall);
    let top = dice.between(-1.05, -0.7);
    frame.bar(&mut canvas, [[0.0, top], [0.0, -0.15]], dice.between(0.9, 1.1), [1.0, 0.0], roof);
    let glass = hsv(dice.between(40.0, 220.0), 0.4, dice.between(0.3, 0.9));
    for x in [-0.5, 0.5] {
        for y in [0.05, 0.6] {
            frame.block(&mut canvas, [x - 0.2, y - 0.16, x + 0.2, y + 0.16], WHITE);
            frame.block(&mut canvas, [x - 0.16, y - 0.13, x + 0.16, y + 0.13], glass);
        }
    }
    let door = paint_colour(dice).map(|c| 0.7 * c);
    frame.block(&mut canvas, [-0.14, 0.4, 0.14, 1.0], door);
    canvas
}

/// A cup with a handle, on a table.
pub fn cup(size: usize, dice: &mut Dice) -> Canvas {
    let mut canvas = background(size, dice);
    let frame = Frame::new(dice);
    let table = hsv(dice.between(20.0, 40.0), dice.between(0.2, 0.6), dice.between(0.3, 0.8));
    canvas.each(|p, colour| if p[1] > frame.point([0.0, 0.6])[1] { table } else { colour });
    let body = paint_colour(dice);
    let shade = body.map(|c| 0.8 * c);
    frame.disc(&mut canvas, [0.65, 0.05], [0.42, 0.45], shade);
    frame.disc(&mut canvas, [0.65, 0.05], [0.25, 0.28], mix(table, WHITE, 0.4));
    let taper = dice.between(0.0, 0.25);
    frame.bar(&mut canvas, [[0.0, 0.9], [0.0, -0.7]], 0.6, [taper, 0.0], body);
    if dice.chance(0.5) {
        let band = paint_colour(dice);
        frame.block(&mut canvas, [-0.56, -0.1, 0.56, 0.2], band);
    }
    frame.disc(&mut canvas, [0.0, -0.7], [0.6, 0.16], shade);
    let drink = hsv(dice.between(15.0, 45.0), 0.8, dice.between(0.15, 0.6));
    frame.disc(&mut canvas, [0.0, -0.68], [0.52, 0.12], drink);
    canvas
}

/// A ball, plain or with patches, lit from above.
pub fn ball(size: usize, dice: &mut Dice) -> Canvas {
    let mut canvas = background(size, dice);
    let frame = Frame::new(dice);
    let (colour, patch) = (paint_colour(dice), paint_colour(dice));
    for ring in 0..10 {
        let part = 1.0 - ring as f32 / 10.0;
        let at = [-0.3 * (1.0 - part), -0.35 * (1.0 - part)];
        let light = mix(colour, WHITE, 0.5 * (1.0 - part));
        frame.disc(&mut canvas, at, [0.9 * part; 2], light.map(|c| c * (1.1 - 0.4 * part)));
    }
    for _ in 0..dice.whole(0, 6) {
        let (angle, at) = (dice.between(0.0, std::f32::consts::TAU), dice.between(0.0, 0.6));
        let half = dice.between(0.1, 0.22);
        frame.disc(&mut canvas, [at * angle.cos(), at * angle.sin()], [half, half], patch);
    }
    canvas
}

/// Apples, oranges or plums, one to four.
pub fn fruit(size: usize, dice: &mut Dice) -> Canvas {
    let mut canvas = background(size, dice);
    for _ in 0..dice.whole(1, 4) {
        let frame = Frame::new(dice);
        let hue = [355.0, 28.0, 95.0, 290.0][dice.whole(0, 3) as usize];
        let skin = dice.near(hue, 0.8, 0.75, 0.3);
        for ring in 0..8 {
            let part = 1.0 - ring as f32 / 8.0;
            let at = [-0.25 * (1.0 - part), -0.3 * (1.0 - part)];
            let light = mix(skin, WHITE, 0.35 * (1.0 - part));
            frame.disc(&mut canvas, at, [0.72 * part, 0.68 * part], light);
        }
        frame.bar(&mut canvas, [[0.0, -0.5], [0.08, -0.95]], 0.04, [0.0, 0.2], [0.3, 0.2, 0.1]);
        if dice.chance(0.5) {
            let leaf = dice.near(110.0, 0.6, 0.45, 0.2);
            frame.bar(&mut canvas, [[0.05, -0.7], [0.5, -0.95]], 0.13, [0.6, 0.8], leaf);
        }
    }
    canvas
}

/// A tree with a trunk and a crown of leaves.
pub fn tree(size: usize, dice: &mut Dice) -> Canvas {
    let mut canvas = background(size, dice);
    let frame = Frame::new(dice);
    let bark = hsv(dice.between(20.0, 35.0), dice.between(0.2, 0.6), dice.between(0.15, 0.45));
    frame.bar(&mut canvas, [[0.0, 1.3], [0.0, -0.4]], 0.14, [0.0, 0.3], bark);
    let hue = if dice.chance(0.75) { 110.0 } else { 35.0 };
    for _ in 0..dice.whole(30, 80) {
        let (angle, at) = (dice.between(0.0, std::f32::consts::TAU), dice.between(0.0, 1.0).sqrt());
        let leaves = dice.near(hue, 0.6, 0.45, 0.5);
        let centre = [0.75 * at * angle.cos(), -0.4 + 0.6 * at * angle.sin()];
        let half = dice.between(0.08, 0.22);
        frame.disc(&mut canvas, centre, [half, half], leaves);
    }
    canvas
}
