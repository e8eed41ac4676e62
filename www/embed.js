/**
 * A live trainer for pages of others, as docs/embed.md explains:
 * `<script type="module" src="…/embed.js"></script>` and
 * `<floret-trainer network="residual_flower" photos="drawn" epochs="5" lang="en"></floret-trainer>`.
 * It is a frame of Floret's own page, so that nothing of the two pages mixes.
 */

const HOME = new URL('embed.html', import.meta.url);

/**
 * Attributes of the element, by what the page calls them. A change of one begins anew; `theme` alone does
 * not.
 */
const PARAMETERS = { network: 'model', photos: 'dataset', epochs: 'epochs', lang: 'lang', panels: 'panels' };

/** Pixels until the page has told its height. */
const FIRST_HEIGHT = 420;

class FloretTrainer extends HTMLElement {
  static observedAttributes = [...Object.keys(PARAMETERS), 'theme', 'title'];

  connectedCallback() {
    this.frame = document.createElement('iframe');
    Object.assign(this.frame.style, {
      display: 'block',
      width: '100%',
      border: '0',
      height: `${FIRST_HEIGHT}px`,
    });
    this.frame.loading = 'lazy';
    // Threads, where this page is isolated itself.
    this.frame.allow = 'cross-origin-isolated';
    if (!this.style.display) this.style.display = 'block';
    /** @param {MessageEvent} event */
    this.onMessage = event => {
      if (event.origin !== HOME.origin || event.source !== this.frame?.contentWindow) return;
      const height = Number(event.data?.floretHeight);
      if (height > 0 && this.frame) this.frame.style.height = `${Math.ceil(height)}px`;
    };
    window.addEventListener('message', this.onMessage);
    this.load();
    this.append(this.frame);
  }

  disconnectedCallback() {
    if (this.onMessage) window.removeEventListener('message', this.onMessage);
    this.frame?.remove();
    this.frame = undefined;
  }

  /** @param {string} name @param {string | null} before @param {string | null} after */
  attributeChangedCallback(name, before, after) {
    if (!this.frame || before === after) return;
    if (name === 'theme')
      this.frame.contentWindow?.postMessage({ floretTheme: after ?? 'auto' }, HOME.origin);
    else this.load();
  }

  /** Points the frame at the page that the attributes ask for. */
  load() {
    if (!this.frame) return;
    const address = new URL(HOME);
    for (const [attribute, parameter] of Object.entries(PARAMETERS)) {
      const value = this.getAttribute(attribute);
      if (value !== null) address.searchParams.set(parameter, value);
    }
    const theme = this.getAttribute('theme');
    if (theme) address.searchParams.set('theme', theme);
    this.frame.title =
      this.getAttribute('title') ?? `Floret: ${this.getAttribute('network') ?? 'residual_flower'}`;
    if (this.frame.src !== address.href) this.frame.src = address.href;
  }
}

customElements.define('floret-trainer', FloretTrainer);
