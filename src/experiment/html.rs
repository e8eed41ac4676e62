//! The experiment as one self-contained HTML page: no script, no file beside it.

use super::{Experiment, Run};
use crate::report::Language;
use std::fmt::Write;

/// Line colours, told apart by people with any colour vision (Okabe and Ito, 2008).
const COLOURS: [&str; 4] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7"];
/// Drawing area of a chart, in SVG units.
const CHART: (f64, f64) = (560.0, 260.0);

const STYLE: &str = "body{font:16px/1.6 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}\
table{border-collapse:collapse;width:100%}th,td{padding:.4rem .6rem;border-bottom:1px solid #ddd;text-align:right}\
th:first-child,td:first-child{text-align:left}svg{max-width:100%;height:auto}pre{overflow-x:auto;background:#f6f4ef;padding:1rem}\
figure{margin:2rem 0}figcaption{color:#555}";

struct Words {
    title: &'static str,
    lead: &'static str,
    columns: [&'static str; 7],
    accuracy_chart: &'static str,
    loss_chart: &'static str,
    epoch: &'static str,
    samples: &'static str,
    why: &'static str,
    reasons: [&'static str; 4],
    setting: &'static str,
}

const ENGLISH: Words = Words {
    title: "Inception against ResNet, redone",
    lead: "The same photos, split, seeds and recipe for every model.",
    columns: ["model", "accuracy", "report", "seconds", "report", "parameters", "MFLOP a photo"],
    accuracy_chart: "Validation accuracy by epoch",
    loss_chart: "Training loss by epoch",
    epoch: "epoch",
    samples: "Sample predictions",
    why: "What changed since the report, and why",
    reasons: [
        "Pixels enter as pixel / 127.5 − 1; the report fed 0…255.",
        "Batch normalisation's gradient goes through mean and variance, and running averages move by 0.1 a step, so that evaluation sees training's statistics; the report's moved by 0.001.",
        "Average pooling's gradient lands on the pixels that it came from; the report's lands on wrong pixels, channels and photos, which only the inception models use.",
        "Weights start by He's rule, not from N(0, 0.03).",
    ],
    setting: "Setting",
};

const KOREAN: Words = Words {
    title: "인셉션과 레스넷 비교 실험, 다시 하기",
    lead: "모든 모델이 같은 사진, 같은 분할, 같은 시드, 같은 학습법을 썼습니다.",
    columns: ["모델", "정확도", "보고서", "시간(초)", "보고서", "파라미터", "사진당 MFLOP"],
    accuracy_chart: "에포크별 검증 정확도",
    loss_chart: "에포크별 학습 손실",
    epoch: "에포크",
    samples: "예측 예시",
    why: "보고서와 달라진 점과 그 이유",
    reasons: [
        "픽셀 값은 픽셀 / 127.5 − 1로 정규화합니다. 보고서는 0…255를 그대로 넣었습니다.",
        "배치 정규화의 역전파가 평균과 분산을 모두 지나고, 이동 평균이 단계마다 0.1씩 움직여 평가 때도 학습 때의 통계를 봅니다. 보고서는 0.001씩 움직였습니다.",
        "평균 풀링의 기울기가 원래 픽셀로 돌아갑니다. 보고서의 구현은 다른 픽셀과 채널, 다른 사진으로 흘려보냈고, 인셉션 모델만 이를 씁니다.",
        "가중치는 N(0, 0.03)이 아니라 He 초기화로 시작합니다.",
    ],
    setting: "설정",
};

/// The page.
pub fn page(experiment: &Experiment, language: Language) -> String {
    let (words, code) = match language {
        Language::En => (&ENGLISH, "en"),
        Language::Ko => (&KOREAN, "ko"),
    };
    let mut html = format!(
        "<!doctype html>\n<html lang=\"{code}\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}</title><style>{STYLE}</style>\n<h1>{title}</h1>\n<p>{}</p>\n",
        words.lead,
        title = words.title
    );
    table(&mut html, experiment, words);
    let validation =
        |run: &Run| run.history.iter().filter_map(|report| report.validation_accuracy).collect();
    chart(&mut html, experiment, words.accuracy_chart, words.epoch, Some(1.0), &validation);
    let loss = |run: &Run| run.history.iter().map(|report| report.loss).collect();
    chart(&mut html, experiment, words.loss_chart, words.epoch, None, &loss);
    let _ = write!(html, "<h2>{}</h2>\n<pre>", words.samples);
    for run in first_runs(experiment) {
        let _ = writeln!(html, "{}", escape(&run.model));
        for sample in &run.samples {
            let _ = writeln!(html, "  {}", escape(sample));
        }
    }
    let _ = write!(html, "</pre>\n<h2>{}</h2>\n<ul>", words.why);
    for reason in words.reasons {
        let _ = write!(html, "<li>{reason}</li>");
    }
    let recipe = &experiment.recipe;
    let _ = write!(
        html,
        "</ul>\n<h2>{}</h2>\n<p>{}: {} epochs, batch {}, learning rate {}; {} photos; {}</p>\n</html>\n",
        words.setting,
        escape(&experiment.recipe_name),
        recipe.epochs,
        recipe.batch_size,
        recipe.learning_rate,
        experiment.photos,
        escape(&experiment.device)
    );
    html
}

/// Text that may stand between tags or in an attribute.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn first_runs(experiment: &Experiment) -> Vec<&Run> {
    let lines = experiment.table();
    lines
        .iter()
        .filter_map(|line| experiment.runs.iter().find(|run| run.model == line.model))
        .collect()
}

fn table(html: &mut String, experiment: &Experiment, words: &Words) {
    html.push_str("<table><thead><tr>");
    for column in words.columns {
        let _ = write!(html, "<th scope=\"col\">{column}</th>");
    }
    html.push_str("</tr></thead><tbody>\n");
    for line in experiment.table() {
        let reported = line.reported.map_or(["–".into(), "–".into()], |reported| {
            [format!("{:.1}%", 100.0 * reported.accuracy), format!("{:.0}", reported.seconds)]
        });
        let runs: Vec<String> =
            line.accuracies.iter().map(|accuracy| format!("{:.1}", 100.0 * accuracy)).collect();
        let _ = writeln!(
            html,
            "<tr><td>{}</td><td title=\"{}\">{:.1}%</td><td>{}</td><td>{:.0}</td><td>{}</td><td>{}</td><td>{:.1}</td></tr>",
            escape(&line.model),
            runs.join(" / "),
            100.0 * line.accuracy,
            reported[0],
            line.seconds,
            reported[1],
            line.parameters,
            line.flops as f64 / 1e6
        );
    }
    html.push_str("</tbody></table>\n");
}

/// One line a model over the epochs of its first run; `top` is the highest value shown, the largest one if left out.
fn chart(
    html: &mut String,
    experiment: &Experiment,
    title: &str,
    epoch: &str,
    top: Option<f64>,
    values: &dyn Fn(&Run) -> Vec<f64>,
) {
    let runs = first_runs(experiment);
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
        let points: Vec<String> = values
            .iter()
            .enumerate()
            .map(|(index, value)| {
                format!("{:.1},{:.1}", x(index), height * (1.0 - (value / top).clamp(0.0, 1.0)))
            })
            .collect();
        let legend = 10.0 + 20.0 * number as f64;
        let _ = write!(
            html,
            "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"2.5\" points=\"{}\"/>\
             <path d=\"M{} {legend}h18\" stroke=\"{colour}\" stroke-width=\"3\"/><text x=\"{}\" y=\"{}\">{}</text>",
            points.join(" "),
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

#[cfg(test)]
mod tests {
    use super::super::tests::example;
    use super::*;

    #[test]
    fn page_holds_ours_beside_the_reports_and_escapes_text() {
        let html = page(&example(), Language::Ko);
        for expected in
            ["lang=\"ko\"", "72.0%", "46.3%", "1216", "정확도", "&lt;rose&gt;", "<polyline"]
        {
            assert!(html.contains(expected), "lacks {expected}");
        }
        assert!(!html.contains("<rose>") && !html.contains("<script"));
        assert!(page(&example(), Language::En).contains("What changed"));
    }
}
