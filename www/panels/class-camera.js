/** A camera for each class: held down it records, and the frames are photos of that class. */

import { nameOf, t } from '../i18n/i18n.js';
import { learning } from '../state/session.js';
import { Camera, cameraThere } from '../ui/camera.js';
import { ClassChoice } from '../ui/class-choice.js';
import { fill, h } from '../ui/dom.js';
import { Modal } from '../ui/modal.js';
import { Panel, say } from '../ui/panel.js';

/** @typedef {import('../ui/files.js').Found} Found */

export class ClassCamera extends Panel {
  /** Takes the photos of a recording. @type {(found: Found[]) => void} */
  take = () => {};
  modal = new Modal();
  video = h('video', { class: 'camera-picture', muted: true, playsinline: true });
  camera = new Camera(this.video);
  choice = new ClassChoice(() => this.follow());
  device = h('select', { id: 'camera-device', onchange: () => this.start(this.device.value) });
  hold = h('button', { type: 'button', class: 'button primary big camera-hold' });
  says = h('p', { class: 'says', role: 'status' });
  recording = false;

  constructor() {
    super();
    this.choice.select.id = 'camera-class';
    this.choice.name.id = 'camera-name';
    this.modal.element.addEventListener('close', () => this.camera.stop());
    const begin = (/** @type {Event} */ event) => {
      event.preventDefault();
      this.record();
    };
    const end = () => this.camera.finish();
    this.hold.addEventListener('pointerdown', event => {
      this.hold.setPointerCapture(event.pointerId);
      begin(event);
    });
    for (const type of ['pointerup', 'pointercancel', 'blur']) this.hold.addEventListener(type, end);
    const isPress = (/** @type {KeyboardEvent} */ { key }) => key === ' ' || key === 'Enter';
    this.hold.addEventListener('keydown', event => isPress(event) && begin(event));
    this.hold.addEventListener('keyup', event => isPress(event) && end());
    // A long touch is no wish for a menu.
    this.hold.addEventListener('contextmenu', event => event.preventDefault());
  }

  render() {
    fill(this, this.modal.element);
  }

  /** @param {string | null} label the class to record; a new one without */
  open(label) {
    const classes = this.state.library?.classes.map(each => each.label) ?? [];
    this.choice.offer(classes, label);
    this.choice.name.value = '';
    fill(this.hold, t('camera.hold'));
    const field = (/** @type {string} */ id, /** @type {string} */ words, /** @type {Element} */ input) =>
      h('div', { class: 'field' }, h('label', { for: id }, words), input);
    fill(this.fault);
    this.modal.open(
      t('camera.title'),
      h(
        'div',
        { class: 'row camera-fields' },
        field('camera-class', t('camera.class'), this.choice.select),
        field('camera-name', t('curate.new_name'), this.choice.name),
        field('camera-device', t('camera.device'), this.device),
      ),
      this.fault,
      this.video,
      h('div', { class: 'row centre' }, this.hold),
      this.says,
    );
    this.follow();
    this.start();
  }

  /** Follows what is chosen. */
  follow() {
    const field = this.choice.name.closest('.field');
    if (field instanceof HTMLElement) field.hidden = !this.choice.isNew;
    this.hold.disabled = this.camera.stream === null || this.choice.label === '' || learning();
  }

  /** @param {string} [device] */
  async start(device) {
    say(this.says, t('camera.waits'));
    try {
      if (!cameraThere()) throw new DOMException('', 'NotFoundError');
      await this.camera.start(device);
      if (!this.modal.element.open) this.camera.stop();
      const devices = await this.camera.devices();
      fill(
        this.device,
        devices.map(({ deviceId, label }) => h('option', { value: deviceId }, label || t('camera.unnamed'))),
      );
      this.device.value = this.camera.device;
      const field = this.device.closest('.field');
      if (field instanceof HTMLElement) field.hidden = devices.length < 2;
      say(this.says, t('camera.how'));
    } catch (failure) {
      const name = failure instanceof DOMException ? failure.name : '';
      const key = name === 'NotAllowedError' ? 'refused' : name === 'NotFoundError' ? 'none' : 'failed';
      say(this.says, t(`camera.${key}`));
    }
    this.follow();
  }

  async record() {
    if (this.recording || this.hold.disabled) return;
    this.recording = true;
    this.hold.classList.add('recording');
    const { label } = this.choice;
    // The time tells recordings apart: each is a series of its own.
    const stem = `camera-${new Date().toISOString().replace(/\D/g, '').slice(0, 14)}`;
    try {
      const frames = await this.camera.record(stem, n => say(this.says, t('camera.frames', { n })));
      say(this.says, t('camera.took', { n: frames.length, class: nameOf('class', label) }));
      this.take(frames.map(file => ({ path: `${label}/${file.name}`, file })));
    } finally {
      this.recording = false;
      this.hold.classList.remove('recording');
    }
  }
}

customElements.define('floret-class-camera', ClassCamera);
