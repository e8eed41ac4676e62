//! A small software renderer whose one shape is the petal: stems, leaves, seeds and discs are petals too.

/// Red, green and blue from 0 to 1, as displayed (not linear).
pub type Rgb = [f32; 3];

/// A point or vector; the picture is the unit square, y downwards.
pub type Point = [f32; 2];

/// Canvas pixels a side for one pixel of the picture; their mean smooths edges.
const OVERSAMPLING: usize = 2;

/// Samples of a petal's outline.
const OUTLINE_SAMPLES: usize = 64;

/// A petal: half width `u^a · (1 − u)^b` (scaled to 1 at its widest) at the part `u` of its length.
#[derive(Debug, Clone, Copy)]
pub struct Petal {
    /// Where it grows from.
    pub base: Point,
    /// From base to tip.
    pub along: Point,
    /// From the middle line to the edge, at the widest.
    pub across: Point,
    /// The exponents a and b: 0 is square, ½ round, 1 pointed.
    pub outline: [f32; 2],
    /// How far the tip lies beside the straight line, in half widths.
    pub bend: f32,
    /// At the base and at the tip.
    pub colours: [Rgb; 2],
    /// How dark the middle line is, from −1 (bright) to 1.
    pub rib: f32,
    /// How dark the edges are, from −1 (bright) to 1.
    pub edge: f32,
    /// How strong the lengthwise streaks are.
    pub streaks: f32,
    /// How dark the shadow is that it casts around itself, from 0 to 1.
    pub shadow: f32,
}

impl Petal {
    /// A plain petal of one colour; the other fields are then set where they matter.
    pub fn new(base: Point, along: Point, half_width: f32, outline: [f32; 2], colour: Rgb) -> Self {
        let length = along[0].hypot(along[1]).max(1e-6);
        let across = [-along[1] * half_width / length, along[0] * half_width / length];
        Self {
            base,
            along,
            across,
            outline,
            bend: 0.0,
            colours: [colour; 2],
            rib: 0.0,
            edge: 0.0,
            streaks: 0.0,
            shadow: 0.0,
        }
    }

    /// An ellipse with these half axes.
    pub fn disc(centre: Point, half_axes: [f32; 2], colour: Rgb) -> Self {
        let base = [centre[0] - half_axes[0], centre[1]];
        Self::new(base, [2.0 * half_axes[0], 0.0], half_axes[1], [0.5, 0.5], colour)
    }
}

/// A picture being painted.
pub struct Canvas {
    side: usize,
    pixels: Vec<Rgb>,
}

impl Canvas {
    /// A canvas for a picture of `size × size` pixels, coloured by `colour` of each point.
    pub fn new(size: usize, colour: impl Fn(Point) -> Rgb) -> Self {
        let side = size * OVERSAMPLING;
        let at = |i: usize| (i as f32 + 0.5) / side as f32;
        let pixels = (0..side * side).map(|i| colour([at(i % side), at(i / side)])).collect();
        Self { side, pixels }
    }

    /// Paints a petal over what is there.
    pub fn paint(&mut self, petal: &Petal) {
        let side = self.side as f32;
        let scale = |p: Point| [p[0] * side, p[1] * side];
        let (base, along, across) = (scale(petal.base), scale(petal.along), scale(petal.across));
        let determinant = along[0] * across[1] - along[1] * across[0];
        if determinant.is_nan() || determinant.abs() < 1e-3 {
            return;
        }
        let half_width = across[0].hypot(across[1]);
        let steepness = half_width / along[0].hypot(along[1]);
        let outline = outline(petal.outline);
        let reach = (0.35 * half_width).min(0.03 * side).max(1.5);
        let [columns, rows] = bounds(petal, base, along, across, reach, self.side);
        // A shadow lies within its reach; without one only the softened edge, two pixels at most, is outside.
        let beside = if petal.shadow > 0.0 { reach.max(2.0) } else { 2.0 };
        let widest = outline.iter().copied().fold(0.0, f32::max) + beside / half_width;
        for y in rows {
            let d = [0.5 - base[0], y as f32 + 0.5 - base[1]];
            let u = [(d[0] * across[1] - d[1] * across[0]) / determinant, across[1] / determinant];
            let v = [(along[0] * d[1] - along[1] * d[0]) / determinant, -along[1] / determinant];
            let [first, last] = touched(u, v, petal.bend, widest, &columns);
            for x in first..last {
                let d = [x as f32 + 0.5 - base[0], y as f32 + 0.5 - base[1]];
                let u = (d[0] * across[1] - d[1] * across[0]) / determinant;
                if !(0.0..=1.0).contains(&u) {
                    continue;
                }
                let v = (along[0] * d[1] - along[1] * d[0]) / determinant - petal.bend * u * u;
                let at = u * (OUTLINE_SAMPLES - 1) as f32;
                let sample = (at as usize).min(OUTLINE_SAMPLES - 2);
                let slope = outline[sample + 1] - outline[sample];
                let width = outline[sample] + slope * (at - sample as f32);
                // Near the ends the outline is steep and the distance to it only a guess: bounded.
                let slope = (slope * (OUTLINE_SAMPLES - 1) as f32 * steepness).clamp(-3.0, 3.0);
                let gap = (width - v.abs()) * half_width;
                // Far inside the steepness of the edge, three at most, makes no difference.
                let inside = if gap > 1.7 { 1.0 } else { gap / (1.0 + slope * slope).sqrt() };
                let pixel = &mut self.pixels[y * self.side + x];
                if inside > -0.5 {
                    let colour = shade(petal, u, v, (v.abs() / width.max(1e-3)).min(1.0));
                    *pixel = mix(*pixel, colour, (inside + 0.5).min(1.0));
                } else if gap > -reach && petal.shadow > 0.0 {
                    let dark = petal.shadow * (1.0 + gap / reach) * (4.0 * u).min(1.0);
                    *pixel = pixel.map(|c| c * (1.0 - dark));
                }
            }
        }
    }

    /// Changes every pixel by its place.
    pub fn each(&mut self, change: impl Fn(Point, Rgb) -> Rgb) {
        let at = |i: usize| (i as f32 + 0.5) / self.side as f32;
        for (i, pixel) in self.pixels.iter_mut().enumerate() {
            *pixel = change([at(i % self.side), at(i / self.side)], *pixel);
        }
    }

    /// Blurs by about `radius` of the picture's side: three box filters, edges repeated.
    pub fn blur(&mut self, radius: f32) {
        let reach = (radius * self.side as f32).round() as usize;
        if reach == 0 {
            return;
        }
        let mut blurred = self.pixels.clone();
        for _ in 0..3 {
            let rows = self.pixels.chunks_exact(self.side);
            for (row, blurred) in rows.zip(blurred.chunks_exact_mut(self.side)) {
                blur_row(row, reach, blurred);
            }
            blur_columns(&blurred, self.side, reach, &mut self.pixels);
        }
    }

    /// The picture: RGBA bytes, row by row, opaque.
    pub fn finish(&self) -> Vec<u8> {
        let size = self.side / OVERSAMPLING;
        let area = (OVERSAMPLING * OVERSAMPLING) as f32;
        let mut bytes = Vec::with_capacity(size * size * 4);
        for i in 0..size * size {
            let (x, y) = (i % size * OVERSAMPLING, i / size * OVERSAMPLING);
            let mut sum = [0.0; 3];
            for row in self.pixels[y * self.side..].chunks(self.side).take(OVERSAMPLING) {
                for pixel in &row[x..x + OVERSAMPLING] {
                    sum = [0, 1, 2].map(|c| sum[c] + pixel[c]);
                }
            }
            bytes.extend(sum.map(|c| (c / area * 255.0 + 0.5).clamp(0.0, 255.0) as u8));
            bytes.push(255);
        }
        bytes
    }
}

/// The colour of a petal at `u` along, `v` across, `rim` from 0 in the middle to 1 at the edge.
fn shade(petal: &Petal, u: f32, v: f32, rim: f32) -> Rgb {
    // Most petals are plain, and exponentials and sines are slow as WebAssembly.
    let rib = match petal.rib {
        0.0 => 1.0,
        rib => 1.0 - rib * (-(5.0 * v) * (5.0 * v)).exp() * (1.0 - 0.6 * u),
    };
    let edge = 1.0 - petal.edge * rim * rim * rim;
    let streaks = match petal.streaks {
        0.0 => 1.0,
        streaks => 1.0 + streaks * (v * 17.0).sin() * u * (1.0 - u) * 4.0,
    };
    mix(petal.colours[0], petal.colours[1], u * u * (3.0 - 2.0 * u))
        .map(|c| c * rib * edge * streaks)
}

/// Columns and rows that a petal and its shadow may touch.
fn bounds(
    petal: &Petal,
    base: Point,
    along: Point,
    across: Point,
    reach: f32,
    side: usize,
) -> [std::ops::Range<usize>; 2] {
    [0, 1].map(|axis| {
        let middle = along[axis];
        let bent = petal.bend * across[axis];
        let ends = [0.0, middle, middle + bent, bent];
        let low = ends.into_iter().fold(f32::MAX, f32::min) - across[axis].abs() - reach;
        let high = ends.into_iter().fold(f32::MIN, f32::max) + across[axis].abs() + reach;
        let clamp = |v: f32| v.clamp(0.0, side as f32) as usize;
        clamp((base[axis] + low).floor())..clamp((base[axis] + high).ceil())
    })
}

fn outline([a, b]: [f32; 2]) -> [f32; OUTLINE_SAMPLES] {
    let widest = if a + b > 0.0 { a / (a + b) } else { 0.5 };
    let half_width = |u: f32| u.powf(a) * (1.0 - u).powf(b);
    let scale = 1.0 / half_width(widest).max(1e-6);
    std::array::from_fn(|i| scale * half_width(i as f32 / (OUTLINE_SAMPLES - 1) as f32))
}

/// The columns of a row that a petal may touch: most of the box around a slanting petal is far from it. Along a row `u`
/// and `v`, without the bend, are linear, each given by its value at column 0 and its slope.
fn touched(
    u: [f32; 2],
    v: [f32; 2],
    bend: f32,
    widest: f32,
    columns: &std::ops::Range<usize>,
) -> [usize; 2] {
    let [mut first, mut last] = within(u, [0.0, 1.0]);
    // The narrower the stretch, the less the petal bends along it, and the narrower it becomes.
    for _ in 0..3 {
        first = first.max(columns.start as f32);
        last = last.min(columns.end as f32);
        if first > last + 2.0 {
            return [0, 0];
        }
        let bent = [first - 1.0, last + 1.0].map(|x| {
            let u = (u[0] + u[1] * x).clamp(0.0, 1.0);
            bend * u * u
        });
        let [low, high] = [bent[0].min(bent[1]) - widest, bent[0].max(bent[1]) + widest];
        let [from, to] = within(v, [low, high]);
        (first, last) = (first.max(from), last.min(to));
    }
    if first > last + 2.0 {
        return [0, 0];
    }
    let first = (first - 1.0).max(columns.start as f32) as usize;
    [first, (last + 2.0).clamp(0.0, columns.end as f32) as usize]
}

/// Where a linear function, its value at 0 and its slope given, lies between two values.
fn within([start, slope]: [f32; 2], [low, high]: [f32; 2]) -> [f32; 2] {
    if slope.abs() < 1e-5 {
        return [f32::MIN, f32::MAX];
    }
    let (a, b) = ((low - start) / slope, (high - start) / slope);
    [a.min(b), a.max(b)]
}

/// A box filter along a row, the pixels at its ends repeated.
fn blur_row(row: &[Rgb], reach: usize, blurred: &mut [Rgb]) {
    let (Some(&first), Some(&last)) = (row.first(), row.last()) else { return };
    let padded: Vec<Rgb> = std::iter::repeat_n(first, reach)
        .chain(row.iter().copied())
        .chain(std::iter::repeat_n(last, reach + 1))
        .collect();
    let scale = 1.0 / (2 * reach + 1) as f32;
    let mut sum = [0.0; 3];
    for pixel in &padded[..=2 * reach] {
        sum = [0, 1, 2].map(|c| sum[c] + pixel[c]);
    }
    for ((mean, enters), leaves) in blurred.iter_mut().zip(&padded[2 * reach + 1..]).zip(&padded) {
        *mean = sum.map(|c| c * scale);
        sum = [0, 1, 2].map(|c| sum[c] + enters[c] - leaves[c]);
    }
}

/// The same along all columns at once.
fn blur_columns(pixels: &[Rgb], side: usize, reach: usize, blurred: &mut [Rgb]) {
    let row = |y: usize| &pixels[y.saturating_sub(reach).min(side - 1) * side..][..side];
    let scale = 1.0 / (2 * reach + 1) as f32;
    let mut sums = vec![[0.0; 3]; side];
    for y in 0..=2 * reach {
        for (sum, pixel) in sums.iter_mut().zip(row(y)) {
            *sum = [0, 1, 2].map(|c| sum[c] + pixel[c]);
        }
    }
    for (y, blurred) in blurred.chunks_exact_mut(side).enumerate() {
        // Rows are numbered from the first of the padding.
        let (enters, leaves) = (row(y + 2 * reach + 1), row(y));
        for (((mean, sum), enters), leaves) in
            blurred.iter_mut().zip(&mut sums).zip(enters).zip(leaves)
        {
            *mean = sum.map(|c| c * scale);
            *sum = [0, 1, 2].map(|c| sum[c] + enters[c] - leaves[c]);
        }
    }
}

/// From `a` at 0 to `b` at 1.
pub fn mix(a: Rgb, b: Rgb, t: f32) -> Rgb {
    [0, 1, 2].map(|c| a[c] + (b[c] - a[c]) * t)
}

/// A colour by hue (degrees), saturation and value (0 to 1).
pub fn hsv(hue: f32, saturation: f32, value: f32) -> Rgb {
    [5.0, 3.0, 1.0].map(|n| {
        let k = (n + hue / 60.0).rem_euclid(6.0);
        value * (1.0 - saturation * k.min(4.0 - k).clamp(0.0, 1.0))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_by_hue() {
        assert_eq!(hsv(0.0, 1.0, 1.0), [1.0, 0.0, 0.0]);
        assert_eq!(hsv(120.0, 1.0, 0.5), [0.0, 0.5, 0.0]);
        assert_eq!(hsv(-120.0, 0.5, 1.0), [0.5, 0.5, 1.0]);
    }

    #[test]
    fn a_disc_covers_its_area() {
        let mut canvas = Canvas::new(100, |_| [0.0; 3]);
        canvas.paint(&Petal::disc([0.5, 0.5], [0.3, 0.2], [1.0; 3]));
        let picture = canvas.finish();
        let sum: f64 = picture.chunks_exact(4).map(|p| f64::from(p[0]) / 255.0).sum();
        let area = std::f64::consts::PI * 0.3 * 0.2 * 1e4;
        assert!((sum / area - 1.0).abs() < 0.02, "{sum} {area}");
    }

    #[test]
    fn petals_off_the_canvas_or_without_area_are_harmless() {
        let mut canvas = Canvas::new(8, |_| [0.0; 3]);
        canvas.paint(&Petal::disc([-5.0, 9.0], [0.3, 0.2], [1.0; 3]));
        canvas.paint(&Petal::new([0.5, 0.5], [0.0, 0.0], 0.1, [0.5, 0.5], [1.0; 3]));
        canvas.paint(&Petal::disc([0.5, 0.5], [f32::NAN, 0.2], [1.0; 3]));
        assert!(canvas.finish().chunks_exact(4).all(|p| p == [0, 0, 0, 255]));
    }

    #[test]
    fn blur_keeps_the_sum() {
        let mut canvas =
            Canvas::new(32, |p| if p[0] > 0.4 && p[0] < 0.6 { [1.0; 3] } else { [0.0; 3] });
        let sum = |canvas: &Canvas| canvas.pixels.iter().map(|p| p[0]).sum::<f32>();
        let before = sum(&canvas);
        canvas.blur(0.05);
        assert!((sum(&canvas) / before - 1.0).abs() < 1e-3);
        assert!(canvas.pixels[32 * 64].iter().all(|&c| c < 0.1));
    }
}
