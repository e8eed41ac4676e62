/** Starts the page. */

import './frame.js';
import './panels/photos.js';
import './panels/network.js';
import './panels/device.js';
import './panels/train.js';
import './panels/origin.js';
import './panels/report.js';
import './panels/why.js';
import './panels/attention.js';
import './panels/signals.js';
import './panels/costs.js';
import './panels/classify.js';
import './panels/model.js';
import './panels/compare.js';
import { h } from './dom.js';
import { EngineFailure } from './engine.js';
import { language, t } from './i18n.js';
import { openFirstModel } from './models.js';
import { keepOffline } from './offline.js';
import { start } from './session.js';

document.documentElement.lang = language();
start().then(
  () => openFirstModel(),
  failure => {
    const why = failure instanceof EngineFailure ? failure.detail.message : failure;
    document
      .querySelector('main')
      ?.prepend(h('p', { class: 'fault', role: 'alert' }, t('error.no_engine', { why: String(why) })));
  },
);
keepOffline();
