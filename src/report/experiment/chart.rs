//! Curves of the experiment as SVG.

use super::html::escape;
use super::{Experiment, Run};
use std::fmt::Write;

/// Line colours, told apart by people with any colour vision (Okabe and Ito, 2008).
const COLOURS: [&str; 4] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7"];
/// Drawing area, in SVG units.
const CHART: (f64, f64) = (560.0, 260.0);

/// One line a model over the epochs of its first run; `top` is the highest value shown, the largest one if left out.
pub(super) fn draw(
    html: &mut String,
    experiment: &Experiment,
    title: &str,
    epoch: &str,
    top: Option<f64>,
    values: &dyn Fn(&Run) -> Vec<f64>,
) {
    let runs = experiment.first_runs();
    let series: Vec<Vec<f64>> = runs.iter().map(|run| values(run)).collect();
    let longest = series.iter().map(Vec::len).max().unwrap_or(0);
    let largest = series
        .iter()
        .flatten()
        .copied()
        .filter(|value| value.is_finite())
        .fold(f64::MIN_POSITIVE, f64::max);
    let top = top.unwrap_or(largest);
    let (width, height) = CHART;
    let _ = write!(
        html,
        "<figure><svg viewBox=\"-50 -15 {} {}\" role=\"img\" aria-label=\"{title}\" font-size=\"12\">",
        width + 190.0,
        height + 60.0
    );
    for step in 0..=4 {
        let share = f64::from(step) / 4.0;
        let y = height * (1.0 - share);
        let _ = write!(
            html,
            "<path d=\"M0 {y:.1}H{width}\" stroke=\"#ddd\"/><text x=\"-8\" y=\"{:.1}\" text-anchor=\"end\">{:.2}</text>",
            y + 4.0,
            share * top
        );
    }
    let x = |index: usize| {
        if longest > 1 { width * index as f64 / (longest - 1) as f64 } else { width / 2.0 }
    };
    for (number, (run, values)) in runs.iter().zip(&series).enumerate() {
        let colour = COLOURS[number % COLOURS.len()];
        let points: Vec<(f64, f64)> = values
            .iter()
            .enumerate()
            .map(|(index, value)| (x(index), height * (1.0 - (value / top).clamp(0.0, 1.0))))
            .collect();
        let line: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        // A run of one epoch is a point and no line.
        for (x, y) in &points {
            let _ = write!(html, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>");
        }
        let legend = 10.0 + 20.0 * number as f64;
        let _ = write!(
            html,
            "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"2.5\" points=\"{}\"/>\
             <path d=\"M{} {legend}h18\" stroke=\"{colour}\" stroke-width=\"3\"/><text x=\"{}\" y=\"{}\">{}</text>",
            line.join(" "),
            width + 10.0,
            width + 34.0,
            legend + 4.0,
            escape(&run.model)
        );
    }
    for index in 0..longest {
        let _ = write!(
            html,
            "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
            x(index),
            height + 18.0,
            index + 1
        );
    }
    let _ = writeln!(
        html,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{epoch}</text></svg><figcaption>{title}</figcaption></figure>",
        width / 2.0,
        height + 38.0
    );
}
