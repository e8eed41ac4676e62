//! The experiment as one self-contained HTML page: no script, no file beside it.

use super::words::{Words, cells};
use super::{Experiment, Run, chart};
use crate::report::lines::{self, Language, percent};
use std::fmt::Write;

const STYLE: &str = "\
body{font:16px/1.6 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#2b211c;background:#fffdf8}\
h1{line-height:1.2}h2{margin-top:2.5rem}.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%}\
th,td{padding:.5rem .6rem;border-bottom:1px solid #e3d6c3;text-align:right;vertical-align:middle}\
th:first-child,td:first-child{text-align:left}svg{max-width:100%;height:auto}img{display:block;border-radius:8px}\
pre{overflow-x:auto;background:#f3ebdd;padding:1rem;border-radius:8px;font-size:.85rem}figure{margin:2rem 0}\
.answers th,.answers td{text-align:left}.right{color:#33683f;font-weight:600}.wrong{color:#9b2013}\
figcaption,.note{color:#64564b}dt{font-weight:600}dd{margin:0 0 .5rem}";

/// The page.
pub fn page(experiment: &Experiment, language: Language) -> String {
    let words = Words::of(language);
    let (code, title, lead) = (words.code, words.title, words.lead);
    let mut html = format!(
        "<!doctype html>\n<html lang=\"{code}\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}</title><style>{STYLE}</style>\n<h1>{title}</h1>\n<p>{lead}</p>\n"
    );
    table(&mut html, experiment, words);
    let validation =
        |run: &Run| run.history.iter().filter_map(|report| report.validation_accuracy).collect();
    chart::draw(&mut html, experiment, words.accuracy_chart, words.epoch, Some(1.0), &validation);
    let loss = |run: &Run| run.history.iter().map(|report| report.loss).collect();
    chart::draw(&mut html, experiment, words.loss_chart, words.epoch, None, &loss);
    answers(&mut html, experiment, words, language);
    let _ = write!(html, "<h2>{}</h2>\n<ul>\n", words.why);
    for (what, why) in words.reasons {
        let _ = writeln!(html, "<li><strong>{what}</strong> {why}</li>");
    }
    let _ = write!(html, "</ul>\n<h2>{}</h2>\n<dl>\n", words.setting);
    for (name, value) in words.settings(experiment) {
        let _ = writeln!(html, "<dt>{name}</dt><dd>{}</dd>", escape(&value));
    }
    html.push_str("</dl>\n</html>\n");
    html
}

/// Text that may stand between tags or in an attribute.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn table(html: &mut String, experiment: &Experiment, words: &Words) {
    html.push_str("<div class=\"scroll\"><table><thead><tr>");
    for column in words.columns {
        let _ = write!(html, "<th scope=\"col\">{column}</th>");
    }
    html.push_str("</tr></thead><tbody>\n");
    for line in experiment.table() {
        let runs: Vec<String> = line.accuracies.iter().copied().map(percent).collect();
        let _ = write!(html, "<tr title=\"{}\">", runs.join(" / "));
        for cell in cells(&line) {
            let _ = write!(html, "<td>{}</td>", escape(&cell));
        }
        html.push_str("</tr>\n");
    }
    let _ = writeln!(html, "</tbody></table></div>\n<p class=\"note\">{}</p>", words.table_note);
}

/// Every sample with what each model says of it, and the report's lines.
fn answers(html: &mut String, experiment: &Experiment, words: &Words, language: Language) {
    let runs: Vec<&Run> =
        experiment.first_runs().into_iter().filter(|run| !run.answers.is_empty()).collect();
    let class = |class: usize| escape(experiment.classes.get(class).map_or("?", String::as_str));
    let _ = write!(
        html,
        "<h2>{}</h2>\n<p class=\"note\">{}</p>\n<div class=\"scroll\"><table class=\"answers\"><thead><tr>",
        words.samples, words.samples_note
    );
    let models = runs.iter().map(|run| run.model.as_str());
    for column in words.sample_columns.into_iter().chain(models) {
        let _ = write!(html, "<th scope=\"col\">{}</th>", escape(column));
    }
    html.push_str("</tr></thead><tbody>\n");
    for (number, sample) in experiment.samples.iter().enumerate() {
        let _ = write!(
            html,
            "<tr><td><img src=\"{}\" width=\"96\" alt=\"{}\"></td><td>{}</td>",
            sample.picture,
            escape(&sample.name),
            class(sample.truth)
        );
        for answer in runs.iter().filter_map(|run| run.answers.get(number)) {
            let (style, mark) =
                if answer.predicted == sample.truth { ("right", "✓") } else { ("wrong", "✗") };
            let sure = answer.probabilities.get(answer.predicted).copied().unwrap_or(0.0);
            let _ = write!(
                html,
                "<td class=\"{style}\">{mark} {} {:.0}%</td>",
                class(answer.predicted),
                100.0 * sure
            );
        }
        html.push_str("</tr>\n");
    }
    let _ =
        write!(html, "</tbody></table></div>\n<details><summary>{}</summary><pre>", words.lines);
    for run in runs {
        let _ = writeln!(html, "{}", escape(&run.model));
        for answer in &run.answers {
            let line = lines::prediction(answer, &experiment.classes, language);
            let _ = writeln!(html, "  {}", escape(&line));
        }
    }
    html.push_str("</pre></details>\n");
}

#[cfg(test)]
mod tests {
    use super::super::tests::example;
    use super::*;

    #[test]
    fn page_holds_ours_beside_the_reports_and_escapes_text() {
        let html = page(&example(), Language::Ko);
        for expected in [
            "lang=\"ko\"",
            "72.0%",
            "46.3%",
            "1216",
            "정확도",
            "<polyline",
            "src=\"data:image/png;base64,",
            "✓ tulip 80%",
            "✗ &lt;rose&gt; 97%",
            "추정 &lt;rose&gt; : 정답 tulip =&gt; X",
        ] {
            assert!(html.contains(expected), "lacks {expected}");
        }
        assert!(!html.contains("<rose>") && !html.contains("<script"));
        assert!(page(&example(), Language::En).contains("What changed"));
    }
}
