/** The model that answers: which one, what it knows, and its file. */

import { fill, h } from '../ui/dom.js';
import { picker } from '../ui/dropzone.js';
import { bytes, number, percent } from '../ui/format.js';
import { nameOf, t } from '../i18n/i18n.js';
import { icon } from '../ui/icons.js';
import { answerBy, modelsAtHand, openModel, openShipped, saveModel, titleOf } from '../state/models.js';
import { Panel, showFailure } from '../ui/panel.js';

class ModelPanel extends Panel {
  get watches() {
    return ['model', 'shipped', 'run'];
  }

  /** Whether the run was learning when this was drawn last. */
  learning = false;

  render() {
    this.choice = h('select', { id: 'model-choice', onchange: () => this.choose(this.choice?.value ?? '') });
    this.words = h('p', { class: 'soft small' });
    this.coming = h('div', { 'aria-live': 'polite' });
    this.fault = h('div', {});
    this.save = h(
      'button',
      {
        type: 'button',
        class: 'button',
        onclick: () => this.run(async () => this.state.model && saveModel(this.state.model)),
      },
      icon('save'),
      t('model.save'),
    );
    const open = picker({
      label: t('model.open'),
      name: 'model',
      content: [icon('open')],
      accept: '.safetensors',
      take: found => this.run(() => openModel(found[0].file)),
    });
    fill(
      this,
      h(
        'section',
        { class: 'card tight model-row', 'aria-label': t('model.title') },
        h(
          'div',
          { class: 'tight' },
          h('div', { class: 'field' }, h('label', { for: 'model-choice' }, t('model.answers')), this.choice),
          this.words,
          this.coming,
          this.fault,
        ),
        h('div', { class: 'row' }, this.save, open),
      ),
    );
    this.update();
  }

  /** @param {Set<string>} [changed] */
  update(changed) {
    const { model, shipped, run } = this.state;
    const learning = run.status === 'running' || run.status === 'stopping';
    // Of the run only its beginning and its end are shown.
    if (changed?.size === 1 && changed.has('run') && learning === this.learning) return;
    this.learning = learning;
    if (!this.choice || !this.words || !this.save) return;
    const hand = modelsAtHand().filter(({ source }) => source === 'run' || source === 'file');
    const named = hand.map(({ source, name }) => ({
      value: source,
      words: t(source === 'run' && learning ? 'model.of_run_learning' : `model.of_${source}`, { name }),
    }));
    const listed = (shipped.models ?? []).map(entry => ({
      value: entry.file,
      words: t('model.of_page', { title: titleOf(entry), accuracy: percent(entry.accuracy, 0) }),
    }));
    const now = shipped.loading?.file ?? model?.source ?? '';
    const none =
      now === '' ? [h('option', { value: '', selected: true, disabled: true }, t('model.none'))] : [];
    fill(
      this.choice,
      none,
      [...named, ...listed].map(({ value, words }) => h('option', { value, selected: value === now }, words)),
    );
    const entry = shipped.models?.find(({ file }) => file === model?.source);
    const card =
      entry && h('a', { href: `models/${entry.card}`, target: '_blank', rel: 'noopener' }, t('model.card'));
    const classes = model?.classes.map(name => nameOf('class', name)).join(', ') ?? '';
    const right =
      entry && t('model.right', { accuracy: percent(entry.accuracy), n: number(entry.test_photos) });
    fill(
      this.words,
      right && `${right} `,
      model && t('model.words', { classes, size: model.size, parameters: number(model.parameters) }),
      card && ' ',
      card,
    );
    this.save.disabled = model === null;
    this.showComing();
  }

  /** The model on its way, or why it did not come. */
  showComing() {
    const { loading, failure, models } = this.state.shipped;
    if (!this.coming) return;
    if (loading) {
      const { done, total } = loading;
      fill(
        this.coming,
        h('p', { class: 'small soft' }, t('model.coming', { done: bytes(done), total: bytes(total) })),
        h('progress', { max: total, value: done, 'aria-label': t('model.title') }),
      );
      return;
    }
    fill(this.coming);
    const entry = failure && models?.find(({ file }) => file === failure.file);
    if (!entry) return;
    const again = h(
      'button',
      { type: 'button', class: 'button', onclick: () => openShipped(entry) },
      t('model.again'),
    );
    showFailure(this.coming, failure.reason);
    this.coming.append(h('p', { class: 'small soft' }, t('model.without')), again);
  }

  /** @param {string} source */
  choose(source) {
    const hand = modelsAtHand().find(model => model.source === source);
    const entry = this.state.shipped.models?.find(({ file }) => file === source);
    if (hand) answerBy(hand);
    else if (entry) openShipped(entry);
  }
}

customElements.define('floret-model', ModelPanel);
