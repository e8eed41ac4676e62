/** The model that answers: which one, what it knows, and its file. */

import { nameOf, t } from '../i18n/i18n.js';
import { answerBy, fileOf, modelsAtHand, openModel, openShipped } from '../state/models.js';
import { isLearning } from '../state/run.js';
import { fill, h } from '../ui/dom.js';
import { picker } from '../ui/dropzone.js';
import { saveModel } from '../ui/files.js';
import { bytes, number, percent } from '../ui/format.js';
import { icon } from '../ui/icons.js';
import { button, Panel, showFailure } from '../ui/panel.js';
import { titleOf } from '../ui/titles.js';

/** @typedef {import('../state/state.js').ModelAtHand} ModelAtHand */

/**
 * How the list of models names one: a shipped one by its file, others by where they come from.
 * @param {ModelAtHand} model
 */
function keyOf({ id, file }) {
  return file ?? (id === 'run' ? 'run' : 'file');
}

class ModelPanel extends Panel {
  /** @type {import('../ui/panel.js').Part[]} */
  watches = ['model', 'opened', 'trained', 'shipped', 'run'];

  choice = h('select', { id: 'model-choice', onchange: () => this.choose(this.choice.value) });
  words = h('p', { class: 'soft small' });
  coming = h('div', { 'aria-live': 'polite' });
  save = h('button', {
    type: 'button',
    class: 'button',
    onclick: () => this.run(() => this.saveAnswering()),
  });
  /** Whether the run was learning when this was drawn last. */
  learning = false;

  render() {
    fill(this.save, icon('save'), t('model.save'));
    const open = picker({
      label: t('model.open'),
      name: 'model',
      content: [icon('open')],
      accept: '.safetensors',
      take: found => this.run(() => openModel(found[0].file)),
    });
    const label = h('label', { for: 'model-choice' }, t('model.answers'));
    const field = h('div', { class: 'field' }, label, this.choice);
    fill(
      this,
      h(
        'section',
        { class: 'card tight model-row', 'aria-label': t('model.title') },
        h('div', { class: 'tight' }, field, this.words, this.coming, this.fault),
        h('div', { class: 'row' }, this.save, open),
      ),
    );
    this.update();
  }

  /** @param {Set<string>} [changed] */
  update(changed) {
    const learning = isLearning(this.state.run);
    // Of the run only its beginning and its end are shown.
    if (changed?.size === 1 && changed.has('run') && learning === this.learning) return;
    this.learning = learning;
    this.showChoice();
    this.showWords();
    this.showComing();
  }

  showChoice() {
    const { model, shipped } = this.state;
    const named = modelsAtHand()
      .filter(({ file }) => file === null)
      .map(hand => {
        const key = keyOf(hand);
        const words = key === 'run' && this.learning ? 'model.of_run_learning' : `model.of_${key}`;
        return { value: key, words: t(words, { name: hand.name }) };
      });
    const listed = (shipped.models ?? []).map(entry => ({
      value: entry.file,
      words: t('model.of_page', { title: titleOf(entry), accuracy: percent(entry.accuracy, 0) }),
    }));
    const now = shipped.loading?.file ?? (model ? keyOf(model) : '');
    const none = h('option', { value: '', selected: true, disabled: true }, t('model.none'));
    const options = [...named, ...listed].map(({ value, words }) =>
      h('option', { value, selected: value === now }, words),
    );
    fill(this.choice, now === '' ? none : null, options);
  }

  showWords() {
    const { model, shipped } = this.state;
    this.save.disabled = model === null;
    if (!model) {
      fill(this.words);
      return;
    }
    const classes = model.classes.map(name => nameOf('class', name)).join(', ');
    const facts = t('model.words', { classes, size: model.size, parameters: number(model.parameters) });
    const entry = shipped.models?.find(({ file }) => file === model.file);
    if (!entry) {
      fill(this.words, facts);
      return;
    }
    const right = t('model.right', { accuracy: percent(entry.accuracy), n: entry.test_photos });
    const card = { href: `models/${entry.card}`, target: '_blank', rel: 'noopener' };
    fill(this.words, `${right} ${facts} `, h('a', card, t('model.card')));
  }

  /** The model on its way, or why it did not come. */
  showComing() {
    const { loading, failure, models } = this.state.shipped;
    if (loading) {
      const { done, total } = loading;
      const words = t('model.coming', { done: bytes(done), total: bytes(total) });
      const bar = h('progress', { max: total, value: done, 'aria-label': t('model.title') });
      fill(this.coming, h('p', { class: 'small soft' }, words), bar);
      return;
    }
    fill(this.coming);
    const entry = failure && models?.find(({ file }) => file === failure.file);
    if (!entry) return;
    showFailure(this.coming, failure.reason);
    this.coming.append(
      h('p', { class: 'small soft' }, t('model.without')),
      button(t('model.again'), () => openShipped(entry)),
    );
  }

  async saveAnswering() {
    const { model } = this.state;
    if (model) saveModel(model.name, await fileOf(model));
  }

  /** @param {string} key */
  choose(key) {
    const hand = modelsAtHand().find(model => keyOf(model) === key);
    const entry = this.state.shipped.models?.find(({ file }) => file === key);
    if (hand) answerBy(hand);
    else if (entry) openShipped(entry);
  }
}

customElements.define('floret-model', ModelPanel);
