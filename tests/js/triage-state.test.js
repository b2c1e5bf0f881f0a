// What can be answered, what is sent, what can be taken back, and what people are told.

import assert from "node:assert/strict";
import { test } from "node:test";

import { coverInWords } from "../../static/js/epochs.js";
import { Line, viewsOf } from "../../static/js/line.js";
import { MOST_UNDONE, TriageState } from "../../static/js/triage-state.js";
import { CUTOUTS, IMAGES, epochOf, given } from "./items.js";

/** @param {{keys?: string, remaining?: number}} more */
function stateOf({ keys = "abc", remaining = 3 } = {}) {
  const line = new Line(() => false);
  for (const id of keys) line.add(given(id), false);
  line.goTo(0);
  const state = new TriageState(line, { window: "window", mostCounted: 1000, remaining, undoable: [] });
  state.show(line.current);
  return state;
}

/** @type {import("../../static/js/triage-state.js").Said} */
const REAL = { isValid: true, label: "", title: "", level: "medium", note: " faint ", tags: [], imageQuality: "", detectionQuality: "" };
const BOGUS = { ...REAL, isValid: false, label: "ghost", title: "Ghost" };

/**
 * Return what makes keys: the given one, then others after it.
 * @param {string} first
 */
function keysFrom(first) {
  let count = 0;
  return () => (count++ ? `${first}.${count - 1}` : first);
}

/** @param {TriageState} state */
function judged(state, said = REAL, key = "1") {
  state.paint(IMAGES, 5000);
  return state.judge(said, keysFrom(key), 6234, { stretch: "asinh" });
}

test("nothing is answered before its images are painted, and the reason says what to do", () => {
  const state = stateOf();
  assert.match(state.whyNot, /not on screen yet/);
  assert.throws(() => state.judge(REAL, keysFrom("1"), 0, {}), /not on screen yet/);
  const item = state.line.items[0];
  item.fault = "The images could not be loaded yet.";
  assert.match(state.whyNot, /Load them again, or skip it/);
  Object.assign(item, { fault: "The cutouts are no longer stored.", isLost: true });
  assert.match(state.whyNot, /no longer stored.*Skip it/);
  state.paint(IMAGES, 1);
  assert.equal(state.whyNot, "");
  state.show(null);
  assert.match(state.whyNot, /nothing on screen/);
});

test("another detection on screen, or its images anew, is not painted until it is", () => {
  const state = stateOf();
  state.paint(IMAGES, 1);
  assert.equal(state.show(state.line.items[0]), false);
  assert.equal(state.isPainted, false);
  assert.equal(state.show(state.line.items[1]), true);
  assert.equal(state.isPainted, false);
});

test("an answer says what was on screen, how it was drawn, and how long it took", () => {
  const entry = judged(stateOf(), BOGUS);
  assert.deepEqual(entry.visible_context, { blind: false, stretch: "asinh", images: IMAGES });
  assert.equal(entry.seconds_taken, 1.234);
  assert.equal(entry.notes, "faint");
  assert.equal(entry.said, "bogus, Ghost (medium)");
  assert.equal(entry.window, "window");
  assert.equal(entry.was_held, true);
});

test("a change of mind replaces the answer before it, and is counted once", () => {
  const state = stateOf();
  judged(state, REAL, "1");
  const second = judged(state, BOGUS, "2");
  assert.equal(second.supersedes, "1");
  assert.equal(second.was_held, false);
  assert.equal(state.remaining, 2);
});

test("what is taken back waits again, names what it takes back, and is held only once that is saved", () => {
  const state = stateOf();
  judged(state);
  const back = state.undo(keysFrom("9"));
  assert.equal(back?.supersedes, "1");
  assert.equal(state.remaining, 3);
  const [item] = state.line.items;
  assert.equal(item.isAnswered, false);
  assert.deepEqual(state.line.held, ["b", "c"]);
  assert.ok(back);
  state.saved(back, { is_held: true });
  assert.deepEqual(state.line.held, ["a", "b", "c"]);
  assert.equal(state.undo(keysFrom("10")), null);
});

test("a refused answer cannot be taken back, and only so many are remembered", () => {
  const state = stateOf();
  judged(state);
  state.refused("1");
  assert.equal(state.undo(keysFrom("2")), null);
  for (let k = 0; k <= MOST_UNDONE; k++) judged(state, REAL, String(k));
  assert.equal(state.undoable.length, MOST_UNDONE);
});

test("the opposite answer of somebody else is told, agreement is not", () => {
  const state = stateOf();
  const entry = judged(state);
  assert.equal(state.saved(entry, { others: ["eve said real (low)"], opposed: [] }), null);
  const told = state.saved(entry, { others: ["bob said bogus (high)"], opposed: ["bob said bogus (high)"] });
  assert.ok(told?.isOpposed);
  assert.match(told.text, /name of a: you said real \(medium\), but bob said bogus \(high\)/);
});

test("what was known of an item is told as it comes", () => {
  const state = stateOf();
  const entry = judged(state);
  assert.equal(state.saved(entry, { others: [], opposed: [], feedback: "" }), null);
  const told = state.saved(entry, { others: [], opposed: [], feedback: "This was an item whose answer is known." });
  assert.deepEqual(told, { text: "name of a: This was an item whose answer is known.", isOpposed: false });
});

test("a lease that had expired is told with what others said", () => {
  const state = stateOf();
  const entry = judged(state);
  assert.match(state.saved(entry, { has_lapsed: true, others: [], opposed: [] })?.text ?? "", /Nobody else has answered/);
  const told = state.saved(entry, { has_lapsed: true, others: ["bob said bogus (high)"], opposed: ["bob said bogus (high)"] });
  assert.match(told?.text ?? "", /had expired.*bob said bogus \(high\)\./);
  assert.ok(told?.isOpposed);
});

test("what the server knows now stands above what this window knew", () => {
  const state = stateOf();
  judged(state);
  const [item] = state.line.items;
  assert.equal(item.said, "", "what was fetched before one's own answer is old");
  state.told(item, { said: "<ul></ul>", own: { id: "other window", said: "bogus (low)" } });
  assert.equal(item.answers.at(-1)?.said, "bogus (low)");
  assert.equal(item.said, "<ul></ul>");
  judged(state, BOGUS, "3");
  assert.equal(item.said, "");
});

test("above the most that is counted one less is not known to be one less", () => {
  const state = stateOf({ remaining: 1001 });
  judged(state);
  assert.equal(state.remaining, 1001);
  assert.equal(state.remainingInWords, "more than 1000 left");
  state.setRemaining(-2);
  assert.equal(state.remainingInWords, "0 left");
});

/** Return a state with an object of four epochs on screen, one of them judged before, and a frame without it. */
function stateOfObject() {
  const line = new Line(() => false);
  const epochs = [epochOf("a"), epochOf("b"), epochOf(null), epochOf("c"), epochOf("d", { is_open: false })];
  line.add(given("b", { epochs, unseen: ["z"] }), false);
  line.goTo(0);
  const state = new TriageState(line, { window: "window", mostCounted: 1000, remaining: 3, undoable: [] });
  state.show(line.current);
  for (const view of viewsOf(line.items[0])) Object.assign(view, { cutouts: CUTOUTS, isWhole: true });
  return state;
}

/** @param {{others?: {detection: string, shown?: string}[]}} entry */
const about = (entry) => (entry.others ?? []).map(({ detection, shown }) => `${detection} ${shown}`);

test("one answer is about every epoch that waits, and says how each was seen", () => {
  const entry = judged(stateOfObject());
  assert.equal(entry.detection, "b");
  assert.deepEqual(about(entry), ["a strip", "c strip", "z unseen"]);
  assert.equal(new Set([entry.id, entry.group, ...(entry.others ?? []).map(({ id }) => id)]).size, 5);
});

test("what an answer is about is said rightly, also where the epoch on screen was judged before", () => {
  const state = stateOfObject();
  assert.equal(coverInWords(state), "4 of 4 epochs.");
  state.turnTo("d");
  assert.equal(coverInWords(state), "This one again, and 4 of 4 epochs.");
  state.leaveOut("a");
  assert.equal(coverInWords(state), "This one again, and 3 of 4 epochs.");
});

test("an epoch whose images did not come is left out, and said to be", () => {
  const state = stateOfObject();
  const { view } = state.line.items[0].times[0];
  assert.ok(view);
  view.cutouts = null;
  assert.equal(state.covered.imageless, 1);
  assert.deepEqual(about(judged(state)), ["c strip", "z unseen"]);
});

test("an epoch can be left out by hand and taken in again; one that was judged before cannot", () => {
  const state = stateOfObject();
  state.leaveOut("a");
  state.leaveOut("c");
  state.leaveOut("c");
  state.leaveOut("d");
  assert.deepEqual(about(judged(state)), ["c strip", "z unseen"]);
});

test("the answer is first about the epoch that was turned to", () => {
  const state = stateOfObject();
  assert.equal(state.turnTo(), true);
  assert.equal(state.shown?.large.id, "c");
  assert.equal(state.turnTo("a"), true);
  assert.equal(state.turnTo("a"), false);
  const entry = judged(state);
  assert.equal(entry.detection, "a");
  assert.deepEqual(about(entry), ["b strip", "c strip", "z unseen"]);
});

test("one undo takes all of an answer back, event by event", () => {
  const state = stateOfObject();
  const entry = judged(state);
  const back = state.undo(keysFrom("9"));
  assert.equal(back?.supersedes, entry.id);
  assert.deepEqual(back?.others?.map(({ detection, supersedes }) => [detection, supersedes]), entry.others?.map(({ detection, id }) => [detection, id]));
  assert.equal(state.remaining, 3);
  const again = judged(state, BOGUS, "20");
  assert.deepEqual([again, ...(again.others ?? [])].map(({ supersedes }) => supersedes ?? null), [null, null, null, null]);
});

test("a change of mind about an object replaces each of its events", () => {
  const state = stateOfObject();
  const first = judged(state);
  const second = judged(state, BOGUS, "20");
  assert.equal(second.supersedes, first.id);
  assert.deepEqual(second.others?.slice(0, 2).map(({ supersedes }) => supersedes), first.others?.slice(0, 2).map(({ id }) => id));
});

test("what is put off leaves with its epochs, is counted down, and can be taken back", () => {
  const state = stateOf();
  const item = state.line.items[0];
  const entry = state.defer({ kind: "snooze", until: null, note: " later ", words: "for a day" }, keysFrom("1"));
  assert.deepEqual([entry.kind, entry.to, entry.notes, entry.detection], ["snooze", "deferrals", "later", "a"]);
  assert.deepEqual([item.isAnswered, item.isHeld, item.putOff, state.remaining], [true, false, "for a day", 2]);
  assert.equal(state.saved(entry, {}), null);
  const back = state.undo(keysFrom("2"));
  assert.deepEqual([back?.kind, back?.to, back?.supersedes], ["withdrawal", "deferrals", "1"]);
  assert.deepEqual([item.isAnswered, item.putOff, state.remaining], [false, "", 3]);
});

test("a rejected frame takes all that was fetched of it out of the line, and undo is of the whole", () => {
  const state = stateOf({ keys: "abcd", remaining: 9 });
  state.rejectFrame({ group: "g", detections: ["a", "c", "elsewhere"], name: "frame 1" });
  assert.deepEqual(state.line.items.map(({ id }) => id), ["a", "b", "d"]);
  assert.deepEqual([state.shown?.isAnswered, state.remaining], [true, 7]);
  const done = state.undoable.at(-1);
  assert.deepEqual([done?.id, done?.of], ["g", "frame"]);
  assert.equal(state.undo(keysFrom("2"))?.kind, "frame");
  assert.equal(state.shown?.isAnswered, false);
});

test("an answer brings its tags and grades", () => {
  const entry = judged(stateOf(), { ...REAL, tags: ["trail"], imageQuality: "poor" });
  assert.deepEqual([entry.tags, entry.image_quality, entry.detection_quality], [["trail"], "poor", ""]);
});
