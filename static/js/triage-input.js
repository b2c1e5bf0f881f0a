// Whose a press of a key is: a control's of the page of triage, or that of what has the focus.

import { origin, part } from "./dom.js";

/**
 * Return the control that a key stands for.
 * @param {string} key
 */
export function controlOf(key) {
  const found = key && document.querySelector(`[data-key="${CSS.escape(key)}"]`);
  return found instanceof HTMLElement ? found : null;
}

/**
 * Tell whether a press belongs to what has the focus.
 * @param {KeyboardEvent} event
 */
export function isTaken(event) {
  if (document.querySelector("dialog[open]")) return true;
  if (origin(event)?.closest("input:not([type=radio]), textarea, select, [contenteditable]")) return true;
  const isBare = event.key === " " || event.key.startsWith("Arrow");
  return isBare && ![document.body, part("main", HTMLElement), null].includes(/** @type {HTMLElement | null} */ (document.activeElement));
}

/**
 * Close what is folded out, but for what was pressed in.
 * @param {Element | null} target
 */
export function closePops(target) {
  for (const open of document.querySelectorAll("details.pop[open], details.menu-of-labels[open]")) {
    if (!open.contains(target)) open.removeAttribute("open");
  }
}
