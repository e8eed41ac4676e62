/** What computes: the processor or a GPU, by choice or by trial, changed in the middle of a run if need be; and whether both agree. */

import { fill, h } from '../ui/dom.js';
import { number } from '../ui/format.js';
import { language, t } from '../i18n/i18n.js';
import { Panel } from '../ui/panel.js';
import { agreement, useDevice } from '../state/session.js';
import { wordDevice } from '../ui/words.js';

class DevicePanel extends Panel {
  get watches() {
    return ['devices', 'device', 'run', 'model'];
  }

  render() {
    const { devices, device } = this.state;
    this.choice = h(
      'select',
      { id: 'device', onchange: () => this.run(() => useDevice(this.choice?.value ?? 'auto')) },
      h('option', { value: 'auto', selected: device === 'auto' }, t('device.auto')),
      devices.map(({ id, name, hardware }) =>
        h(
          'option',
          { value: id, selected: device === id },
          hardware ? wordDevice(name) : t('device.software', { name }),
        ),
      ),
    );
    this.now = h('p', { class: 'small soft', role: 'status' });
    this.tried = h('p', { class: 'small soft' });
    this.check = h(
      'button',
      { type: 'button', class: 'button', onclick: () => this.run(() => this.compare()) },
      t('device.check'),
    );
    this.agreement = h('p', { class: 'small', role: 'status' });
    this.fault = h('div', {});
    const several = devices.some(({ id }) => id === 'gpu');
    fill(
      this,
      h('div', { class: 'field' }, h('label', { for: 'device' }, t('train.device')), this.choice),
      this.now,
      this.tried,
      several
        ? [this.check, this.agreement]
        : h('p', { class: 'small soft' }, devices.length > 0 ? t('device.no_gpu') : ''),
      this.fault,
    );
    this.showRun();
  }

  /** @param {Set<string>} changed */
  update(changed) {
    if (changed.has('devices') || (changed.has('device') && this.choice?.value !== this.state.device))
      this.render();
    else this.showRun();
  }

  showRun() {
    const { run, model } = this.state;
    if (!this.now || !this.tried || !this.choice || !this.check) return;
    this.choice.disabled = run.status === 'starting' || run.status === 'stopping';
    this.check.disabled = model === null || run.status === 'starting';
    const now = run.last
      ? t(run.recovered ? 'device.recovered' : 'device.now', { name: wordDevice(run.last.device) })
      : '';
    if (this.now.textContent !== now) this.now.textContent = now;
    const speeds = run.tried.map(({ device, images_per_s }) =>
      t('device.speed', {
        device: wordDevice(device),
        n: number(images_per_s, { maximumSignificantDigits: 2 }),
      }),
    );
    this.tried.textContent =
      speeds.length > 0 ? t('device.tried', { speeds: new Intl.ListFormat(language()).format(speeds) }) : '';
  }

  /** The same photos on both: how far are the answers apart? */
  async compare() {
    if (!this.agreement || !this.check) return;
    this.agreement.textContent = t('device.checking');
    this.check.disabled = true;
    try {
      const { photos, largest_difference: difference, devices } = await agreement();
      const words = {
        n: number(photos),
        difference: number(difference, { notation: 'scientific', maximumFractionDigits: 0 }),
        one: wordDevice(devices[0]),
        other: wordDevice(devices[1]),
      };
      this.agreement.textContent = t('device.agreement', words);
    } catch (failure) {
      this.agreement.textContent = '';
      throw failure;
    } finally {
      this.check.disabled = false;
    }
  }
}

customElements.define('floret-device', DevicePanel);
