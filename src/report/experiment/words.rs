//! What the experiment's report says, in both languages.

use super::Experiment;
use crate::backend::DeviceName;
use crate::report::lines::{Language, percent, percent_within};

pub(super) struct Words {
    pub code: &'static str,
    pub title: &'static str,
    pub lead: &'static str,
    pub columns: [&'static str; 7],
    pub table_note: &'static str,
    pub accuracy_chart: &'static str,
    pub loss_chart: &'static str,
    pub epoch: &'static str,
    pub samples: &'static str,
    pub samples_note: &'static str,
    pub sample_columns: [&'static str; 2],
    pub lines: &'static str,
    pub why: &'static str,
    pub reasons: [(&'static str, &'static str); 4],
    pub setting: &'static str,
    pub settings: [&'static str; 6],
    /// The processor with one thread, and with several.
    pub threads: [&'static str; 2],
}

const ENGLISH: Words = Words {
    code: "en",
    title: "Inception against ResNet, redone",
    lead: "Each model was trained on the same photos, with the same split, seeds and recipe, and judged on test photos that it had never seen.",
    columns: [
        "Model",
        "Accuracy",
        "Report’s",
        "Seconds",
        "Report’s",
        "Parameters",
        "MFLOP a photo",
    ],
    table_note: "The report’s figures: 10 epochs, batch 10, 4,323 photos, NumPy. Its machine was another, so its seconds tell orders of magnitude, no more.",
    accuracy_chart: "Validation accuracy by epoch",
    loss_chart: "Training loss by epoch",
    epoch: "epoch",
    samples: "The same photos, every model’s answer",
    samples_note: "Test photos, evenly spaced, not picked. In percent: how sure the model is of its answer.",
    sample_columns: ["Photo", "Is"],
    lines: "The same in the report’s words",
    why: "What changed since the report, and why",
    reasons: [
        (
            "Normalised pixels.",
            "A pixel enters as pixel / 127.5 − 1, so from −1 to 1. The report fed 0…255: the first layer’s outputs, and with them its steps, were some hundred times too large.",
        ),
        (
            "Batch normalisation’s whole gradient, and averages that keep up.",
            "The gradient goes through mean and variance too; the report’s left both out. Running averages move by 0.1 a step; the report’s moved by 0.001, so that its evaluation saw statistics far from training’s (0.473 in training, 0.250 in validation after two epochs).",
        ),
        (
            "He initialisation.",
            "Kernels start with variance 2 / fan-in, which keeps signals and gradients at one size from layer to layer; the report’s came from N(0, 0.03) whatever the layer’s size.",
        ),
        (
            "Average pooling’s gradient lands where it came from.",
            "In the report’s code overlapping average pooling sends gradients to wrong pixels, channels and photos. Only the inception models use it; it may be part of why they came last.",
        ),
    ],
    setting: "Setting",
    settings: ["Recipe", "Epochs", "Batch", "Peak learning rate", "Photos", "Computed on"],
    threads: ["CPU, 1 thread", "CPU, {} threads"],
};

const KOREAN: Words = Words {
    code: "ko",
    title: "인셉션과 레스넷 비교 실험, 다시 하기",
    lead: "모든 모델을 같은 사진, 같은 분할, 같은 시드, 같은 학습법으로 학습시키고, 한 번도 보지 못한 시험 사진으로 평가했습니다.",
    columns: ["모델", "정확도", "보고서", "시간(초)", "보고서", "파라미터", "장당 MFLOP"],
    table_note: "보고서의 수치: 에포크 10회, 배치 10, 사진 4,323장, NumPy. 컴퓨터가 달라 시간은 자릿수만 견줄 수 있습니다.",
    accuracy_chart: "에포크별 검증 정확도",
    loss_chart: "에포크별 학습 손실",
    epoch: "에포크",
    samples: "같은 사진에 대한 네 모델의 답",
    samples_note: "시험 사진에서 일정한 간격으로 뽑았습니다. 백분율은 모델이 자기 답을 확신하는 정도입니다.",
    sample_columns: ["사진", "정답"],
    lines: "보고서의 형식으로",
    why: "보고서와 달라진 점과 그 이유",
    reasons: [
        (
            "픽셀 정규화.",
            "픽셀 값은 픽셀 / 127.5 − 1, 곧 −1에서 1 사이로 들어갑니다. 보고서는 0…255를 그대로 넣어 첫 계층의 출력과 갱신 폭이 백 배쯤 컸습니다.",
        ),
        (
            "배치 정규화의 온전한 기울기와 제때 따라오는 평균.",
            "기울기가 평균과 분산까지 지나갑니다. 보고서의 구현에는 둘 다 빠져 있었습니다. 이동 평균은 한 단계에 0.1씩 움직입니다. 보고서는 0.001씩 움직여, 평가 때 쓰는 통계가 학습 때와 크게 달랐습니다(두 에포크 뒤 학습 0.473, 검증 0.250).",
        ),
        (
            "He 초기화.",
            "커널의 분산을 2 / 입력 수로 시작해 신호와 기울기의 크기가 계층을 지나도 유지됩니다. 보고서는 계층의 크기와 상관없이 N(0, 0.03)에서 뽑았습니다.",
        ),
        (
            "제자리로 돌아가는 평균 풀링의 기울기.",
            "보고서의 코드에서는 겹치는 평균 풀링의 기울기가 다른 픽셀, 다른 채널, 다른 사진으로 흘러갔습니다. 인셉션 모델만 이 풀링을 쓰며, 순위가 낮았던 까닭의 하나일 수 있습니다.",
        ),
    ],
    setting: "설정",
    settings: ["학습법", "에포크", "배치", "최대 학습률", "사진", "계산 장치"],
    threads: ["CPU, 스레드 1개", "CPU, 스레드 {}개"],
};

impl Words {
    pub fn of(language: Language) -> &'static Self {
        match language {
            Language::En => &ENGLISH,
            Language::Ko => &KOREAN,
        }
    }

    fn device(&self, device: &DeviceName) -> String {
        match (device, self.threads) {
            (DeviceName::Cpu { threads: 1 }, [one, _]) => one.into(),
            (DeviceName::Cpu { threads }, [_, several]) => {
                several.replace("{}", &threads.to_string())
            }
            (DeviceName::Gpu { name }, _) => name.to_string(),
        }
    }

    /// Name and value of each setting.
    pub fn settings(&self, experiment: &Experiment) -> [(&'static str, String); 6] {
        let recipe = &experiment.recipe;
        let values = [
            experiment.recipe_name.clone(),
            recipe.epochs.to_string(),
            recipe.batch_size.to_string(),
            recipe.learning_rate.to_string(),
            experiment.photos.to_string(),
            experiment.device.as_ref().map_or(String::new(), |device| self.device(device)),
        ];
        let mut values = values.into_iter();
        self.settings.map(|name| (name, values.next().unwrap_or_default()))
    }
}

/// A model's line of the table: ours beside the report's, which only four models have.
pub(super) fn cells(line: &super::Line) -> [String; 7] {
    let reported =
        |value: &dyn Fn(super::Reported) -> String| line.reported.map_or("–".into(), value);
    [
        line.model.clone(),
        percent_within(line.accuracy, line.interval),
        reported(&|reported| percent(Some(reported.accuracy))),
        format!("{:.0}", line.seconds),
        reported(&|reported| format!("{:.0}", reported.seconds)),
        line.parameters.to_string(),
        format!("{:.1}", line.flops as f64 / 1e6),
    ]
}
