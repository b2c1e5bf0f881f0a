// What lies around a detection, opened over whatever page one is on: wide pictures, neighbours, links out.

import { fragment, origin, part } from "./dom.js";
import { say } from "./site.js";

/** @type {HTMLDialogElement | null} */
let dialog = null;
/** Counted up when another is opened, or it is closed: what comes late is not shown. */
let turn = 0;

/**
 * Open what lies around a detection; open already for this one, it closes.
 * @param {string} detectionId
 * @returns {Promise<void>}  when it is shown
 */
export async function openContext(detectionId) {
  const shown = dialog ?? (dialog = made());
  if (shown.open && shown.dataset.detection === detectionId) return closeContext();
  const mine = ++turn;
  shown.dataset.detection = detectionId;
  const body = part("[data-body]", HTMLElement, shown);
  body.replaceChildren(fragment('<p class="quiet" role="status">Fetching what lies around it …</p>'));
  if (!shown.open) shown.showModal();
  const [html, trouble] = await fetched(addressOf(detectionId));
  if (mine !== turn) return;
  if (trouble) {
    closeContext();
    say(trouble, "warning");
  } else body.replaceChildren(fragment(html));
}

/** Close it, if it is open. */
export function closeContext() {
  turn += 1;
  dialog?.close();
}

/** Say whether it is open. */
export function isContextOpen() { return dialog?.open ?? false; }

/**
 * Return where the page of a detection's surroundings is.
 * @param {string} detectionId
 */
export function addressOf(detectionId) { return `/detections/${encodeURIComponent(detectionId)}/context/`; }

/**
 * Return the part of the page that is shown here, or why it did not come.
 * @param {string} address
 * @returns {Promise<[string, string]>}
 */
async function fetched(address) {
  try {
    const answer = await fetch(address, { headers: { "HX-Request": "true" } });
    if (answer.redirected) return ["", "You are logged out. Reload the page to log in."];
    if (!answer.ok) return ["", `The server refused this (${answer.status}). Reload the page.`];
    return [await answer.text(), ""];
  } catch {
    return ["", "The server cannot be reached: what lies around it is not known here."];
  }
}

/** Return the dialog, made when it is first wanted; Escape closes it. */
function made() {
  document.body.append(fragment(`<dialog id="context" class="context" aria-labelledby="context-title">
    <form method="dialog"><h2 id="context-title">Surroundings</h2><button class="small" autofocus>Close <kbd>Esc</kbd></button></form>
    <div data-body></div></dialog>`));
  const element = part("#context", HTMLDialogElement);
  // The key that opens it closes it.
  element.addEventListener("keydown", (event) => {
    const control = document.querySelector("[data-action=context]");
    if (!(control instanceof HTMLElement) || event.key.toLowerCase() !== control.dataset.key || event.repeat) return;
    event.stopPropagation();
    closeContext();
  });
  element.addEventListener("close", () => { turn += 1; });
  element.addEventListener("click", (event) => { if (event.target === element) closeContext(); });
  return element;
}

document.addEventListener("click", (event) => {
  const link = origin(event)?.closest("a[data-context]");
  if (!(link instanceof HTMLElement) || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  openContext(link.dataset.context ?? "");
});
