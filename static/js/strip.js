// All epochs of an object by time, small, below the large images: what is shown of them, and how one of them is picked.

import { Row } from "./row.js";

/**
 * @typedef {import("./row.js").Epoch} Epoch
 * @typedef {import("./looks.js").Look} Look
 */

export class Strip {
  /**
   * @param {HTMLElement} container
   * @param {{onPick: (id: string) => void}} listeners  hear which epoch somebody wants to see large
   */
  constructor(container, { onPick }) {
    this.container = container;
    this.row = new Row([]);
    this.next = this.row;
    container.classList.add("epochs");
    container.setAttribute("role", "group");
    container.ariaLabel ??= "Epochs of this object, by time";
    container.addEventListener("click", (event) => {
      const epoch = this.#epochAt(event.target);
      // Afterwards keys are free again for what they do on the page.
      if (event.detail > 0 && event.target instanceof Element) event.target.closest("button")?.blur();
      if (epoch?.id) onPick(epoch.id);
    });
    container.addEventListener("keydown", (event) => this.#step(event));
  }

  /**
   * Show epochs in the order given; what is drawn already stays where it is.
   * @param {Epoch[]} epochs
   * @param {Look} look
   */
  show(epochs, look) {
    if (!this.row.isOf(epochs)) {
      this.row = this.next.isOf(epochs) ? this.next : new Row(epochs);
      this.container.replaceChildren(...this.row.boxes.map(({ button }) => button));
    }
    this.row.show(epochs, look);
    // Once the browser has laid out all of the page: to ask before makes it do so twice.
    requestAnimationFrame(() => this.#bringIntoSight());
  }

  /**
   * Draw the epochs of what comes next, while there is time.
   * @param {Epoch[]} epochs
   * @param {Look} look
   */
  prepare(epochs, look) {
    if (!this.next.isOf(epochs)) this.next = new Row(epochs);
    this.next.show(epochs, look);
  }

  /**
   * Draw the same epochs in another look.
   * @param {Look} look
   */
  draw(look) { this.row.draw(look); }

  /** @param {KeyboardEvent} event */
  #step(event) {
    const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    const buttons = this.row.boxes.map(({ button }) => button).filter((button) => button instanceof HTMLButtonElement);
    const at = buttons.findIndex((button) => button === document.activeElement);
    const next = buttons[at + by];
    if (!by || at < 0) return;
    event.preventDefault();
    if (!next) return;
    for (const button of buttons) button.tabIndex = button === next ? 0 : -1;
    next.focus();
  }

  /** @param {EventTarget | null} target */
  #epochAt(target) {
    const k = this.row.boxes.findIndex(({ button }) => target instanceof Node && button.contains(target));
    return this.row.epochs[k];
  }

  /** Scroll the row, and nothing else, so far that the epoch is seen that is shown large. */
  #bringIntoSight() {
    const { container, row } = this, one = row.boxes[row.epochs.findIndex(({ state }) => state === "large")]?.button;
    if (!one?.isConnected) return;
    const left = one.offsetLeft - container.offsetLeft, right = left + one.offsetWidth;
    if (left < container.scrollLeft) container.scrollLeft = left;
    else if (right > container.scrollLeft + container.clientWidth) container.scrollLeft = right - container.clientWidth;
  }
}
