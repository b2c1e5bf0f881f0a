// What the strip shows of an object: its epochs by time, and what an answer is about.

/** @typedef {import("./line.js").Item} Item */

const NOT_TURNED = { is_flipped: false, quarter_turns: 0, north_deg: null };

/**
 * Return the epochs of an item as the strip draws them; none where it has only one.
 * @param {Item} item
 * @returns {import("./row.js").Epoch[]}
 */
export function epochsOf(item) {
  return item.times.map((epoch) => ({
    id: epoch.view?.id ?? null,
    label: [epoch.when, [epoch.band, epoch.brightness].filter(Boolean).join(" ")].join("\n"),
    cutouts: epoch.view?.cutouts ?? null,
    fault: epoch.view?.fault ?? "",
    turn: epoch.view?.turn ?? NOT_TURNED,
    place: epoch.view ?? { x: 0, y: 0 },
    state: stateOf(epoch, item),
  }));
}

/**
 * @param {import("./line.js").Epoch} epoch
 * @param {Item} item
 * @returns {import("./row.js").State}
 */
function stateOf({ view, isOpen, isLeftOut }, item) {
  if (!view) return "limit";
  if (view === item.large) return "large";
  if (!isOpen) return "judged";
  return isLeftOut ? "left out" : "covered";
}

/**
 * Say what an answer will be about, where an object has several epochs that wait; "" where it has not.
 * @param {import("./triage-state.js").TriageState} state
 */
export function coverInWords(state) {
  const { epochs, unseen, imageless } = state.covered;
  const times = state.shown?.times ?? [], large = times.find(({ view }) => view && view === state.shown?.large);
  const open = times.filter((epoch) => epoch.isOpen).length + unseen.length;
  if (open < 2) return "";
  const left = imageless ? ` Without images: ${imageless} left out.` : "";
  const others = epochs.length + unseen.length;
  // One that was judged already does not wait, and is judged again all the same.
  return large?.isOpen ? `${others + 1} of ${open} epochs.${left}` : `This one again, and ${others} of ${open} epochs.${left}`;
}
