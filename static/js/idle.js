// What can wait until nothing else is to be done: between two keys there is time enough.

const MOST_MS = 1000, LATER_MS = 50;

/**
 * Call back when the browser has nothing else to do, within a second at most. Returns what calls it off.
 * @param {() => void} callback
 * @returns {() => void}
 */
export function whenIdle(callback) {
  // Not every browser can tell.
  if (typeof requestIdleCallback === "undefined") {
    const timer = setTimeout(callback, LATER_MS);
    return () => clearTimeout(timer);
  }
  const asked = requestIdleCallback(callback, { timeout: MOST_MS });
  return () => cancelIdleCallback(asked);
}
