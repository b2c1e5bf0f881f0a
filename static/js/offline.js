// Tells people that the server is away, and how long they can go on without it.

import { at } from "./dom.js";

export class Offline {
  /**
   * @param {import("./lineup.js").Lineup} lineup
   * @param {import("./outbox.js").Outbox} outbox
   * @param {HTMLElement} page
   */
  constructor(lineup, outbox, page) {
    this.lineup = lineup;
    this.outbox = outbox;
    this.page = page;
    addEventListener("online", () => this.#tryAgain());
    addEventListener("offline", () => this.tell());
  }

  get isAway() { return !navigator.onLine || this.lineup.isAway || this.outbox.isAway; }

  tell() {
    const { loader, line } = this.lineup;
    const ready = loader.ready + (line.current && !line.current.isAnswered ? 1 : 0);
    this.page.dataset.fetchedAhead = String(loader.ready);
    at("offline").textContent = this.isAway ? offlineInWords(ready) : "";
  }

  #tryAgain() {
    this.outbox.flush();
    this.lineup.refill();
    this.tell();
  }
}

/**
 * @param {number} ready
 */
export function offlineInWords(ready) {
  return ready ? `Offline: ${ready} left that were fetched ahead.` : "Offline: nothing more was fetched ahead.";
}

/**
 * Have the page and its files at hand while the server is away, where the browser has such a thing; else it says in its own
 * words that there is no network.
 * @param {string} address  of the script that does it
 */
export async function keepPage(address) {
  try {
    await navigator.serviceWorker?.register(address);
    const { active } = (await navigator.serviceWorker?.ready) ?? {};
    active?.postMessage({ keep: location.href });
  } catch { /* Not here. */ }
}
