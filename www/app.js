/** Starts the page. */

import './panels/frame.js';
import { language, t } from './i18n/i18n.js';
import { openFirstModel } from './state/models.js';
import { start } from './state/session.js';
import { h } from './ui/dom.js';
import { keepOffline } from './ui/offline.js';
import { detailOf } from './ui/panel.js';

document.documentElement.lang = language();
start().then(
  () => openFirstModel(),
  failure => {
    console.info('the engine did not start:', detailOf(failure).message);
    const words = h('p', { class: 'fault', role: 'alert' }, t('error.no_engine'));
    document.querySelector('main')?.prepend(words);
  },
);
keepOffline();
