/** Report: how well the model does on photos that it never saw. */

import { fill, h } from '../ui/dom.js';
import { number, percent } from '../ui/format.js';
import { nameOf, t } from '../i18n/i18n.js';
import { icon } from '../ui/icons.js';
import { Bloom, mark } from '../ui/mark.js';
import { saveRun } from '../state/models.js';
import { Panel, heading, showFailure } from '../ui/panel.js';
import { engine } from '../state/state.js';
import { reliability } from '../ui/reliability.js';
import { thumbnail } from '../ui/thumbnail.js';

/** Photos shown as samples, and as mistakes. */
const SAMPLES = 6;
const MISTAKES = 24;

class Report extends Panel {
  get watches() {
    return ['report'];
  }

  render() {
    const { report } = this.state;
    if (!report) {
      fill(
        this,
        heading('report'),
        h(
          'div',
          { class: 'card empty' },
          mark(55),
          h('p', { class: 'lead' }, t('report.empty')),
          h('a', { class: 'button primary', href: '#train' }, t('report.go')),
        ),
      );
      return;
    }
    const fault = h('div', {});
    const save = h(
      'button',
      {
        type: 'button',
        class: 'button',
        onclick: () => saveRun().catch(failure => showFailure(fault, failure)),
      },
      icon('save'),
      t('model.save'),
    );
    fill(
      this,
      heading('report'),
      h(
        'div',
        { class: 'stack' },
        this.summary(report, save),
        fault,
        h('div', { class: 'columns' }, this.confusion(report), this.perClass(report)),
        reliability(report),
        this.samples(report),
        this.mistakes(report),
      ),
    );
  }

  /** @param {import('../engine/protocol.js').Evaluation} report @param {Element} save */
  summary(report, save) {
    const bloom = new Bloom(89);
    bloom.show(report.accuracy);
    const right = report.predictions.filter(({ truth, predicted }) => truth === predicted).length;
    return h(
      'section',
      { class: 'card stage' },
      bloom.element,
      h(
        'div',
        { class: 'tight' },
        h('p', { class: 'figure' }, percent(report.accuracy)),
        h('p', { class: 'says' }, t('report.summary', { right: number(right), n: number(report.n) })),
        report.none_of_these === null
          ? null
          : h('p', { class: 'small soft' }, t('report.none', { share: percent(report.none_of_these) })),
        h(
          'p',
          { class: 'mono small soft' },
          t('log.test', {
            model: this.state.run.model,
            accuracy: report.accuracy.toFixed(3),
            seconds: Math.round(report.seconds),
          }),
        ),
        h(
          'div',
          { class: 'row' },
          h('a', { class: 'button primary', href: '#classify' }, t('report.next'), icon('arrow')),
          save,
        ),
      ),
    );
  }

  /** @param {import('../engine/protocol.js').Evaluation} report */
  confusion({ classes, confusion }) {
    const row = (/** @type {string} */ name, /** @type {number} */ truth) => {
      const total = confusion[truth].reduce((sum, count) => sum + count, 0);
      const cells = confusion[truth].map((count, predicted) => {
        const share = total > 0 ? count / total : 0;
        const cell = h(
          'td',
          { class: `heat${predicted === truth ? ' right' : ''}${share > 0.55 ? ' strong' : ''}` },
          number(count),
        );
        cell.style.setProperty('--share', share.toFixed(3));
        return cell;
      });
      return h('tr', {}, h('th', { scope: 'row' }, nameOf('class', name)), cells);
    };
    return h(
      'section',
      { class: 'card tight' },
      h('h2', {}, t('report.confusion')),
      h('p', { class: 'small soft' }, t('report.confusion_how')),
      h(
        'div',
        { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': t('report.confusion') },
        h(
          'table',
          { class: 'confusion' },
          h(
            'thead',
            {},
            h(
              'tr',
              {},
              h('th', { scope: 'col', class: 'corner' }, t('report.corner')),
              classes.map(name => h('th', { scope: 'col' }, nameOf('class', name))),
            ),
          ),
          h('tbody', {}, classes.map(row)),
        ),
      ),
    );
  }

  /** @param {import('../engine/protocol.js').Evaluation} report */
  perClass({ per_class }) {
    const bar = (/** @type {number} */ value) => {
      const cell = h('td', { class: 'number bar-cell' }, percent(value, 0));
      cell.style.setProperty('--share', value.toFixed(3));
      return cell;
    };
    return h(
      'section',
      { class: 'card tight' },
      h('h2', {}, t('report.per_class')),
      h('p', { class: 'small soft' }, t('report.per_class_how')),
      h(
        'div',
        { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': t('report.per_class') },
        h(
          'table',
          {},
          h(
            'thead',
            {},
            h(
              'tr',
              {},
              h('th', { scope: 'col' }, t('report.class')),
              ['precision', 'recall', 'f1', 'support'].map(name =>
                h('th', { scope: 'col', class: 'number' }, t(`report.${name}`)),
              ),
            ),
          ),
          h(
            'tbody',
            {},
            per_class.map(entry =>
              h(
                'tr',
                {},
                h('th', { scope: 'row' }, nameOf('class', entry.class)),
                bar(entry.precision),
                bar(entry.recall),
                bar(entry.f1),
                h('td', { class: 'number' }, number(entry.support)),
              ),
            ),
          ),
        ),
      ),
    );
  }

  /** A few answers in the report's words. @param {import('../engine/protocol.js').Evaluation} report */
  samples(report) {
    const stride = Math.max(1, Math.floor(report.predictions.length / SAMPLES));
    const chosen = report.predictions.filter((_, index) => index % stride === 0).slice(0, SAMPLES);
    return this.gallery('samples', report, chosen);
  }

  /** @param {import('../engine/protocol.js').Evaluation} report */
  mistakes(report) {
    const wrong = report.predictions
      .filter(({ truth, predicted }) => truth !== predicted)
      .sort((a, b) => b.probabilities[b.predicted] - a.probabilities[a.predicted])
      .slice(0, MISTAKES);
    return wrong.length > 0 ? this.gallery('mistakes', report, wrong) : null;
  }

  /**
   * @param {string} name
   * @param {import('../engine/protocol.js').Evaluation} report
   * @param {import('../engine/protocol.js').Prediction[]} chosen
   */
  gallery(name, report, chosen) {
    const classes = report.classes.map(label => nameOf('class', label));
    const places = chosen.map(({ truth, predicted, probabilities }) => {
      const right = truth === predicted;
      const shares = probabilities.map(value => String(Math.round(value * 100)).padStart(2, ' ')).join(',');
      const words = t('report.sample', {
        shares,
        predicted: classes[predicted],
        truth: classes[truth],
        sign: right ? 'O' : 'X',
      });
      const photo = h('div', { class: 'photo-place' });
      const caption =
        name === 'samples'
          ? h('figcaption', { class: 'mono small' }, words)
          : h(
              'figcaption',
              { class: 'small' },
              t('report.mistake', {
                predicted: classes[predicted],
                share: percent(probabilities[predicted], 0),
                truth: classes[truth],
              }),
            );
      return {
        photo,
        element: h('li', {}, h('figure', { class: right ? 'sample' : 'sample wrong' }, photo, caption)),
        label: classes[truth],
      };
    });
    engine.call('thumbnails', { photos: chosen.map(({ photo }) => photo) }).then(
      photos =>
        photos.forEach(
          (photo, index) => places[index] && fill(places[index].photo, thumbnail(photo, places[index].label)),
        ),
      () => places.forEach(({ photo }) => fill(photo)),
    );
    return h(
      'section',
      { class: 'card tight' },
      h('h2', {}, t(`report.${name}`)),
      h('p', { class: 'small soft' }, t(`report.${name}_how`)),
      h(
        'ul',
        { class: `gallery ${name}` },
        places.map(({ element }) => element),
      ),
    );
  }
}

customElements.define('floret-report', Report);
