/** The frame around the panels: name, steps, language, theme; and which view shows. */

import { fill, h } from '../ui/dom.js';
import { percent } from '../ui/format.js';
import { language, readSetting, setLanguage, t, writeSetting } from '../i18n/i18n.js';
import { icon } from '../ui/icons.js';
import { mark } from '../ui/mark.js';
import { Panel } from '../ui/panel.js';

/** @typedef {'photos' | 'network' | 'train' | 'report' | 'why' | 'classify'} View */

/** @type {View[]} */
export const VIEWS = ['photos', 'network', 'train', 'report', 'why', 'classify'];

const THEME = 'floret.theme';

/** @returns {View} */
function viewOfAddress() {
  const name = /** @type {View} */ (location.hash.slice(1));
  return VIEWS.includes(name) ? name : 'photos';
}

class Frame extends Panel {
  get watches() {
    return ['library', 'structure', 'run', 'report', 'model', 'build'];
  }

  connectedCallback() {
    const theme = readSetting(THEME);
    if (theme) document.documentElement.dataset.theme = theme;
    this.views = Object.fromEntries(VIEWS.map(view => [view, document.createElement(`floret-${view}`)]));
    for (const view of Object.values(this.views)) view.className = 'view';
    this.steps = h('nav', { class: 'steps' });
    this.tools = h('div', { class: 'tools' });
    this.skip = h('a', { class: 'button primary skip', href: '#main' });
    this.skip.addEventListener('click', event => {
      event.preventDefault();
      this.focusView();
    });
    this.main = h('main', { id: 'main' }, Object.values(this.views));
    this.foot = h('footer', { class: 'foot' });
    this.append(
      this.skip,
      h(
        'header',
        { class: 'top' },
        h('a', { class: 'brand', href: '#photos' }, mark(), 'Floret'),
        this.steps,
        this.tools,
      ),
      this.main,
      this.foot,
    );
    super.connectedCallback();
    window.addEventListener('hashchange', () => {
      this.show();
      this.focusView();
    });
    this.show();
  }

  render() {
    this.steps?.setAttribute('aria-label', t('frame.steps'));
    if (this.skip) this.skip.textContent = t('frame.skip');
    this.renderTools();
    this.renderSteps();
    if (this.foot) {
      fill(
        this.foot,
        h('span', {}, t('frame.private')),
        h('span', {}, this.state.build ? t(`build.${this.state.build}`) : ''),
      );
    }
  }

  renderTools() {
    const other = language() === 'ko' ? 'en' : 'ko';
    const dark = isDark();
    const languageButton = h(
      'button',
      { class: 'button quiet', type: 'button', lang: other, onclick: () => this.switchLanguage(other) },
      other === 'ko' ? '한국어' : 'English',
    );
    const themeButton = h(
      'button',
      {
        class: 'button quiet',
        type: 'button',
        'aria-label': t(dark ? 'frame.light' : 'frame.dark'),
        title: t(dark ? 'frame.light' : 'frame.dark'),
        onclick: () => this.switchTheme(),
      },
      icon(dark ? 'sun' : 'moon'),
    );
    if (this.tools) fill(this.tools, languageButton, themeButton);
  }

  /** @param {import('../i18n/i18n.js').Language} next */
  switchLanguage(next) {
    setLanguage(next);
    /** @type {HTMLElement | null | undefined} */ (this.tools?.firstElementChild)?.focus();
  }

  switchTheme() {
    const next = isDark() ? 'light' : 'dark';
    document.documentElement.dataset.theme = next;
    writeSetting(THEME, next);
    this.renderTools();
    /** @type {HTMLElement | null | undefined} */ (this.tools?.lastElementChild)?.focus();
    document.dispatchEvent(new Event('themechange'));
  }

  update() {
    this.renderSteps();
    if (this.foot)
      this.foot.lastElementChild?.replaceChildren(this.state.build ? t(`build.${this.state.build}`) : '');
  }

  renderSteps() {
    const current = viewOfAddress();
    const items = VIEWS.map(view => {
      const status = this.status(view);
      const link = h(
        'a',
        { href: `#${view}`, 'aria-current': view === current ? 'page' : null },
        icon(view),
        h('span', {}, t(`step.${view}`)),
        status && h('span', { class: 'status' }, status),
      );
      return h('li', {}, link);
    });
    const focused = this.steps?.contains(document.activeElement)
      ? document.activeElement?.getAttribute('href')
      : null;
    if (this.steps) fill(this.steps, h('ol', {}, items));
    if (focused)
      /** @type {HTMLElement | null | undefined} */ (
        this.steps?.querySelector(`a[href="${focused}"]`)
      )?.focus();
  }

  /** What a step's link says about it. @param {View} view */
  status(view) {
    const { library, structure, run, report, model } = this.state;
    const done = h(
      'span',
      { class: 'done' },
      h('span', { 'aria-hidden': 'true' }, '✓'),
      h('span', { class: 'sr' }, t('frame.done')),
    );
    if (view === 'photos') return library && library.photos > 0 ? done : null;
    if (view === 'network') return structure ? done : null;
    if (view === 'report') return report ? percent(report.accuracy, 0) : null;
    if (view === 'classify')
      return (model?.source === 'run' && run.status === 'finished') || model?.source === 'file' ? done : null;
    if (view === 'why') return null;
    if (run.status === 'finished') return done;
    return run.last ? percent(run.last.step / Math.max(run.last.steps, 1), 0) : null;
  }

  show() {
    const current = viewOfAddress();
    for (const [name, view] of Object.entries(this.views ?? {})) view.hidden = name !== current;
    document.title = `${t(`step.${current}`)} · Floret`;
    this.renderSteps();
    document.dispatchEvent(new CustomEvent('viewshown', { detail: current }));
  }

  focusView() {
    const heading = this.views?.[viewOfAddress()].querySelector('h1');
    heading?.focus({ preventScroll: true });
    window.scrollTo({ top: 0 });
  }
}

function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
}

customElements.define('floret-frame', Frame);
