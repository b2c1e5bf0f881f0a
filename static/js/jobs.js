// Pages of jobs keep themselves up to date without getting in the way: not while nobody looks, while they are paused, or
// while text is being marked. What was opened stays open, a log stays where one reads it, and a new state is said.

import { at, origin } from "./dom.js";
import { say } from "./site.js";

const state = at("live-state");
const note = at("live-note");
const button = at("pause");
let isPaused = false;
let isOver = false;
/** @type {{status?: string, open: Map<string, boolean>, scroll: Map<string, number>} | null} */
let before = null;

/**
 * Return the part that asks for itself anew, if there is one.
 * @returns {HTMLElement | null}
 */
function live() {
  return document.querySelector("[data-live]");
}

function show() {
  state.hidden = !live();
  button.setAttribute("aria-pressed", String(isPaused));
  note.textContent = isPaused ? "Paused: what is shown may be out of date." : "Updates automatically.";
}

button.addEventListener("click", () => {
  isPaused = !isPaused;
  show();
});

document.addEventListener("htmx:beforeRequest", (event) => {
  const asking = origin(event);
  if (!asking?.matches("[data-live]")) return;
  const marked = getSelection();
  const isMarking = Boolean(marked && !marked.isCollapsed && asking.contains(marked.anchorNode));
  if (isPaused || isOver || document.hidden || isMarking) event.preventDefault();
});

document.addEventListener("htmx:beforeSwap", (event) => {
  const part = live();
  if (!part || event.detail.target !== part) return;
  // Logged out, or gone: asking again brings nothing.
  if (!event.detail.shouldSwap) isOver = event.detail.xhr.status !== 204;
  const logs = [...part.querySelectorAll("pre[id]")];
  before = {
    status: part.dataset.status,
    open: new Map([...part.querySelectorAll("details")].filter((one) => one.id).map((one) => [one.id, one.open])),
    scroll: new Map(logs.map((log) => [log.id, isAtEnd(log) ? Infinity : log.scrollTop])),
  };
});

document.addEventListener("htmx:afterSettle", () => {
  if (!before) return;
  for (const [id, isOpen] of before.open) {
    const one = document.getElementById(id);
    if (one instanceof HTMLDetailsElement) one.open = isOpen;
  }
  for (const [id, top] of before.scroll) {
    const log = document.getElementById(id);
    if (log) log.scrollTop = Math.min(top, log.scrollHeight);
  }
  const status = document.getElementById("job")?.dataset.status;
  if (status && status !== before.status) say(`The job is now ${status}.`, status === "failed" ? "error" : "success");
  before = null;
  show();
});

/**
 * Tell whether a log is read at its end, which it then stays at as it grows.
 * @param {Element} log
 */
function isAtEnd(log) {
  return log.scrollHeight > log.clientHeight && log.scrollTop + log.clientHeight >= log.scrollHeight - 4;
}

show();
