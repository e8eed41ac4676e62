/** Curves that grow while the network learns, drawn by uPlot in the page's colours. */

import uPlot from '../vendor/uPlot.esm.js';
import { h } from './dom.js';

/**
 * @typedef {object} Series
 * @property {string} label
 * @property {string} colour a custom property, such as `--petal`
 * @property {'line' | 'dots' | 'marks'} style `marks` is a line with a dot at every value
 */

/** @typedef {(number | null)[][]} Columns first the x values, then one column a series */

const HEIGHT = 230;

/** One chart with its legend. */
export class Chart {
  /**
   * `log` draws y by its powers of ten, values that are not positive left out; `whole` says that x counts
   * things.
   * @param {{ label: string, x: string, series: Series[], format: (value: number) => string, top?: number,
   *   log?: boolean, whole?: boolean }} options
   */
  constructor({ label, x, series, format, top, log = false, whole = false }) {
    this.options = { x, series, format, top, log, whole };
    /** @type {Columns} */
    this.columns = [[], ...series.map(() => [])];
    this.canvas = h('div', { class: 'chart-canvas', role: 'img', 'aria-label': label });
    this.legend = h(
      'ul',
      { class: 'legend', 'aria-hidden': 'true' },
      series.map(({ label: name, style }, index) => h('li', { class: `key-${style} key-${index}` }, name)),
    );
    this.element = h(
      'figure',
      { class: 'chart' },
      h('figcaption', {}, h('h3', {}, label), this.legend),
      this.canvas,
    );
    /** @type {uPlot | null} */
    this.plot = null;
    this.observer = new ResizeObserver(() => this.fit());
    this.observer.observe(this.canvas);
    this.onTheme = () => this.redraw();
    document.addEventListener('themechange', this.onTheme);
  }

  /** @param {Columns} columns */
  show(columns) {
    this.columns = columns;
    if (this.plot) this.plot.setData(/** @type {any} */ (columns));
    else this.fit();
  }

  fit() {
    const width = this.canvas.clientWidth;
    if (width === 0) return;
    if (this.plot) this.plot.setSize({ width, height: HEIGHT });
    else this.create(width);
  }

  redraw() {
    this.plot?.destroy();
    this.plot = null;
    this.fit();
  }

  /** @param {number} width */
  create(width) {
    const style = getComputedStyle(this.canvas);
    const colour = (/** @type {string} */ name) => resolved(this.canvas, style.getPropertyValue(name));
    const axis = {
      stroke: colour('--ink-soft'),
      font: `12px ${style.fontFamily}`,
      grid: { stroke: colour('--line'), width: 1 },
      ticks: { show: false },
    };
    const { series, format, top, x, log, whole } = this.options;
    /** @type {any} */
    const y = log
      ? { distr: 3, log: 10 }
      : {
          range: (/** @type {unknown} */ _, /** @type {number} */ low, /** @type {number} */ high) => [
            Math.min(0, low ?? 0),
            top ?? Math.max(high ?? 1, 0.1) * 1.08,
          ],
        };
    this.plot = new uPlot(
      {
        width,
        height: HEIGHT,
        padding: [8, 8, 0, 0],
        legend: { show: false },
        cursor: { show: false },
        scales: { x: { time: false }, y },
        axes: [
          {
            ...axis,
            label: x,
            labelSize: 20,
            labelFont: `12px ${style.fontFamily}`,
            size: 30,
            grid: { show: false },
            incrs: [...(whole ? [] : [0.1, 0.2, 0.5]), 1, 2, 5, 10, 20, 50, 100],
          },
          { ...axis, size: 52, values: (_, ticks) => ticks.map(tick => (tick == null ? '' : format(tick))) },
        ],
        series: [
          {},
          ...series.map(({ label, colour: name, style: drawn }) => ({
            label,
            stroke: colour(name),
            width: drawn === 'dots' ? 0 : 2,
            spanGaps: true,
            points: { show: drawn !== 'line', size: drawn === 'dots' ? 9 : 6, fill: colour(name), width: 0 },
          })),
        ],
      },
      /** @type {any} */ (this.columns),
      this.canvas,
    );
  }

  remove() {
    this.observer.disconnect();
    document.removeEventListener('themechange', this.onTheme);
    this.plot?.destroy();
  }
}

/**
 * A colour that a canvas understands: `light-dark()` resolved by the browser.
 * @param {Element} place
 * @param {string} value
 */
function resolved(place, value) {
  const probe = h('span', { hidden: true });
  probe.style.color = value;
  place.append(probe);
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
}

/**
 * An average over the last points, to see the course through the noise.
 * @param {number[]} values
 * @param {number} width
 */
export function smooth(values, width) {
  let sum = 0;
  return values.map((value, index) => {
    sum += value - (index >= width ? values[index - width] : 0);
    return sum / Math.min(index + 1, width);
  });
}
