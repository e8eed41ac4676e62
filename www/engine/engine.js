/** The page's side of the worker: typed calls, cancelling, and recovery when the worker dies. */

import { PROTOCOL_VERSION } from './protocol.js';

/** @typedef {import('./protocol.js').Calls} Calls */
/** @typedef {import('./protocol.js').CallName} CallName */
/** @typedef {import('./protocol.js').EngineError} EngineError */

/** A failed call. */
export class EngineFailure extends Error {
  /** @param {EngineError} detail */
  constructor(detail) {
    super(detail.message ?? detail.code);
    this.name = 'EngineFailure';
    this.detail = detail;
  }
}

/**
 * A call that waits for its answer.
 * @typedef {{ resolve: (value: any) => void, reject: (reason: Error) => void, progress?: (value: any) => void
 *   }} Waiting
 */

/** One worker and the calls that wait for it. Fires `restart` when the worker had to be replaced. */
export class Engine extends EventTarget {
  constructor() {
    super();
    /** @type {Map<number, Waiting>} */
    this.waiting = new Map();
    this.serial = 0;
    /** Why there is no worker any more. @type {EngineError | null} */
    this.dead = null;
    /** Whether this worker ever answered; one that never did is not worth another try. */
    this.alive = false;
    this.start();
  }

  start() {
    this.alive = false;
    this.session = crypto.randomUUID();
    this.worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module', name: 'floret' });
    this.worker.addEventListener('message', event => this.receive(event.data));
    this.worker.addEventListener('error', event => {
      event.preventDefault();
      this.fail(event.message || 'the worker stopped');
    });
  }

  /**
   * @template {CallName} Name
   * @param {Name} type
   * @param {Calls[Name]['value']} value
   * @param {{ progress?: (value: Calls[Name]['progress']) => void, signal?: AbortSignal, transfer?:
   *   Transferable[] }} [options]
   * @returns {Promise<Calls[Name]['done']>}
   */
  call(type, value, { progress, signal, transfer = [] } = {}) {
    if (this.dead) return Promise.reject(new EngineFailure(this.dead));
    this.serial += 1;
    const id = this.serial;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject, progress });
      this.post(id, type, value, transfer);
      const cancel = () => this.waiting.has(id) && this.post(0, 'cancel', { request: id }, []);
      if (signal?.aborted) cancel();
      signal?.addEventListener('abort', cancel, { once: true });
    });
  }

  /** @param {number} id @param {string} type @param {any} value @param {Transferable[]} transfer */
  post(id, type, value, transfer) {
    this.worker?.postMessage({ version: PROTOCOL_VERSION, session: this.session, id, type, value }, transfer);
  }

  /** @param {import('./protocol.js').Reply} reply */
  receive(reply) {
    if (reply.session !== this.session || reply.version !== PROTOCOL_VERSION) return;
    this.alive = true;
    const waiting = this.waiting.get(reply.id);
    if (!waiting) return;
    if (reply.kind === 'progress') {
      waiting.progress?.(reply.value);
      return;
    }
    this.waiting.delete(reply.id);
    if (reply.kind === 'done') waiting.resolve(reply.value);
    else {
      waiting.reject(new EngineFailure(reply.error));
      if (reply.error.code === 'crashed') this.fail(String(reply.error.message));
    }
  }

  /**
   * Ends the worker and starts another; what it held is lost, calls under way fail.
   * @param {string} reason
   */
  fail(reason) {
    this.worker?.terminate();
    const again = this.alive;
    const lost = [...this.waiting.values()];
    this.waiting.clear();
    /** @type {EngineError} */
    const detail = again ? { code: 'crashed', message: reason } : { code: 'no_engine', message: reason };
    if (again) this.start();
    else this.dead = detail;
    for (const call of lost) call.reject(new EngineFailure(detail));
    if (again) this.dispatchEvent(new CustomEvent('restart', { detail: reason }));
  }
}
