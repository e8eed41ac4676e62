/** Report: how well the model does on photos that it never saw. */

import { nameOf, t } from '../i18n/i18n.js';
import { fileOf } from '../state/models.js';
import { engine } from '../state/state.js';
import { fill, h } from '../ui/dom.js';
import { saveModel } from '../ui/files.js';
import { number, percent } from '../ui/format.js';
import { icon } from '../ui/icons.js';
import { Bloom, mark } from '../ui/mark.js';
import { button, heading, Panel } from '../ui/panel.js';
import { reliability } from '../ui/reliability.js';
import { barCell, numberCell, numbers, rowHead, scrolling, scrollTable, tableRow } from '../ui/table.js';
import { thumbnail } from '../ui/thumbnail.js';
import { wordDoubt } from '../ui/words.js';

/** @typedef {import('../engine/protocol.js').Evaluation} Evaluation */
/** @typedef {import('../engine/protocol.js').Prediction} Prediction */

/** Photos shown as samples, and as mistakes. */
const SAMPLES = 6;
const MISTAKES = 24;

/** The share of a row from which its cell is so dark that light words read better. */
const DARK = 0.55;

class Report extends Panel {
  /** @type {import('../ui/panel.js').Part[]} */
  watches = ['report'];

  render() {
    const { report } = this.state;
    if (!report) {
      const words = h('p', { class: 'lead' }, t('report.empty'));
      const train = h('a', { class: 'button primary', href: '#train' }, t('report.go'));
      fill(this, heading('report'), h('div', { class: 'card empty' }, mark(55), words, train));
      return;
    }
    fill(
      this,
      heading('report'),
      h(
        'div',
        { class: 'stack' },
        this.summary(report),
        this.fault,
        // Of no photos there is nothing to tell.
        report.n > 0 && [
          h('div', { class: 'columns' }, confusionTable(report), classTable(report)),
          reliability(report),
          samples(report),
          mistakes(report),
        ],
      ),
    );
  }

  async saveRun() {
    const { trained } = this.state;
    if (trained) saveModel(trained.name, await fileOf(trained));
  }

  /** @param {Evaluation} report */
  summary(report) {
    const { accuracy, predictions, n, none_of_these: none, seconds } = report;
    const bloom = new Bloom(89);
    bloom.show(accuracy ?? 0);
    const right = predictions.filter(({ truth, predicted }) => truth === predicted).length;
    const model = this.state.run.model?.name ?? '';
    const log = t('log.test', { model, accuracy: accuracy?.toFixed(3) ?? '–', seconds: Math.round(seconds) });
    const doubt = wordDoubt(report);
    const noneWords = none === null ? null : t('report.none', { share: percent(none) });
    const next = h('a', { class: 'button primary', href: '#classify' }, t('report.next'), icon('arrow'));
    const save = button(t('model.save'), () => this.run(() => this.saveRun()), icon('save'));
    const words = h(
      'div',
      { class: 'tight' },
      h('p', { class: 'figure' }, percent(accuracy)),
      accuracy !== null && h('p', { class: 'says' }, t('report.summary', { right: number(right), n })),
      doubt && h('p', { class: 'doubt' }, doubt),
      noneWords && h('p', { class: 'small soft' }, noneWords),
      h('p', { class: 'mono small soft' }, log),
      h('div', { class: 'row' }, next, save),
    );
    return h('section', { class: 'card stage' }, bloom.element, words);
  }
}

/** @param {string} name @param {Element} content */
function card(name, content) {
  const how = h('p', { class: 'small soft' }, t(`report.${name}_how`));
  return h('section', { class: 'card tight' }, h('h2', {}, t(`report.${name}`)), how, content);
}

/** What is taken for what. @param {Evaluation} report */
function confusionTable({ classes, confusion }) {
  const row = (/** @type {string} */ name, /** @type {number} */ truth) => {
    const total = confusion[truth].reduce((sum, count) => sum + count, 0);
    const cells = confusion[truth].map((count, predicted) => {
      const share = total > 0 ? count / total : 0;
      const style = ['heat', predicted === truth && 'right', share > DARK && 'strong'].filter(Boolean);
      const cell = h('td', { class: style.join(' ') }, number(count));
      cell.style.setProperty('--share', share.toFixed(3));
      return cell;
    });
    return tableRow(rowHead(nameOf('class', name)), cells);
  };
  const heads = classes.map(name => h('th', { scope: 'col' }, nameOf('class', name)));
  const corner = h('th', { scope: 'col', class: 'corner' }, t('report.corner'));
  const table = h('table', { class: 'confusion' }, h('thead', {}, h('tr', {}, corner, heads)));
  table.append(h('tbody', {}, classes.map(row)));
  return card('confusion', scrolling(t('report.confusion'), table));
}

/** Precision and recall, class by class. @param {Evaluation} report */
function classTable({ per_class }) {
  const measures = ['precision', 'recall', 'f1', 'support'].map(name => t(`report.${name}`));
  const columns = [{ words: t('report.class') }, ...numbers(measures)];
  const rows = per_class.map(({ class: name, precision, recall, f1, support }) =>
    tableRow(rowHead(nameOf('class', name)), [
      ...[precision, recall, f1].map(value => barCell(percent(value, 0), value)),
      numberCell(number(support)),
    ]),
  );
  return card('per_class', scrollTable(t('report.per_class'), columns, rows));
}

/** A few answers in the report's words. @param {Evaluation} report */
function samples(report) {
  const stride = Math.max(1, Math.floor(report.predictions.length / SAMPLES));
  const chosen = report.predictions.filter((_, index) => index % stride === 0).slice(0, SAMPLES);
  return gallery('samples', report, chosen);
}

/** The mistakes, the surest first. @param {Evaluation} report */
function mistakes(report) {
  const wrong = report.predictions
    .filter(({ truth, predicted }) => truth !== predicted)
    .sort((a, b) => b.probabilities[b.predicted] - a.probabilities[a.predicted])
    .slice(0, MISTAKES);
  return wrong.length > 0 ? gallery('mistakes', report, wrong) : null;
}

/**
 * @param {'samples' | 'mistakes'} name
 * @param {Evaluation} report
 * @param {Prediction[]} chosen
 */
function gallery(name, report, chosen) {
  const classes = report.classes.map(label => nameOf('class', label));
  const caption = name === 'samples' ? sampleCaption : mistakeCaption;
  const places = chosen.map(prediction => {
    const { truth, predicted } = prediction;
    const photo = h('div', { class: 'photo-place' });
    const style = truth === predicted ? 'sample' : 'sample wrong';
    const element = h('li', {}, h('figure', { class: style }, photo, caption(prediction, classes)));
    return { photo, element, label: classes[truth] };
  });
  showPhotos(chosen, places);
  const list = places.map(({ element }) => element);
  return card(name, h('ul', { class: `gallery ${name}` }, list));
}

/** @param {Prediction[]} chosen @param {{ photo: Element, label: string }[]} places */
async function showPhotos(chosen, places) {
  const numbers = chosen.map(({ photo }) => photo);
  // Photos that are gone leave their places empty.
  const photos = await engine.call('thumbnails', { photos: numbers }).catch(() => []);
  for (const [index, { photo, label }] of places.entries())
    fill(photo, photos[index] && thumbnail(photos[index], label));
}

/** @param {Prediction} prediction @param {string[]} classes */
function sampleCaption({ truth, predicted, probabilities }, classes) {
  const shares = probabilities.map(value => String(Math.round(value * 100)).padStart(2, ' ')).join(',');
  const sign = truth === predicted ? 'O' : 'X';
  const values = { shares, predicted: classes[predicted], truth: classes[truth], sign };
  return h('figcaption', { class: 'mono small' }, t('report.sample', values));
}

/** @param {Prediction} prediction @param {string[]} classes */
function mistakeCaption({ truth, predicted, probabilities }, classes) {
  const share = percent(probabilities[predicted], 0);
  const words = t('report.mistake', { predicted: classes[predicted], share, truth: classes[truth] });
  return h('figcaption', { class: 'small' }, words);
}

customElements.define('floret-report', Report);
