/** The frame around the views: name, steps, language, theme; and which view shows. */

import { language, readSetting, setLanguage, t, writeSetting } from '../i18n/i18n.js';
import { fill, h } from '../ui/dom.js';
import { icon } from '../ui/icons.js';
import { mark } from '../ui/mark.js';
import { Panel, say } from '../ui/panel.js';
import { VIEWS } from './views.js';

const THEME = 'floret.theme';

/** The name of the view that the address asks for. */
function viewOfAddress() {
  const asked = location.hash.slice(1);
  return VIEWS.some(({ name }) => name === asked) ? asked : VIEWS[0].name;
}

class Frame extends Panel {
  /** @type {import('../ui/panel.js').Part[]} */
  watches = ['library', 'structure', 'run', 'report', 'model', 'build'];

  views = VIEWS.map(({ name }) => ({ name, element: document.createElement(`floret-${name}`) }));
  steps = h('nav', { class: 'steps' });
  tools = h('div', { class: 'tools' });
  main = h(
    'main',
    { id: 'main' },
    this.views.map(({ element }) => element),
  );
  build = h('span', {});
  foot = h('footer', { class: 'foot' });
  skip = h('a', {
    class: 'button primary skip',
    href: '#main',
    onclick: (/** @type {Event} */ event) => {
      event.preventDefault();
      this.focusView();
    },
  });

  connectedCallback() {
    const theme = readSetting(THEME);
    if (theme) document.documentElement.dataset.theme = theme;
    for (const { element } of this.views) element.className = 'view';
    const brand = h('a', { class: 'brand', href: '#photos' }, mark(), 'Floret');
    const top = h('header', { class: 'top' }, brand, this.steps, this.tools);
    this.append(this.skip, top, this.main, this.foot);
    super.connectedCallback();
    window.addEventListener('hashchange', () => {
      this.show();
      this.focusView();
    });
    this.show();
  }

  render() {
    this.steps.setAttribute('aria-label', t('frame.steps'));
    this.skip.textContent = t('frame.skip');
    this.renderTools();
    this.update();
    fill(this.foot, h('span', {}, t('frame.private')), this.build);
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
    fill(this.tools, languageButton, themeButton);
  }

  /** @param {import('../i18n/i18n.js').Language} next */
  switchLanguage(next) {
    setLanguage(next);
    focus(this.tools.firstElementChild);
  }

  switchTheme() {
    const next = isDark() ? 'light' : 'dark';
    document.documentElement.dataset.theme = next;
    writeSetting(THEME, next);
    this.renderTools();
    focus(this.tools.lastElementChild);
    document.dispatchEvent(new Event('themechange'));
  }

  update() {
    this.renderSteps();
    say(this.build, this.state.build ? t(`build.${this.state.build}`) : '');
  }

  renderSteps() {
    const current = viewOfAddress();
    const items = VIEWS.map(({ name, status }) => {
      const attributes = { href: `#${name}`, 'aria-current': name === current ? 'page' : null };
      const words = h('span', {}, t(`step.${name}`));
      return h('li', {}, h('a', attributes, icon(name), words, statusMark(status(this.state))));
    });
    const focused = this.steps.contains(document.activeElement)
      ? document.activeElement?.getAttribute('href')
      : null;
    fill(this.steps, h('ol', {}, items));
    if (focused) focus(this.steps.querySelector(`a[href="${focused}"]`));
  }

  show() {
    const current = viewOfAddress();
    for (const { name, element } of this.views) element.hidden = name !== current;
    document.title = `${t(`step.${current}`)} · Floret`;
    this.renderSteps();
    document.dispatchEvent(new CustomEvent('viewshown', { detail: current }));
  }

  focusView() {
    const view = this.views.find(({ name }) => name === viewOfAddress());
    view?.element.querySelector('h1')?.focus({ preventScroll: true });
    window.scrollTo({ top: 0 });
  }
}

/** What a step says of its view. @param {boolean | string} status */
function statusMark(status) {
  if (status === false) return null;
  const sign = h('span', { 'aria-hidden': 'true' }, '✓');
  const done = () => h('span', { class: 'done' }, sign, h('span', { class: 'sr' }, t('frame.done')));
  return h('span', { class: 'status' }, status === true ? done() : status);
}

/** @param {Element | null} element */
function focus(element) {
  if (element instanceof HTMLElement) element.focus();
}

function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
}

customElements.define('floret-frame', Frame);
