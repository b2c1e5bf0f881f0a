// What stands beside the images of triage: the facts of the item on screen, what is said of it, and why there is none.

import { at, fragment } from "./dom.js";

/** @typedef {import("./line.js").Item} Item */

const ASKING = '<p class="quiet">Checking what others said …</p>';
export const UNKNOWN_SAID = '<p class="quiet">The server cannot be reached, so what others have said meanwhile is not known.</p>';

export class Facts {
  constructor() {
    this.place = at("facts");
    this.own = at("own");
  }

  /** @param {Item} item */
  show(item) {
    this.place.replaceChildren(fragment(item.html));
    at("warning").textContent = item.warning;
    at("brief").replaceChildren(...item.brief.map((text) => Object.assign(document.createElement("p"), { textContent: text })));
    at("arrived").textContent = `On screen: ${[item.name, ...item.brief, item.warning].filter(Boolean).join(", ")}.`;
    this.showSaid(item);
  }

  /**
   * Show what its person and others said of an item, as the server told it last.
   * @param {Item} item
   */
  showSaid(item) {
    const own = item.answers.at(-1);
    const said = own ? `You said: ${own.said}.` : "";
    this.own.textContent = item.putOff ? `You have put it off: ${item.putOff}.` : said;
    this.own.title = this.own.textContent;
    const others = item.said || (item.isAnswered ? ASKING : "");
    if (others) this.place.querySelector("[data-said]")?.replaceChildren(fragment(others));
  }

  /**
   * Say why there is nothing on screen; nothing where there is something.
   * @param {import("./line.js").Line} line
   * @param {import("./lineup.js").Lineup} lineup
   */
  showEmpty(line, lineup) {
    const empty = line.current ? null : lineup.empty;
    at("empty").hidden = Boolean(line.current);
    at("empty-title").textContent = empty ? empty.title : lineup.trouble || "Fetching the next detections …";
    at("empty-text").textContent = empty ? empty.text : lineup.trouble ? "Trying again automatically." : "";
    at("take-over").hidden = empty?.code !== "other_window";
    at("back").hidden = !line.items.length;
    at("all").hidden = !["narrow", "unreadable", "no_part"].includes(empty?.code ?? "");
    at("put-off").hidden = empty?.code !== "put_off";
  }
}
