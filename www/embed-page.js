/**
 * The page inside the frame that embed.js makes: one network, one button, its curves.
 * `?model=&dataset=drawn|none&epochs=&panels=train,report,classify&lang=en|ko&theme=light|dark|auto`
 */

import './panels/classify.js';
import './panels/model.js';
import './panels/report.js';
import { Curves, factsOf } from './ui/curves.js';
import { fill, h } from './ui/dom.js';
import { picker, takesDrops } from './ui/dropzone.js';
import { EngineFailure } from './engine/engine.js';
import { number, percent } from './ui/format.js';
import { language, t } from './i18n/i18n.js';
import { icon } from './ui/icons.js';
import { Bloom, mark } from './ui/mark.js';
import { openFirstModel } from './state/models.js';
import { Panel, showFailure } from './ui/panel.js';
import { addFiles, drawFlowers, learning, resume, start, stop, train } from './state/session.js';
import { store } from './state/state.js';

const query = new URLSearchParams(location.search);
const NETWORK = query.get('model') ?? 'residual_flower';
/** Panels that can be asked for. */
const KNOWN = ['train', 'report', 'classify'];
const ASKED = (query.get('panels') ?? '').split(',').filter(panel => KNOWN.includes(panel));
const PANELS = ASKED.length > 0 ? ASKED : ['train'];
const DRAWN = query.get('dataset') !== 'none';
/** Epochs without an `epochs` of their own: a minute or less on a laptop. */
const EPOCHS = 5;
/** Drawn flowers of a class: enough to learn from, soon there. */
const DRAWN_PER_CLASS = 60;

class Embedded extends Panel {
  get watches() {
    return ['run', 'library', 'network', 'report', 'build'];
  }

  bloom = new Bloom(89);
  /** What the button says, and whether photos are on their way. */
  shown = '';
  busy = false;

  render() {
    this.curves?.remove();
    this.curves = new Curves();
    this.button = h('button', { type: 'button', class: 'button primary', onclick: () => this.press() });
    this.says = h('p', { class: 'says', role: 'status' });
    this.facts = h('dl', { class: 'facts' });
    this.fault = h('div', {});
    this.photos = h('div', {});
    const whole = new URL('index.html', document.baseURI);
    fill(
      this,
      h(
        'header',
        { class: 'embed-head' },
        h('h1', {}, PANELS.includes('train') || query.has('model') ? NETWORK : t('step.classify')),
        h(
          'a',
          {
            class: 'brand',
            href: whole.href,
            target: '_blank',
            rel: 'noopener',
            'aria-label': t('embed.whole'),
          },
          mark(),
          'Floret',
        ),
      ),
      h(
        'main',
        { class: 'stack' },
        PANELS.includes('train') ? this.trainer() : null,
        PANELS.includes('report') ? document.createElement('floret-report') : null,
        PANELS.includes('classify') ? document.createElement('floret-classify') : null,
      ),
    );
    this.update();
  }

  trainer() {
    const stage = h(
      'section',
      { class: 'card stage' },
      this.bloom.element,
      h(
        'div',
        { class: 'tight' },
        this.says,
        this.facts,
        this.photos,
        h('div', { class: 'row' }, this.button),
      ),
    );
    if (!DRAWN) takesDrops(stage, found => this.add(found));
    return h('div', { class: 'stack' }, stage, this.fault, this.curves?.element);
  }

  update() {
    const { run, library, network, report, recipe } = this.state;
    if (!this.button || !this.says || !this.facts || !this.photos) return;
    const photos = library?.photos ?? 0;
    const label = {
      idle: 'start',
      starting: 'starting',
      running: 'stop',
      stopping: 'stopping',
      stopped: 'resume',
      finished: 'again',
    }[run.status];
    if (this.shown !== label || this.button.childElementCount === 0)
      fill(this.button, icon(run.status === 'running' ? 'stop' : 'play'), t(`train.${label}`));
    this.shown = label;
    this.button.disabled =
      !network ||
      this.busy ||
      run.status === 'starting' ||
      run.status === 'stopping' ||
      (!DRAWN && photos === 0);
    this.bloom.show(run.last ? run.last.step / Math.max(run.last.steps, 1) : 0);
    const says = this.words(photos, report);
    if (this.says.textContent !== says) this.says.textContent = says;
    fill(this.facts, factsOf(run, recipe));
    this.facts.hidden = run.last === null;
    this.curves?.show(run.history);
    if (this.curves) this.curves.element.hidden = run.last === null;
    if (!DRAWN && photos === 0 && this.photos.childElementCount === 0)
      fill(this.photos, h('div', { class: 'row' }, this.pickers()));
    if (photos > 0) fill(this.photos);
  }

  /** @param {number} photos @param {import('./engine/protocol.js').Evaluation | null} report */
  words(photos, report) {
    const { run, network } = this.state;
    if (!network) return t('embed.loading');
    if (run.status === 'finished' && report)
      return t('embed.finished', { accuracy: percent(report.accuracy), n: number(report.n) });
    if (run.status !== 'idle') return t(`train.says_${run.status}`, { model: network.name });
    if (photos > 0) return t('train.says_idle', { model: network.name, photos: number(photos) });
    return t(DRAWN ? 'embed.ready' : 'photos.how');
  }

  pickers() {
    const take = (/** @type {import('./ui/files.js').Found[]} */ found) => this.add(found);
    return [
      picker({
        label: t('photos.folder'),
        name: 'folder',
        content: [icon('folder')],
        folder: true,
        multiple: true,
        take,
      }),
      picker({
        label: t('photos.archive'),
        name: 'archive',
        content: [icon('archive')],
        accept: '.zip,.tar,.tgz,.gz,image/*',
        multiple: true,
        take,
      }),
    ];
  }

  /** @param {import('./ui/files.js').Found[]} found */
  add(found) {
    if (learning()) return;
    this.run(() => addFiles(found, state => this.loading(state), new AbortController().signal));
  }

  /** @param {import('./engine/protocol.js').LoadProgress} state */
  loading({ done }) {
    if (this.says)
      this.says.textContent = t(DRAWN ? 'embed.drawing' : 'embed.reading', { done: number(done) });
  }

  press() {
    const { status } = this.state.run;
    if (status === 'running') stop();
    else if (status === 'stopped') this.run(resume);
    else this.run(() => this.begin());
  }

  async begin() {
    if (DRAWN && !this.state.library?.photos)
      await drawFlowers(state => this.loading(state), new AbortController().signal, DRAWN_PER_CLASS);
    await train();
  }

  /** @param {() => Promise<unknown>} work */
  async run(work) {
    this.busy = this.state.run.status === 'idle';
    await super.run(() => {
      const under = work();
      this.update();
      this.busy = false;
      return under;
    });
    this.update();
  }
}

customElements.define('floret-embedded', Embedded);

/** The network asked for, with the epochs asked for. */
async function begin() {
  await start({ keep: false, network: NETWORK });
  const { presets, recipe } = store.value;
  if (!presets.some(({ name }) => name === NETWORK)) {
    const names = presets.map(({ name }) => name).join(', ');
    throw new EngineFailure({ code: 'setting', name: 'model', expected: names, found: NETWORK });
  }
  const epochs = Math.round(Number(query.get('epochs') ?? EPOCHS));
  store.set({ recipe: { ...recipe, epochs: epochs >= 1 && epochs <= 10_000 ? epochs : EPOCHS } });
  if (PANELS.includes('classify')) await openFirstModel(query.has('model') ? `${NETWORK}.safetensors` : '');
}

/** @param {string | null} theme */
function wear(theme) {
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  document.dispatchEvent(new Event('themechange'));
}

document.documentElement.lang = language();
document.title = t('embed.title', { model: NETWORK });
wear(query.get('theme'));
begin().catch(failure => {
  const place = h('div', {});
  showFailure(place, failure);
  document.querySelector('main')?.prepend(place);
});

window.addEventListener('message', event => {
  if (event.source === window.parent && typeof event.data?.floretTheme === 'string')
    wear(event.data.floretTheme);
});
// Only a number leaves the frame, so every page around it may hear it.
new ResizeObserver(() =>
  window.parent.postMessage({ floretHeight: document.documentElement.offsetHeight }, '*'),
).observe(document.documentElement);
