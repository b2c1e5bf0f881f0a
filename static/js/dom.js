// Parts of a page: one that lacks what its script cannot do without is broken, and says which.

const PAINT_PATIENCE_MS = 200;

/**
 * Return the element with this id.
 * @param {string} id
 * @returns {HTMLElement}
 */
export function at(id) {
  return part(`#${id}`, HTMLElement);
}

/**
 * Return the first element of a kind that a selector finds.
 * @template {Element} E
 * @param {string} selector
 * @param {new () => E} kind
 * @param {ParentNode} within
 * @returns {E}
 */
export function part(selector, kind, within = document) {
  const found = within.querySelector(selector);
  if (!(found instanceof kind)) throw new Error(`This page has no ${kind.name} "${selector}".`);
  return found;
}

/**
 * Return the element that an event came from; events of the document itself have none.
 * @param {Event} event
 * @returns {Element | null}
 */
export function origin(event) {
  return event.target instanceof Element ? event.target : null;
}

/**
 * Return what HTML of this site describes.
 * @param {string} html
 */
export function fragment(html) { return document.createRange().createContextualFragment(html); }

/**
 * Call back when what was drawn is on the screen; hidden windows draw nothing, and are not waited for.
 * @param {() => void} callback
 */
export function afterPaint(callback) {
  let isDone = false;
  const once = () => {
    if (isDone) return;
    isDone = true;
    callback();
  };
  requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = once;
    channel.port2.postMessage(null);
  });
  setTimeout(once, PAINT_PATIENCE_MS);
}
