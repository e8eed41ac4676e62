/** The camera: a stream to look at, and frames of it as files. */

/** Pixels a side of a frame: more than any of the ready-made networks reads. */
const SIDE = 256;
/** Milliseconds between two frames: a hand that turns a thing has turned it by then. */
const INTERVAL_MS = 120;
/** Frames of one recording, at most: a minute. */
const MOST = 500;

/** Whether this browser lets a page ask for a camera at all. */
export function cameraThere() {
  return Boolean(navigator.mediaDevices?.getUserMedia);
}

/** A camera that is running. */
export class Camera {
  /** @type {MediaStream | null} */
  stream = null;
  /** Ends the recording under way. @type {(() => void) | null} */
  end = null;

  /** @param {HTMLVideoElement} video where its picture is shown */
  constructor(video) {
    this.video = video;
  }

  /** @param {string} [device] one of {@link devices}; whichever looks away from the screen otherwise */
  async start(device) {
    this.stop();
    const choice = device ? { deviceId: { exact: device } } : { facingMode: 'environment' };
    const stream = await navigator.mediaDevices.getUserMedia({ video: { ...choice, width: { ideal: 640 } } });
    this.stream = stream;
    this.video.srcObject = stream;
    await this.video.play();
  }

  stop() {
    this.end?.();
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = null;
    this.video.srcObject = null;
  }

  /** The one that is running. */
  get device() {
    return this.stream?.getVideoTracks()[0]?.getSettings().deviceId ?? '';
  }

  /** All cameras; they have names once one was allowed. */
  async devices() {
    const all = await navigator.mediaDevices.enumerateDevices();
    return all.filter(({ kind, deviceId }) => kind === 'videoinput' && deviceId !== '');
  }

  /**
   * Takes frames until {@link Camera.finish}; gives them as JPEG files whose names count up.
   * @param {string} stem of their names
   * @param {(frames: number) => void} told
   */
  async record(stem, told) {
    let going = true;
    const ended = new Promise(done => {
      this.end = () => {
        going = false;
        done(undefined);
      };
    });
    /** @type {File[]} */
    const frames = [];
    while (going && frames.length < MOST) {
      const name = `${stem}_${String(frames.length + 1).padStart(4, '0')}.jpg`;
      frames.push(new File([await this.frame()], name, { type: 'image/jpeg' }));
      told(frames.length);
      await Promise.race([ended, new Promise(done => setTimeout(done, INTERVAL_MS))]);
    }
    this.end = null;
    return frames;
  }

  finish() {
    this.end?.();
  }

  /** The square in the middle of the picture, as it is now. @returns {Promise<Blob>} */
  frame() {
    const { videoWidth: width, videoHeight: height } = this.video;
    const side = Math.min(width, height);
    const canvas = new OffscreenCanvas(SIDE, SIDE);
    const [x, y] = [(width - side) / 2, (height - side) / 2];
    canvas.getContext('2d')?.drawImage(this.video, x, y, side, side, 0, 0, SIDE, SIDE);
    return canvas.convertToBlob({ type: 'image/jpeg', quality: 0.92 });
  }
}
