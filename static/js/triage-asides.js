// What opens over triage about the epoch on screen: what lies around it, and why it has its score.

import { Aside } from "./aside.js";

/**
 * Return what the controls do, by the names of their actions.
 * @param {import("./triage-state.js").TriageState} state
 * @returns {Record<string, (control: HTMLElement) => unknown>}
 */
export function asideActions(state) {
  const around = new Aside({
    name: "context", title: "Surroundings", waiting: "Fetching what lies around it …",
    unreachable: "The server cannot be reached: what lies around it is not known here.",
  });
  const reasons = new Aside({
    name: "why", title: "Why", waiting: "Asking for what is most alike …",
    unreachable: "The server cannot be reached: why it has its score is not known here.",
  }, (id) => {
    // Answers say what their people had seen.
    if (state.shown?.large.id === id) state.shown.context.saw_why = true;
  });
  return {
    context: () => { if (state.shown) around.open(state.shown.large.id); },
    why: () => { if (state.shown) reasons.open(state.shown.large.id); },
  };
}
