// The epochs of an object beside each other, by time.

/** @typedef {import("./line.js").Epoch} Epoch */

export class Strip {
  /**
   * @param {HTMLElement} place
   * @param {{onPick: (id: string) => void, onLeaveOut: (id: string) => void}} listeners
   */
  constructor(place, listeners) {
    this.place = place;
    this.listeners = listeners;
  }

  /**
   * @param {Epoch[]} epochs
   * @param {import("./line.js").View | null} large
   */
  show(epochs, large) {
    this.place.hidden = !epochs.length;
    this.place.replaceChildren(...epochs.map((epoch) => this.#box(epoch, epoch.view === large)));
  }

  /**
   * @param {Epoch} epoch
   * @param {boolean} isLarge
   */
  #box({ view, when, band, brightness }, isLarge) {
    const box = document.createElement("li");
    const words = [when, band, brightness].filter(Boolean).join(" ");
    if (!view) return Object.assign(box, { className: "limit", textContent: words });
    const pick = Object.assign(document.createElement("button"), { type: "button", className: "pick", textContent: words });
    pick.setAttribute("aria-pressed", String(isLarge));
    pick.addEventListener("click", () => this.listeners.onPick(view.id));
    box.append(pick);
    return box;
  }
}
