/** Medians over passes and ratios to Floret, as tables in Markdown. */

/** @typedef {{ model: string, batch: number, peer: string, pass: number, error?: string, train_images_per_s?: number, infer_images_per_s?: number, infer_ms_per_image?: number }} Row */

const COLUMNS = /** @type {const} */ ([
  ['train_images_per_s', 'train, photos/s', 0],
  ['infer_images_per_s', 'classify, photos/s', 0],
  ['infer_ms_per_image', 'one photo, ms', 2],
]);

/** @param {number[]} numbers */
export function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * A table for each model and batch: medians, and in brackets how many times faster the first peer is.
 * @param {Row[]} rows
 * @param {string[]} peers
 */
export function tables(rows, peers) {
  const lines = [];
  for (const title of new Set(rows.map(({ model, batch }) => `${model}, batch ${batch}`))) {
    const here = rows.filter(({ model, batch }) => `${model}, batch ${batch}` === title);
    const passes = new Set(here.map(({ pass }) => pass)).size;
    lines.push('', `| ${title}, median of ${passes} | ${COLUMNS.map(([, head]) => head).join(' | ')} |`, `| --- |${' --- |'.repeat(COLUMNS.length)}`);
    const figure = (/** @type {string} */ peer, /** @type {typeof COLUMNS[number][0]} */ key) => {
      const numbers = here.filter((row) => row.peer === peer).flatMap((row) => row[key] ?? []);
      return numbers.length ? median(numbers) : undefined;
    };
    for (const peer of peers) {
      const failed = here.find((row) => row.peer === peer)?.error;
      const cells = COLUMNS.map(([key, , digits]) => {
        const [mine, first] = [figure(peer, key), figure(peers[0], key)];
        if (mine === undefined) return '–';
        const shown = mine.toFixed(mine < 100 ? Math.max(digits, 1) : digits);
        if (peer === peers[0] || first === undefined) return shown;
        const times = key === 'infer_ms_per_image' ? mine / first : first / mine;
        return `${shown} (${times.toFixed(times < 10 ? 2 : 0)}×)`;
      });
      lines.push(`| ${peer}${failed ? ` (${failed})` : ''} | ${cells.join(' | ')} |`);
    }
  }
  return lines.join('\n');
}

/** @param {Row[]} rows @param {string[]} peers */
export function printTables(rows, peers) {
  console.log(tables(rows, peers));
  console.log(`\nIn brackets: how many times as fast ${peers[0]} is.`);
}
