/** Starts the page. */

import './panels/frame.js';
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
import { h } from './ui/dom.js';
import { EngineFailure } from './engine/engine.js';
import { language, t } from './i18n/i18n.js';
import { openFirstModel } from './state/models.js';
import { keepOffline } from './ui/offline.js';
import { start } from './state/session.js';

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
