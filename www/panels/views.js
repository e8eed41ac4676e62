/** The views of the page, in the order of its steps. */

import './classify.js';
import './network.js';
import './photos.js';
import './report.js';
import './train.js';
import './why.js';
import { isOver, shareDone } from '../state/run.js';
import { percent } from '../ui/format.js';

/** @typedef {import('../state/state.js').State} State */

/**
 * A view is the element `floret-<name>`, the icon and the step of that name; `status` is what its step says
 * of it: that it is
 * done, a few words, or nothing.
 * @typedef {{ name: string, status: (state: State) => boolean | string }} View
 */

/** @type {View[]} */
export const VIEWS = [
  { name: 'photos', status: ({ library }) => library !== null && library.photos > 0 },
  { name: 'network', status: ({ structure }) => structure !== null },
  {
    name: 'train',
    status: ({ run }) => isOver(run) || (run.last !== null && percent(shareDone(run), 0)),
  },
  { name: 'report', status: ({ report }) => report !== null && percent(report.accuracy, 0) },
  { name: 'why', status: () => false },
  {
    name: 'classify',
    status: ({ model, run }) => hasOwnModel(model) && (model?.id !== 'run' || isOver(run)),
  },
];

/** Whether a model answers that did not come with the page. @param {State['model']} model */
function hasOwnModel(model) {
  return model !== null && model.file === null;
}
