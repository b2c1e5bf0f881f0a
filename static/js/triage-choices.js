// What takes a second press: why it is bogus, how long it is put off. Who asks somebody else needs none.

import { Chooser } from "./chooser.js";
import { part } from "./dom.js";
import { newKey } from "./ids.js";
import { say } from "./site.js";

const SEEN_AGAIN = "until it is seen again";
/** @type {[string, number][]} in hours */
const WHILES = [["for 12 hours", 12], ["for a day", 24], ["for 3 days", 72], ["for a week", 168]];
const HOUR_MS = 3600e3;

/**
 * Return what the controls do, by the names of their actions.
 * @param {import("./triage-state.js").TriageState} state
 * @param {import("./armed.js").Armed} armed
 * @param {(isValid: boolean, label?: string, title?: string) => void} judge
 * @param {(entry: import("./triage-state.js").Entry) => void} goOn  keep what was said, and show the next one
 * @returns {Record<string, (control: HTMLElement) => void>}
 */
export function choiceActions(state, armed, judge, goOn) {
  const chooser = new Chooser();
  const asksForReason = part("main", HTMLElement).dataset.asksForReason === "true";

  /**
   * @param {"snooze" | "opinion"} kind
   * @param {string} words
   * @param {Date | null} until
   */
  function defer(kind, words, until = null) {
    if (!state.shown) return say(state.whyNot, "warning");
    goOn(state.defer({ kind, words, until: until?.toISOString() ?? null, note: armed.note.value }, newKey));
  }

  return {
    bogus: ({ dataset }) => {
      if (!asksForReason || state.whyNot) return judge(false);
      const reasons = bogusLabels().map(({ label, title }) => ({ title: title ?? "", act: () => judge(false, label, title) }));
      chooser.open("Bogus: why?", dataset.key ?? "", [{ title: "no reason", act: () => judge(false) }, ...reasons]);
    },
    snooze: ({ dataset }) => {
      if (!state.shown) return say(state.whyNot, "warning");
      const whiles = WHILES.map(([title, hours]) => ({ title, act: () => defer("snooze", title, new Date(Date.now() + HOUR_MS * hours)) }));
      const choices = [{ title: SEEN_AGAIN, act: () => defer("snooze", SEEN_AGAIN) }, ...whiles];
      const inWords = (/** @type {Date} */ until) => `until ${until.toISOString().slice(0, 16).replace("T", " ")} UTC`;
      chooser.open("Put it off", dataset.key ?? "", choices, (until) => defer("snooze", inWords(until), until));
    },
    opinion: () => defer("opinion", "for a second opinion"),
  };
}

/** Return the labels of the page that mean bogus. */
function bogusLabels() {
  const buttons = document.querySelectorAll("[data-action=label][data-is-valid=false]");
  return [...buttons].map((button) => (button instanceof HTMLElement ? button.dataset : {}));
}
