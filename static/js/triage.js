// Triage: one object on screen, keys that judge and look, answers that are never lost. What is known stands in
// triage-state.js and line.js; here it is put on the page.

import { Armed } from "./armed.js";
import { afterPaint, at, origin, part } from "./dom.js";
import { asideActions } from "./triage-asides.js";
import { coverInWords, epochsOf } from "./epochs.js";
import { Facts, UNKNOWN_SAID } from "./facts.js";
import { FrameRejection } from "./frame-rejection.js";
import { whenIdle } from "./idle.js";
import { newKey } from "./ids.js";
import { Kept, keepInTab, keptInTab } from "./kept.js";
import { Presses, keyOf } from "./keys.js";
import { Line } from "./line.js";
import { Lineup } from "./lineup.js";
import { choiceActions } from "./triage-choices.js";
import { fitViewer, lookActions, showLook } from "./triage-looks.js";
import { Offline, keepPage } from "./offline.js";
import { Outbox } from "./outbox.js";
import { showSaving } from "./saving.js";
import { keepPresent } from "./news.js";
import { say } from "./site.js";
import { closePops, controlOf, isTaken } from "./triage-input.js";
import { Strip } from "./strip.js";
import { Server } from "./triage-server.js";
import { TriageState } from "./triage-state.js";
import { Viewer } from "./viewer.js";

/** @typedef {import("./line.js").Item} Item */

const page = part("main", HTMLElement);
const person = page.dataset.person ?? "";
const help = part("#help", HTMLDialogElement), undoButton = part("#undo", HTMLButtonElement);
const leave = part("#leave", HTMLButtonElement), place = { strip: at("strip"), stage: at("stage"), lapse: at("lapse") };
const LAPSE_CHECK_MS = 5000, FLUSH_PATIENCE_MS = 2000;
const KEPT_UNDO = `astrid.undo.${person}`, KEPT_PLACE = "astrid.place";

const server = new Server(page.dataset, person, newKey());
const outbox = new Outbox(person, (entry, signal) => server.post(entry.to ?? "answers", entry, signal), {
  onChange: () => { showSaving(outbox, page); offline.tell(); },
  onSaved: tellSaved,
  onRefused: (entry, reason) => {
    state.refused(entry.id);
    keepUndo();
    say(`Not accepted: ${reason}`, "error");
  },
});
const line = new Line((id) => outbox.isUnsent(id));
const state = new TriageState(line, {
  window: server.window,
  mostCounted: Number(page.dataset.mostCounted),
  remaining: Number(page.dataset.queueRemaining),
  undoable: keptInTab(KEPT_UNDO) ?? [],
});
const former = keptInTab(KEPT_PLACE) ?? {}, tab = former.tab ?? newKey();
const store = new Kept({ person, query: location.search, isDone: ({ id }) => state.isDone(id) }, tab);
const lineup = new Lineup(line, ask, store, { onChange: onLineup, onRelease: (keys) => server.release(keys) });
const offline = new Offline(lineup, outbox, page);
const viewer = new Viewer(document.querySelectorAll("[data-panel]"), onLook, step);
const facts = new Facts(), armed = new Armed(), frameRejection = new FrameRejection(server, onFrameRejected);
const strip = new Strip(at("strip"), { onPick: (id) => (leave.ariaPressed === "true" ? leaveOut : turnTo)(id) });

/** @param {object} body */
async function ask(body) {
  const made = state.answersMade, wasSaved = !outbox.entries.length;
  const given = await server.next(body);
  // The number is of a moment when all answers were in.
  if (wasSaved && made === state.answersMade && !outbox.entries.length) {
    state.setRemaining(given.remaining);
    showRemaining();
  }
  return given;
}

// --- One detection on screen ---

/** @type {{item: Item, control: HTMLElement} | null} a press that came while its detection was being painted */
let waitingPress = null;

/** @param {import("./lineup.js").Change} change */
function onLineup(change) {
  const { shown } = state;
  offline.tell();
  if (change === "lease") place.lapse.hidden = !shown || shown.isHeld || shown.isAnswered || !shown.wasHeld;
  else if (change === "pixels" || line.current !== shown) show(line.current);
  else if (change === "ahead") whenIdle(prepareNext);
  if (change === "state") showEmpty();
}

/** @param {Item | null} item */
function show(item) {
  const isNew = state.show(item);
  page.dataset.viewerReady = "false";
  page.dataset.detectionId = item?.large.id ?? "";
  const wasHidden = place.stage.hidden;
  place.stage.hidden = !item;
  showEmpty();
  if (wasHidden && item) fit();
  if (!item) return;
  if (isNew) showFacts(item);
  showStrip();
  const { large } = item;
  viewer.show(large.cutouts, large);
  const why = large.fault || "Loading the images …";
  document.querySelectorAll("[data-fault]").forEach((fault, k) => { fault.textContent = viewer.panels[k].isPainted ? "" : why; });
  at("reload").hidden = large.isWhole || large.isLost || !large.fault;
  afterPaint(() => {
    if (state.shown !== item || item.large !== large) return;
    state.paint(viewer.painted, performance.now());
    page.dataset.viewerReady = String(state.isPainted);
    const waited = waitingPress;
    waitingPress = null;
    if (waited?.item === item) act(waited.control);
    else whenIdle(prepareNext);
  });
}

/** What comes next is drawn already when its turn has come; not all at once, lest a key waits. */
function prepareNext() {
  const next = line.items[line.next()];
  if (!next?.cutouts || next === line.current) return;
  viewer.prepare(next.cutouts, next);
  whenIdle(() => strip.prepare(epochsOf(next), viewer.look));
}

/** @param {Item} item */
function showFacts(item) {
  facts.show(item);
  armed.begin(item.note);
  place.lapse.hidden = item.isHeld || !item.wasHeld || item.isAnswered;
  if (item.isAnswered) askWhatIsSaid(item);
}

/**
 * Somebody else may have answered since it was here last.
 * @param {Item} item
 */
async function askWhatIsSaid(item) {
  try {
    const told = await server.said(item.id);
    if (outbox.isUnsent(item.id)) return;
    state.told(item, told);
  } catch {
    item.said = UNKNOWN_SAID;
  }
  if (item === state.shown) facts.showSaid(item);
}

function showEmpty() { facts.showEmpty(line, lineup); }

function showRemaining() {
  page.dataset.queueRemaining = String(state.remaining);
  at("remaining").textContent = state.remainingInWords;
}

// --- Answers ---

/**
 * @param {boolean} isValid
 * @param {string} label
 * @param {string} title
 */
function judge(isValid, label = "", title = "") {
  const why = state.whyNot;
  if (why) return say(why, "warning");
  goOn(state.judge({ isValid, label, title, ...armed.current }, newKey, performance.now(), viewer.look));
}

/**
 * Keep what was said, and show the next one at once.
 * @param {import("./triage-state.js").Entry} entry
 */
function goOn(entry) {
  showRemaining();
  keepUndo();
  // Before the next ones are asked for: how many are left is then known to be of before this answer.
  outbox.keep(entry);
  lineup.advance();
  afterPaint(() => outbox.flush());
  const count = 1 + (entry.others?.length ?? 0);
  at("told").textContent = `${entry.name}: ${entry.said}${count > 1 ? `, ${count} epochs` : ""}`;
}

/** @param {import("./frame-rejection.js").Rejected} rejected */
function onFrameRejected(rejected) {
  state.rejectFrame(rejected);
  showRemaining();
  keepUndo();
  if (state.shown?.isAnswered) lineup.advance(); else show(state.shown);
  lineup.refill();
  say(`${rejected.name}: ${rejected.detections.length} called bogus. Undo takes all of it back.`);
}

/** Take back the last answer: a withdrawal of its own, and the detection on screen again. */
async function undo() {
  if (!(await frameRejection.takeBack(state.undoable.at(-1)))) return;
  const entry = state.undo(newKey);
  if (!entry) return say("There is nothing to undo.", "warning");
  showRemaining();
  keepUndo();
  if (entry.kind !== "frame") outbox.add(entry);
  const isBack = await lineup.comeBackTo(entry.detection).catch(() => false);
  say(`Undone: ${entry.name}. ${isBack ? "" : whyNotHere()}`);
  if (isBack && state.shown) showFacts(state.shown);
}

/** @param {string} id */
async function lookAgain(id) {
  const isBack = await lineup.comeBackTo(id).catch(() => false);
  if (!isBack) say(`It cannot be shown. ${whyNotHere()}`, "warning");
}

function whyNotHere() { return lineup.refusal?.text ?? "The server cannot be reached."; }

function keepUndo() {
  keepInTab(KEPT_UNDO, state.undoable);
  undoButton.disabled = !state.undoable.length;
}

/**
 * @param {import("./triage-state.js").Entry} entry
 * @param {import("./triage-state.js").Reply} reply
 */
function tellSaved(entry, reply) {
  const told = state.saved(entry, reply);
  const item = line.get(entry.detection);
  if (item && item === state.shown) facts.showSaid(item);
  if (entry.kind === "withdrawal") {
    if (item && item === state.shown) onLineup("lease");
    if (!outbox.entries.length) lineup.refill();
  }
  if (!told) return;
  const again = { title: "Look at it again", act: () => lookAgain(entry.detection) };
  say(told.text, "warning", told.isOpposed ? again : undefined);
}

// --- Epochs ---

/** Draw the epochs of the object, and say what an answer will be about. */
function showStrip() {
  const epochs = state.shown ? epochsOf(state.shown) : [];
  place.strip.hidden = !epochs.length;
  strip.show(epochs, viewer.look);
  at("covers").textContent = coverInWords(state);
  leave.hidden = !at("covers").textContent;
}

/** @param {string | null} id  null for the next one */
function turnTo(id = null) {
  if (state.turnTo(id) && state.shown) {
    show(state.shown);
    lineup.loadLarge(state.shown);
  }
  else if (id === null) say("There is no other epoch with images.");
}

/** @param {string} id */
function leaveOut(id) { state.leaveOut(id); showStrip(); }

// --- Looking ---

/** @param {import("./viewer.js").Look} look */
function onLook(look) {
  showLook(look);
  strip.draw(look);
}

function fit() { fitViewer(viewer, page, place.stage); }

/** @param {number} by */
async function step(by) {
  if (state.shown) state.shown.note = armed.note.value;
  const isThere = await lineup.step(by).catch(() => false);
  if (!isThere) say(by > 0 ? "This is the last one: there is nothing further to show." : "This is the first one.");
}

/** @type {Record<string, (control: HTMLElement) => unknown>} */
const ACTIONS = {
  real: () => judge(true),
  label: ({ dataset }) => judge(dataset.isValid === "true", dataset.label, dataset.title),
  level: (control) => { if (control instanceof HTMLInputElement) control.checked = true; },
  imageQuality: (control) => armed.nextGrade(control),
  detectionQuality: (control) => armed.nextGrade(control),
  tag: () => armed.tags.focus(),
  rejectFrame: () => (state.shown ? frameRejection.open(state.shown.large.id, { ...viewer.look, images: state.painted }) : say(state.whyNot, "warning")),
  ...lookActions(viewer),
  ...choiceActions(state, armed, judge, goOn),
  next: () => step(1),
  previous: () => step(-1),
  undo,
  reload: () => lineup.loadAgain(),
  note: () => armed.note.focus(),
  epoch: () => turnTo(),
  ...asideActions(state),
  leaveOut: () => { leave.ariaPressed = String(leave.ariaPressed !== "true"); },
  frame: () => { for (const link of facts.place.querySelectorAll("a")) if ("fullFrame" in link.dataset) link.click(); },
  help: () => help.showModal(),
  takeOver: () => lineup.refill({ take_over: true }),
};
const JUDGING = new Set(["real", "bogus", "label", "opinion"]);
const REPEATING = new Set(["epoch", "zoomIn", "zoomOut", "contrastUp", "contrastDown"]);

/** @param {HTMLElement} control */
function act(control) { ACTIONS[control.dataset.action ?? ""](control); }

// --- Keys and presses ---

const presses = new Presses();
/** @param {string} key */
const hasControl = (key) => controlOf(key) !== null;

/** @param {KeyboardEvent} event */
function onKeyDown(event) {
  // A control that has the focus is pressed once, however long its key is held.
  if (event.repeat && ["Enter", " "].includes(event.key) && origin(event)?.closest("[data-action]")) return event.preventDefault();
  lineup.touch();
  if (isTaken(event)) return;
  if (event.key === " " && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    return viewer.swap(true);
  }
  const key = keyOf(event, hasControl);
  const control = controlOf(key);
  if (!control || control.matches(":disabled, [hidden]")) return;
  event.preventDefault();
  press(control, key, event);
}

/**
 * @param {HTMLElement} control
 * @param {string} key
 * @param {KeyboardEvent} event
 */
function press(control, key, event) {
  const action = control.dataset.action ?? "";
  if (event.repeat && !REPEATING.has(action)) return;
  if (!JUDGING.has(action)) return act(control);
  if (presses.isTwice(key, event.timeStamp, state.isPainted)) return say("Pressed twice: counted once.");
  // A moment too early: it waits for the frame that is being painted.
  if (state.shown && state.isAboutToBePainted) waitingPress = { item: state.shown, control };
  else act(control);
  presses.done(performance.now());
}

document.addEventListener("keydown", onKeyDown);
document.addEventListener("keyup", (event) => {
  if (event.key === " ") viewer.swap(false);
  presses.release(keyOf(event, hasControl), event.timeStamp);
});
addEventListener("blur", () => viewer.swap(false));
document.addEventListener("click", (event) => {
  lineup.touch();
  const target = origin(event);
  closePops(target);
  const point = target?.closest("[data-epoch]");
  if (point instanceof SVGElement) return turnTo(point.dataset.epoch);
  const control = target?.closest("[data-action]");
  if (!(control instanceof HTMLElement) || control instanceof HTMLInputElement) return;
  // The second click of a double click means the same; afterwards the keys are free again for space and arrows.
  if (event.detail > 0) control.blur();
  if (JUDGING.has(control.dataset.action ?? "") && event.detail > 1) return;
  act(control);
  control.closest("details.menu-of-labels")?.removeAttribute("open");
});
for (const panel of document.querySelectorAll("[data-panel]")) panel.addEventListener("dblclick", () => viewer.resetZoom());
at("levels").addEventListener("click", (event) => { if (event.detail > 0 && event.target instanceof HTMLElement) event.target.blur(); });

// --- Coming and going ---

addEventListener("beforeunload", (event) => { if (outbox.entries.length) event.preventDefault(); });
addEventListener("pagehide", () => {
  const here = { window: server.window, tab, query: location.search, after: line.before?.id ?? "" };
  keepInTab(KEPT_PLACE, here);
  server.leave(outbox.itemsOf((id) => line.get(id)?.id));
});
addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
addEventListener("resize", fit);
addEventListener("storage", (event) => { if (event.key?.startsWith("astrid.")) showSaving(outbox, page); });
document.addEventListener("visibilitychange", () => { if (!document.hidden) outbox.flush(); });
new MutationObserver(() => { viewer.paint(); strip.draw(viewer.look); }).observe(document.documentElement, { attributeFilter: ["data-theme"] });
setInterval(() => { if (lineup.hasLapsed) place.lapse.hidden = false; }, LAPSE_CHECK_MS);
keepPresent(server, lineup, lookAgain);

keepInTab(KEPT_PLACE, null);
showLook(viewer.look);
showSaving(outbox, page);
showRemaining();
keepUndo();
await Promise.race([outbox.flush(), new Promise((done) => setTimeout(done, FLUSH_PATIENCE_MS))]);
await lineup.start(former.window, former.query === location.search ? former.after || null : null);

// The page of a detection leads here with its key: that one comes first.
const wanted = new URLSearchParams(location.search).get("detection");
if (wanted && !(await lineup.comeBackTo(wanted).catch(() => false))) {
  const isGone = lineup.refusal?.code === "gone";
  say(`The detection that you asked for ${isGone ? "no longer exists." : `cannot be shown. ${whyNotHere()}`}`, "warning");
}

keepPage(page.dataset.workerUrl ?? "");
