/** Train: recipe, start and stop; the live curves and the report's lines. */

import { Curves, factsOf } from '../ui/curves.js';
import { fill, h } from '../ui/dom.js';
import { EngineFailure } from '../engine/engine.js';
import { number } from '../ui/format.js';
import { t } from '../i18n/i18n.js';
import { icon } from '../ui/icons.js';
import { Bloom } from '../ui/mark.js';
import { saveRun } from '../state/models.js';
import { Panel, heading, showFailure } from '../ui/panel.js';
import { learning, resume, stop, train } from '../state/session.js';
import { store } from '../state/state.js';

/** Epochs that the log shows: a page of thousands of lines would be slower to lay out than a tiny network to train. */
const LOG_LINES = 500;

class Train extends Panel {
  get watches() {
    return ['run', 'library', 'structure', 'recipe', 'comparison', 'report'];
  }

  bloom = new Bloom();

  render() {
    this.curves?.remove();
    this.curves = new Curves();
    this.button = h('button', { type: 'button', class: 'button primary big', onclick: () => this.press() });
    this.again = h(
      'button',
      { type: 'button', class: 'button', onclick: () => this.run(train) },
      t('train.again'),
    );
    this.report = h('a', { class: 'button primary big', href: '#report' }, t('train.to_report'));
    this.photos = h('a', { class: 'button primary big', href: '#photos' }, t('train.to_photos'));
    this.save = h(
      'button',
      { type: 'button', class: 'button', onclick: () => this.run(saveRun) },
      icon('save'),
      t('model.save'),
    );
    this.says = h('p', { class: 'says', role: 'status' });
    this.facts = h('dl', { class: 'facts' });
    this.fault = h('div', { class: 'tight' });
    this.log = h('ol', { class: 'mono log' });
    fill(
      this,
      heading('train'),
      h(
        'div',
        { class: 'columns aside' },
        h(
          'div',
          { class: 'stack' },
          h(
            'section',
            { class: 'card stage' },
            this.bloom.element,
            h(
              'div',
              { class: 'tight' },
              this.says,
              this.facts,
              h('div', { class: 'row' }, this.report, this.photos, this.button, this.again, this.save),
            ),
          ),
          this.fault,
          this.curves.element,
          h(
            'section',
            { class: 'card tight' },
            h('h2', {}, t('train.log')),
            h(
              'div',
              { class: 'scroll log-place', tabindex: '0', role: 'log', 'aria-label': t('train.log') },
              this.log,
            ),
          ),
          document.createElement('floret-compare'),
        ),
        this.settings(),
      ),
    );
    this.logged = 0;
    this.showRun();
  }

  update() {
    this.showRun();
  }

  settings() {
    const { recipe } = this.state;
    const change = (/** @type {Partial<import('../engine/protocol.js').RecipeChoice>} */ part) =>
      store.set({ recipe: { ...store.value.recipe, ...part } });
    const radio = (/** @type {string} */ name) =>
      h(
        'label',
        {},
        h('input', {
          type: 'radio',
          name: 'recipe',
          value: name,
          checked: recipe.name === name,
          onchange: () => change({ name }),
        }),
        t(`recipe.${name}`),
      );
    const count = (
      /** @type {'epochs' | 'batch_size' | 'seed'} */ name,
      /** @type {number} */ least,
      /** @type {number} */ most,
    ) =>
      h(
        'div',
        { class: 'field' },
        h('label', { for: `set-${name}` }, t(`train.${name}`)),
        h('input', {
          type: 'number',
          id: `set-${name}`,
          min: least,
          max: most,
          step: 1,
          value: recipe[name],
          onchange: (/** @type {Event} */ event) => {
            const input = /** @type {HTMLInputElement} */ (event.target);
            if (input.reportValidity()) change({ [name]: Math.round(Number(input.value)) });
          },
        }),
      );
    this.recipeWords = h('p', { class: 'small soft' });
    const form = h(
      'form',
      { class: 'card tight settings', onsubmit: (/** @type {Event} */ event) => event.preventDefault() },
      (this.choices = h(
        'fieldset',
        { class: 'tight' },
        h('legend', { class: 'sr' }, t('train.settings')),
        document.createElement('floret-origin'),
        (this.recipes = h(
          'fieldset',
          {},
          h('legend', {}, t('train.recipe')),
          h('div', { class: 'segments' }, radio('modern'), radio('textbook')),
        )),
        this.recipeWords,
        count('epochs', 1, 10_000),
        count('batch_size', 1, 1024),
        count('seed', 0, 4_294_967_295),
      )),
      document.createElement('floret-device'),
    );
    return form;
  }

  /** The settings as another panel may have changed them. */
  showRecipe() {
    const { name, epochs } = this.state.recipe;
    if (this.recipeWords) this.recipeWords.textContent = t(`recipe.${name}_words`);
    if (this.recipes) this.recipes.hidden = name === 'fine_tune';
    this.recipes?.querySelectorAll('input').forEach(radio => (radio.checked = radio.value === name));
    /** @type {HTMLInputElement | null} */
    const input = this.querySelector('#set-epochs');
    if (input && document.activeElement !== input) input.value = String(epochs);
  }

  press() {
    if (this.button?.getAttribute('aria-disabled') === 'true') return;
    const { status } = this.state.run;
    if (status === 'running') stop();
    else this.run(status === 'stopped' ? resume : train);
  }

  /** @param {() => Promise<unknown>} work */
  async run(work) {
    if (this.fault) fill(this.fault);
    try {
      await work();
    } catch (failure) {
      if (!this.fault) return;
      showFailure(this.fault, failure);
      const fits =
        failure instanceof EngineFailure && failure.detail.code === 'memory'
          ? failure.detail.batch_that_fits
          : null;
      if (fits) this.fault.append(this.smallerBatch(fits));
    }
  }

  /** A way out where memory is short. @param {number} batch */
  smallerBatch(batch) {
    const take = () => {
      const input = /** @type {HTMLInputElement | null} */ (this.querySelector('#set-batch_size'));
      if (input) input.value = String(batch);
      store.set({ recipe: { ...this.state.recipe, batch_size: batch } });
      this.run(train);
    };
    return h(
      'button',
      { type: 'button', class: 'button', onclick: take },
      t('train.smaller', { batch: number(batch) }),
    );
  }

  showRun() {
    const { run, library, structure, network, comparison, report } = this.state;
    if (
      !this.button ||
      !this.says ||
      !this.facts ||
      !this.again ||
      !this.save ||
      !this.choices ||
      !this.report ||
      !this.photos
    )
      return;
    const ready = library !== null && library.photos > 0 && structure !== null;
    const label = {
      idle: 'start',
      starting: 'starting',
      running: 'stop',
      stopping: 'stopping',
      stopped: 'resume',
      finished: 'again',
    }[run.status];
    const sign = run.status === 'running' ? 'stop' : 'play';
    if (this.shown !== `${label} ${t(`train.${label}`)}` || this.button.childElementCount === 0) {
      fill(this.button, icon(sign), t(`train.${label}`));
      this.shown = `${label} ${t(`train.${label}`)}`;
    }
    this.button.disabled = !ready;
    // A button that is disabled loses the focus of who has just pressed it. Between two networks of an experiment nothing else can start.
    const between = comparison?.running === true && run.status === 'finished';
    this.button.setAttribute(
      'aria-disabled',
      String(!ready || between || run.status === 'starting' || run.status === 'stopping'),
    );
    this.photos.hidden = (library?.photos ?? 0) > 0 || learning();
    this.button.hidden = !this.photos.hidden;
    // Who presses Stop a moment too late is not to start over.
    const ended = run.status === 'finished' && comparison?.running !== true;
    this.report.hidden = !ended || report === null;
    this.button.className = ended ? 'button' : 'button primary big';
    this.choices.disabled = learning();
    this.again.hidden = run.status !== 'stopped';
    this.save.hidden = run.status !== 'stopped' && run.status !== 'finished';
    this.bloom.show(run.last ? run.last.step / Math.max(run.last.steps, 1) : 0);
    const says = ready
      ? t(`train.says_${run.status}`, { model: network?.name ?? '', photos: number(library.photos) })
      : t(library?.photos ? 'train.no_network' : 'train.no_photos');
    if (this.says.textContent !== says) this.says.textContent = says;
    this.showRecipe();
    fill(this.facts, factsOf(run, this.state.recipe));
    this.curves?.show(run.history);
    this.showLog();
  }

  showLog() {
    const { history, model, status } = this.state.run;
    if (!this.log) return;
    if (history.lines.length < (this.logged ?? 0) || status === 'idle') {
      fill(this.log);
      this.logged = 0;
    }
    if (this.logged === 0 && this.log.childElementCount === 0 && model)
      this.log.append(h('li', {}, t('log.started', { model })));
    const first = Math.max(this.logged ?? 0, history.lines.length - LOG_LINES);
    this.log.append(...history.lines.slice(first).map(line => h('li', {}, logLine(line))));
    // The line that names the network stays, the oldest epochs go.
    while (this.log.childElementCount > LOG_LINES + 1) this.log.children[1].remove();
    if (first < history.lines.length)
      this.log.parentElement?.scrollTo({ top: this.log.parentElement.scrollHeight });
    this.logged = history.lines.length;
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
