/** Train: recipe, start and stop; the live curves and the report's lines. */

import './compare.js';
import './device.js';
import './origin.js';
import { t } from '../i18n/i18n.js';
import { fileOf } from '../state/models.js';
import { shareDone, statusOf } from '../state/run.js';
import { learning, resume, stop, train } from '../state/session.js';
import { store } from '../state/state.js';
import { Curves, factsOf } from '../ui/curves.js';
import { fill, h } from '../ui/dom.js';
import { saveModel } from '../ui/files.js';
import { number } from '../ui/format.js';
import { icon } from '../ui/icons.js';
import { Bloom } from '../ui/mark.js';
import { button, detailOf, heading, Panel, say } from '../ui/panel.js';
import { RunButton } from '../ui/run-button.js';

/**
 * Epochs that the log shows: a page of thousands of lines would be slower to lay out than a tiny network to
 * train.
 */
const LOG_LINES = 500;

/** Settings that are numbers: least and most. */
const COUNTS = /** @type {const} */ ({
  epochs: [1, 10_000],
  batch_size: [1, 1024],
  seed: [0, 4_294_967_295],
});
/** Recipes to choose from; that of a run from a trained model is chosen with it. */
const RECIPES = ['modern', 'textbook'];

/** @typedef {import('../engine/protocol.js').RecipeChoice} RecipeChoice */

class Train extends Panel {
  /** @type {import('../ui/panel.js').Part[]} */
  watches = ['run', 'library', 'structure', 'recipe', 'comparison', 'report'];

  bloom = new Bloom();
  curves = new Curves();
  go = new RunButton('button primary big', () => this.press());
  again = h('button', { type: 'button', class: 'button', onclick: () => this.run(train) });
  report = h('a', { class: 'button primary big', href: '#report' });
  photos = h('a', { class: 'button primary big', href: '#photos' });
  save = h('button', { type: 'button', class: 'button', onclick: () => this.run(() => this.saveRun()) });
  says = h('p', { class: 'says', role: 'status' });
  facts = h('dl', { class: 'facts' });
  log = h('ol', { class: 'mono log' });
  logPlace = h('div', { class: 'scroll log-place', tabindex: '0', role: 'log' }, this.log);
  /** Lines of the log that are shown. */
  logged = 0;

  recipeWords = h('p', { class: 'small soft' });
  recipes = RECIPES.map(name =>
    h('input', { type: 'radio', name: 'recipe', value: name, onchange: () => this.change({ name }) }),
  );
  recipeChoice = h('fieldset', {});
  counts = {
    epochs: this.count('epochs'),
    batch_size: this.count('batch_size'),
    seed: this.count('seed'),
  };
  choices = h('fieldset', { class: 'tight' });
  form = h('form', {
    class: 'card tight settings',
    onsubmit: (/** @type {Event} */ event) => event.preventDefault(),
  });

  render() {
    this.curves.remove();
    this.curves = new Curves();
    fill(this.again, t('train.again'));
    fill(this.report, t('train.to_report'));
    fill(this.photos, t('train.to_photos'));
    fill(this.save, icon('save'), t('model.save'));
    this.logPlace.setAttribute('aria-label', t('train.log'));
    fill(this.log);
    this.logged = 0;
    const buttons = h(
      'div',
      { class: 'row' },
      this.report,
      this.photos,
      this.go.element,
      this.again,
      this.save,
    );
    const stage = h(
      'section',
      { class: 'card stage' },
      this.bloom.element,
      h('div', { class: 'tight' }, this.says, this.facts, buttons),
    );
    const log = h('section', { class: 'card tight' }, h('h2', {}, t('train.log')), this.logPlace);
    const compare = document.createElement('floret-compare');
    const stack = h('div', { class: 'stack' }, stage, this.fault, this.curves.element, log, compare);
    this.renderSettings();
    fill(this, heading('train'), h('div', { class: 'columns aside' }, stack, this.form));
    this.update();
  }

  renderSettings() {
    const labels = this.recipes.map(radio => h('label', {}, radio, t(`recipe.${radio.value}`)));
    fill(this.recipeChoice, h('legend', {}, t('train.recipe')), h('div', { class: 'segments' }, labels));
    const field = (/** @type {HTMLInputElement} */ input) =>
      h('div', { class: 'field' }, h('label', { for: input.id }, t(`train.${input.name}`)), input);
    fill(
      this.choices,
      h('legend', { class: 'sr' }, t('train.settings')),
      document.createElement('floret-origin'),
      this.recipeChoice,
      this.recipeWords,
      Object.values(this.counts).map(field),
    );
    fill(this.form, this.choices, document.createElement('floret-device'));
  }

  /** @param {keyof typeof COUNTS} name */
  count(name) {
    const [min, max] = COUNTS[name];
    const input = h('input', { type: 'number', id: `set-${name}`, name, min, max, step: 1 });
    input.addEventListener('change', () => {
      if (input.reportValidity()) this.change({ [name]: Math.round(Number(input.value)) });
    });
    return input;
  }

  /** @param {Partial<RecipeChoice>} part */
  change(part) {
    store.set({ recipe: { ...this.state.recipe, ...part } });
  }

  async saveRun() {
    const { trained } = this.state;
    if (trained) saveModel(trained.name, await fileOf(trained));
  }

  press() {
    const status = statusOf(this.state.run);
    if (status === 'running') stop();
    // A setting out of its range is pointed at; the run must not quietly take the one before it.
    else if (this.form.reportValidity()) this.run(status === 'stopped' ? resume : train);
  }

  /** Where memory is short, the batch that would fit. @param {unknown} failure */
  remedy(failure) {
    const { code, batch_that_fits: batch } = detailOf(failure);
    if (code !== 'memory' || !batch) return null;
    const take = () => {
      this.change({ batch_size: batch });
      this.run(train);
    };
    return button(t('train.smaller', { batch: number(batch) }), take);
  }

  update() {
    const { run, library, structure, network, comparison, report, recipe } = this.state;
    const photos = library?.photos ?? 0;
    const ready = photos > 0 && structure !== null;
    const comparing = comparison?.running === true;
    const { phase } = run;
    // Between two networks of an experiment nothing else can start.
    this.go.show(run, { ready, waits: comparing && phase === 'finished' });
    this.photos.hidden = photos > 0 || learning();
    this.go.element.hidden = !this.photos.hidden;
    // Who presses Stop a moment too late is not to start over.
    const ended = (phase === 'judging' || phase === 'finished') && !comparing;
    this.report.hidden = !ended || report === null;
    this.go.element.className = ended ? 'button' : 'button primary big';
    this.choices.disabled = learning();
    this.again.hidden = phase !== 'stopped';
    this.save.hidden = phase !== 'stopped' && phase !== 'judging' && phase !== 'finished';
    this.bloom.show(shareDone(run));
    const values = { model: network?.name ?? '', photos: t('count.photos', { n: photos }) };
    const missing = photos > 0 ? 'train.no_network' : 'train.no_photos';
    say(this.says, ready ? t(`train.says_${statusOf(run)}`, values) : t(missing));
    this.showRecipe();
    fill(this.facts, factsOf(run, recipe));
    this.curves.show(run.history);
    this.showLog();
  }

  /** The settings as another panel may have changed them. */
  showRecipe() {
    const { recipe } = this.state;
    this.recipeWords.textContent = t(`recipe.${recipe.name}_words`);
    this.recipeChoice.hidden = recipe.name === 'fine_tune';
    for (const radio of this.recipes) radio.checked = radio.value === recipe.name;
    for (const name of /** @type {(keyof typeof COUNTS)[]} */ (Object.keys(COUNTS))) {
      const input = this.counts[name];
      if (document.activeElement !== input) input.value = String(recipe[name]);
    }
  }

  showLog() {
    const { history, model, phase } = this.state.run;
    const { lines } = history;
    if (lines.length < this.logged || phase === 'idle') {
      fill(this.log);
      this.logged = 0;
    }
    if (this.logged === 0 && this.log.childElementCount === 0 && model)
      this.log.append(h('li', {}, t('log.started', { model: model.name })));
    const first = Math.max(this.logged, lines.length - LOG_LINES);
    this.log.append(...lines.slice(first).map(line => h('li', {}, logLine(line))));
    // The line that names the network stays, the oldest epochs go.
    while (this.log.childElementCount > LOG_LINES + 1) this.log.children[1].remove();
    if (first < lines.length) this.logPlace.scrollTo({ top: this.logPlace.scrollHeight });
    this.logged = lines.length;
  }
}

/** The report's line. @param {import('../engine/protocol.js').EpochLine} line */
function logLine({ epoch, loss, accuracy, validation_accuracy, seconds, total_seconds }) {
  const digits = (/** @type {number} */ value) => value.toFixed(3);
  const both =
    validation_accuracy == null ? digits(accuracy) : `${digits(accuracy)}/${digits(validation_accuracy)}`;
  return t('log.epoch', {
    epoch,
    loss: digits(loss),
    accuracy: both,
    seconds: Math.round(seconds),
    total: Math.round(total_seconds),
  });
}

customElements.define('floret-train', Train);
