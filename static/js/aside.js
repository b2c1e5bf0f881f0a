// What opens over whatever page one is on, about one detection: a part of another page, fetched when it is wanted.

import { fragment, origin, part } from "./dom.js";
import { say } from "./site.js";

/**
 * @typedef {object} Words
 * @property {string} name  of the address, of the control that opens it and of the links that do
 * @property {string} title
 * @property {string} waiting
 * @property {string} unreachable
 */

export class Aside {
  /**
   * @param {Words} words
   * @param {(detectionId: string) => void} [onShown]
   */
  constructor(words, onShown = () => {}) {
    this.words = words;
    this.onShown = onShown;
    /** @type {HTMLDialogElement | null} */
    this.dialog = null;
    /** Counted up when another is opened, or it is closed: what comes late is not shown. */
    this.turn = 0;
    document.addEventListener("click", (event) => {
      const link = origin(event)?.closest(`a[data-${words.name}]`);
      if (!(link instanceof HTMLElement) || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      this.open(link.dataset[words.name] ?? "");
    });
  }

  /**
   * Open it about a detection; open already for this one, it closes.
   * @param {string} detectionId
   * @returns {Promise<void>}  when it is shown
   */
  async open(detectionId) {
    const { words } = this;
    const shown = this.dialog ?? (this.dialog = this.made());
    if (shown.open && shown.dataset.detection === detectionId) return this.close();
    const mine = ++this.turn;
    shown.dataset.detection = detectionId;
    const body = part("[data-body]", HTMLElement, shown);
    body.replaceChildren(fragment(`<p class="quiet" role="status">${words.waiting}</p>`));
    if (!shown.open) shown.showModal();
    const [html, trouble] = await this.fetched(`/detections/${encodeURIComponent(detectionId)}/${words.name}/`);
    if (mine !== this.turn) return;
    if (trouble) {
      this.close();
      return say(trouble, "warning");
    }
    body.replaceChildren(fragment(html));
    this.onShown(detectionId);
  }

  /** Close it, if it is open. */
  close() {
    this.turn += 1;
    this.dialog?.close();
  }

  /**
   * Return the part of the page that is shown here, or why it did not come.
   * @param {string} address
   * @returns {Promise<[string, string]>}
   */
  async fetched(address) {
    try {
      const answer = await fetch(address, { headers: { "HX-Request": "true" } });
      if (answer.redirected) return ["", "You are logged out. Reload the page to log in."];
      if (!answer.ok) return ["", `The server refused this (${answer.status}). Reload the page.`];
      return [await answer.text(), ""];
    } catch {
      return ["", this.words.unreachable];
    }
  }

  /** Return the dialog, made when it is first wanted; Escape closes it. */
  made() {
    const { name, title } = this.words;
    document.body.append(fragment(`<dialog id="${name}" class="context" aria-labelledby="${name}-title">
      <form method="dialog"><h2 id="${name}-title">${title}</h2><button class="small" autofocus>Close <kbd>Esc</kbd></button></form>
      <div data-body></div></dialog>`));
    const element = part(`#${name}`, HTMLDialogElement);
    // The key that opens it closes it.
    element.addEventListener("keydown", (event) => {
      const control = document.querySelector(`[data-action="${name}"]`);
      if (!(control instanceof HTMLElement) || event.key.toLowerCase() !== control.dataset.key || event.repeat) return;
      event.stopPropagation();
      this.close();
    });
    element.addEventListener("close", () => { this.turn += 1; });
    element.addEventListener("click", (event) => { if (event.target === element) this.close(); });
    return element;
  }
}
