/**
 * What computes: the processor or a GPU, by choice or by trial, changed in the middle of a run if need be;
 * and whether both
 * agree.
 */

import { language, t } from '../i18n/i18n.js';
import { agreement } from '../state/models.js';
import { statusOf } from '../state/run.js';
import { useDevice } from '../state/session.js';
import { fill, h } from '../ui/dom.js';
import { number } from '../ui/format.js';
import { Panel, say } from '../ui/panel.js';
import { wordDevice } from '../ui/words.js';

class DevicePanel extends Panel {
  /** @type {import('../ui/panel.js').Part[]} */
  watches = ['devices', 'device', 'run', 'model'];

  choice = h('select', { id: 'device', onchange: () => this.run(() => useDevice(this.choice.value)) });
  now = h('p', { class: 'small soft', role: 'status' });
  tried = h('p', { class: 'small soft' });
  check = h('button', { type: 'button', class: 'button', onclick: () => this.run(() => this.compare()) });
  agreement = h('p', { class: 'small', role: 'status' });

  render() {
    const { devices } = this.state;
    fill(this.check, t('device.check'));
    fill(this.agreement);
    const several = devices.some(({ id }) => id === 'gpu');
    const alone = h('p', { class: 'small soft' }, devices.length > 0 ? t('device.no_gpu') : '');
    fill(
      this,
      h('div', { class: 'field' }, h('label', { for: 'device' }, t('train.device')), this.choice),
      this.now,
      this.tried,
      several ? [this.check, this.agreement] : alone,
      this.fault,
    );
    this.showDevices();
    this.showRun();
  }

  /** @param {Set<string>} changed */
  update(changed) {
    if (changed.has('devices')) this.render();
    else this.showRun();
  }

  showDevices() {
    const { devices } = this.state;
    fill(
      this.choice,
      h('option', { value: 'auto' }, t('device.auto')),
      devices.map(({ id, name, hardware }) =>
        h(
          'option',
          { value: id },
          hardware ? wordDevice(name) : t('device.software', { name: wordDevice(name) }),
        ),
      ),
    );
  }

  showRun() {
    const { run, model, device } = this.state;
    const status = statusOf(run);
    this.choice.value = device;
    this.choice.disabled = status === 'starting' || status === 'stopping';
    this.check.disabled = model === null || status === 'starting';
    const words = run.recovered ? 'device.recovered' : 'device.now';
    say(this.now, run.last ? t(words, { name: wordDevice(run.last.device) }) : '');
    const speeds = run.tried.map(({ device: name, images_per_s }) =>
      t('device.speed', {
        device: wordDevice(name),
        n: number(images_per_s, { maximumSignificantDigits: 2 }),
      }),
    );
    const list = new Intl.ListFormat(language()).format(speeds);
    say(this.tried, speeds.length > 0 ? t('device.tried', { speeds: list }) : '');
  }

  /** The same photos on both: how far are the answers apart? */
  async compare() {
    say(this.agreement, t('device.checking'));
    this.check.disabled = true;
    try {
      const { photos, largest_difference: difference, devices } = await agreement();
      const words = {
        n: photos,
        difference: number(difference, { notation: 'scientific', maximumFractionDigits: 0 }),
        one: wordDevice(devices[0]),
        other: wordDevice(devices[1]),
      };
      say(this.agreement, t('device.agreement', words));
    } catch (failure) {
      say(this.agreement, '');
      throw failure;
    } finally {
      this.check.disabled = false;
    }
  }
}

customElements.define('floret-device', DevicePanel);
