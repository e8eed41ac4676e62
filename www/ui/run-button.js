/** The button of a run, which says what pressing it does where the run stands. */

import { t } from '../i18n/i18n.js';
import { statusOf } from '../state/run.js';
import { fill, h } from './dom.js';
import { icon } from './icons.js';

/** What the button says, by where the run stands. */
const LABELS = /** @type {const} */ ({
  idle: 'start',
  starting: 'starting',
  running: 'stop',
  stopping: 'stopping',
  stopped: 'resume',
  judging: 'judging',
  finished: 'again',
});

/** Starts, stops and continues the run at hand. */
export class RunButton {
  /** What is shown. */
  words = '';

  /** @param {string} style @param {() => void} press */
  constructor(style, press) {
    this.element = h('button', { type: 'button', class: style, onclick: () => this.waits() || press() });
  }

  /**
   * Whether nothing can be done now. The button is only marked as such: one that is disabled loses the focus
   * of who has just
   * pressed it.
   */
  waits() {
    return this.element.getAttribute('aria-disabled') === 'true';
  }

  /**
   * @param {import('../state/run.js').Run} run
   * @param {{ ready: boolean, waits?: boolean }} may whether a run can be started at all, and whether it must
   *   wait for others
   */
  show(run, { ready, waits = false }) {
    const status = statusOf(run);
    const words = t(`train.${LABELS[status]}`);
    // Written only where it changed, so that the focus and a press under way stay.
    if (words !== this.words) fill(this.element, icon(status === 'running' ? 'stop' : 'play'), words);
    this.words = words;
    this.element.disabled = !ready;
    const busy = status === 'starting' || status === 'stopping' || status === 'judging';
    this.element.setAttribute('aria-disabled', String(!ready || waits || busy));
  }
}
