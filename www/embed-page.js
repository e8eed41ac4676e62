/**
 * The page inside the frame that embed.js makes: one network, one button, its curves.
 * `?model=&dataset=drawn|none&epochs=&panels=train,report,classify&lang=en|ko&theme=light|dark|auto`
 */

import './panels/classify.js';
import './panels/report.js';
import { EngineFailure } from './engine/engine.js';
import { language, t } from './i18n/i18n.js';
import { openFirstModel } from './state/models.js';
import { shareDone, statusOf } from './state/run.js';
import { addFiles, drawFlowers, learning, resume, start, stop, train } from './state/session.js';
import { store } from './state/state.js';
import { Curves, factsOf } from './ui/curves.js';
import { fill, h } from './ui/dom.js';
import { photoPickers, takesDrops } from './ui/dropzone.js';
import { number, percent } from './ui/format.js';
import { Bloom, mark } from './ui/mark.js';
import { Panel, say, showFailure } from './ui/panel.js';
import { RunButton } from './ui/run-button.js';
import { wordDoubt } from './ui/words.js';

/** @typedef {import('./ui/files.js').Found} Found */

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
  /** @type {import('./ui/panel.js').Part[]} */
  watches = ['run', 'library', 'network', 'report', 'build'];

  bloom = new Bloom(89);
  curves = new Curves();
  go = new RunButton('button primary', () => this.press());
  says = h('p', { class: 'says', role: 'status' });
  facts = h('dl', { class: 'facts' });
  photos = h('div', {});
  /** Whether photos are on their way. */
  busy = false;

  render() {
    this.curves.remove();
    this.curves = new Curves();
    fill(this.photos);
    const whole = h(
      'a',
      {
        class: 'brand',
        href: new URL('index.html', document.baseURI).href,
        target: '_blank',
        rel: 'noopener',
        'aria-label': t('embed.whole'),
      },
      mark(),
      'Floret',
    );
    const title = PANELS.includes('train') || query.has('model') ? NETWORK : t('step.classify');
    fill(
      this,
      h('header', { class: 'embed-head' }, h('h1', {}, title), whole),
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
    const button = h('div', { class: 'row' }, this.go.element);
    const words = h('div', { class: 'tight' }, this.says, this.facts, this.photos, button);
    const stage = h('section', { class: 'card stage' }, this.bloom.element, words);
    if (!DRAWN) takesDrops(stage, found => this.add(found));
    return h('div', { class: 'stack' }, stage, this.fault, this.curves.element);
  }

  update() {
    const { run, library, network, recipe } = this.state;
    const photos = library?.photos ?? 0;
    const ready = network !== null && !this.busy && (DRAWN || photos > 0);
    this.go.show(run, { ready });
    this.bloom.show(shareDone(run));
    say(this.says, this.words(photos));
    fill(this.facts, factsOf(run, recipe));
    this.facts.hidden = run.last === null;
    this.curves.show(run.history);
    this.curves.element.hidden = run.last === null;
    if (photos > 0) fill(this.photos);
    else if (!DRAWN && this.photos.childElementCount === 0)
      fill(
        this.photos,
        h(
          'div',
          { class: 'row' },
          photoPickers(found => this.add(found)),
        ),
      );
  }

  /** @param {number} photos */
  words(photos) {
    const { run, network, report } = this.state;
    if (!network) return t('embed.loading');
    if (run.phase === 'finished' && report)
      return report.accuracy === null
        ? (wordDoubt(report) ?? '')
        : t('embed.finished', { accuracy: percent(report.accuracy), n: report.n });
    if (run.phase !== 'idle') return t(`train.says_${statusOf(run)}`, { model: network.name });
    if (photos > 0)
      return t('train.says_idle', { model: network.name, photos: t('count.photos', { n: photos }) });
    return t(DRAWN ? 'embed.ready' : 'photos.how');
  }

  /** @param {Found[]} found */
  add(found) {
    if (learning()) return;
    this.run(() => this.load((progress, signal) => addFiles(found, progress, signal)));
  }

  /**
   * Waits for photos, and says how many are there.
   * @param {(progress: import('./state/session.js').Loading, signal: AbortSignal) => Promise<void>} work
   */
  async load(work) {
    const words = DRAWN ? 'embed.drawing' : 'embed.reading';
    this.busy = true;
    this.update();
    try {
      await work(
        ({ done }) => say(this.says, t(words, { done: number(done) })),
        new AbortController().signal,
      );
    } finally {
      this.busy = false;
      this.update();
    }
  }

  press() {
    const status = statusOf(this.state.run);
    if (status === 'running') stop();
    else if (status === 'stopped') this.run(resume);
    else this.run(() => this.begin());
  }

  async begin() {
    if (DRAWN && !this.state.library?.photos)
      await this.load((progress, signal) => drawFlowers(progress, signal, DRAWN_PER_CLASS));
    await train();
  }
}

customElements.define('floret-embedded', Embedded);

/** The network asked for, with the epochs asked for. */
async function begin() {
  await start({ keep: false, network: NETWORK });
  const { presets, recipe } = store.value;
  if (!presets.some(({ name }) => name === NETWORK)) {
    const names = presets.map(({ name }) => name).join(', ');
    throw new EngineFailure({
      code: 'setting',
      name: { key: 'what.model', values: {} },
      expected: names,
      found: NETWORK,
    });
  }
  const epochs = Math.round(Number(query.get('epochs') ?? EPOCHS));
  store.set({ recipe: { ...recipe, epochs: epochs >= 1 && epochs <= 10_000 ? epochs : EPOCHS } });
  if (PANELS.includes('classify')) await openFirstModel(query.has('model') ? `${NETWORK}.safetensors` : '');
}

/** @param {string | null} theme */
function useTheme(theme) {
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  document.dispatchEvent(new Event('themechange'));
}

document.documentElement.lang = language();
document.title = t('embed.title', { model: NETWORK });
useTheme(query.get('theme'));
begin().catch(failure => {
  const place = h('div', {});
  showFailure(place, failure);
  document.querySelector('main')?.prepend(place);
});

window.addEventListener('message', event => {
  if (event.source === window.parent && typeof event.data?.floretTheme === 'string')
    useTheme(event.data.floretTheme);
});
// Only a number leaves the frame, so every page around it may hear it.
new ResizeObserver(() =>
  window.parent.postMessage({ floretHeight: document.documentElement.offsetHeight }, '*'),
).observe(document.documentElement);
