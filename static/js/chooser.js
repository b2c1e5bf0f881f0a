// One of several, by a digit or a button: why it is bogus, how long it is put off.

import { at, part } from "./dom.js";

/** @typedef {{title: string, act: () => void}} Choice */

export class Chooser {
  constructor() {
    this.dialog = part("#chooser", HTMLDialogElement);
    this.until = part("#until", HTMLInputElement);
    /** @type {Choice[]} */
    this.choices = [];
    this.key = "";
    /** @type {((until: Date) => void) | null} */
    this.onUntil = null;
    this.dialog.addEventListener("keydown", (event) => this.#press(event));
    at("until-go").addEventListener("click", () => this.#takeUntil());
  }

  /**
   * Ask; the first choice is also taken by Enter, and by the key that has opened it.
   * @param {string} title
   * @param {string} key
   * @param {Choice[]} choices
   * @param {((until: Date) => void) | null} onUntil  where a time can be given as well
   */
  open(title, key, choices, onUntil = null) {
    Object.assign(this, { key, choices, onUntil });
    at("chooser-title").textContent = title;
    at("choices").replaceChildren(...choices.map((choice, k) => this.#button(choice, k)));
    at("until-line").hidden = !onUntil;
    this.dialog.showModal();
    part("button", HTMLButtonElement, at("choices")).focus();
  }

  /**
   * @param {Choice} choice
   * @param {number} k
   */
  #button(choice, k) {
    const button = Object.assign(document.createElement("button"), { type: "button" });
    button.append(Object.assign(document.createElement("kbd"), { textContent: String(k + 1) }), ` ${choice.title}`);
    button.addEventListener("click", () => this.#take(choice));
    return button;
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    if (event.target === this.until || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    const digit = /^Digit(\d)$/.exec(event.code)?.[1] ?? event.key;
    const choice = event.key.toLowerCase() === this.key ? this.choices[0] : this.choices[Number(digit) - 1];
    if (!choice) return;
    event.preventDefault();
    // The same press is not one of triage as well, which is open to keys again by then.
    event.stopPropagation();
    this.#take(choice);
  }

  /** @param {Choice} choice */
  #take(choice) {
    this.dialog.close();
    choice.act();
  }

  #takeUntil() {
    // The field has no zone: what is meant is UTC, as everywhere.
    const until = new Date(`${this.until.value}Z`);
    if (!(until.getTime() > Date.now())) {
      this.until.setCustomValidity("Give a time that is still to come, in UTC.");
      this.until.reportValidity();
      this.until.setCustomValidity("");
      return;
    }
    const { onUntil } = this;
    this.dialog.close();
    onUntil?.(until);
  }
}
