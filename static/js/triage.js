// Triage: one detection on screen, keys that judge and look, answers that are never lost.

import { Lineup } from "./lineup.js";
import { Outbox, newKey } from "./outbox.js";
import { say } from "./site.js";
import { Viewer } from "./viewer.js";

const page = document.querySelector("main");
const { person, nextUrl, answersUrl, releaseUrl, presenceUrl } = page.dataset;
const at = (name) => document.getElementById(name);
const place = { note: at("note"), facts: at("facts"), empty: at("empty"), stage: at("stage"), saving: at("saving"), lapse: at("lapse") };
const windowKey = newKey();
// One press that came as two: a key that bounces, or a finger that let go and pressed again sooner than anybody looks.
const BOUNCE_MS = 30, TWICE_MS = 160, HELD_MS = 45;
const MOST_UNDONE = 100;
const PAINT_PATIENCE_MS = 200, PRESENCE_MS = 10000, LAPSE_CHECK_MS = 5000;
const KEPT_UNDO = `astrid.undo.${person}`, KEPT_PLACE = "astrid.place";
const words = { true: "Real", false: "Bogus" };

// --- What is asked of the server ---

function token() {
  return document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1] ?? JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];
}

function post(url, body, signal) {
  return fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRFToken": token() },
    body: JSON.stringify({ window: windowKey, person, ...body }),
    redirect: "manual",
    signal,
  });
}

async function ask(body) {
  const made = answersMade, wasSaved = !outbox.entries.length;
  let response;
  try {
    response = await post(nextUrl, { query: location.search.slice(1), ...body });
  } catch {
    throw new Error("The server cannot be reached.");
  }
  if (response.type === "opaqueredirect") throw new Error("You are logged out: load this page again to log in.");
  const given = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(given.detail ?? `The server is in trouble (${response.status}).`);
  // The number is of a moment when all answers were in.
  if (wasSaved && made === answersMade && !outbox.entries.length) setRemaining(given.remaining);
  return given;
}

let answersMade = 0;
const outbox = new Outbox(person, (entry, signal) => post(answersUrl, { ...entry, window: entry.window }, signal), {
  onChange: showSaving,
  onSaved: tellSaved,
  onRefused: (entry, reason) => {
    setUndo(undoable().filter((done) => done.id !== entry.id));
    say(`Not taken: ${reason}`, "error");
  },
});
const isUnsent = (id) => outbox.entries.some((entry) => entry.detection === id && entry.kind === "verdict");
const lineup = new Lineup(ask, isUnsent, onLineup);
lineup.onRelease = (keys) => post(releaseUrl, { keys }).catch(() => { /* They lapse by themselves. */ });
const viewer = new Viewer(document.querySelectorAll("[data-panel]"), showLook);

// --- One detection on screen ---

let shown = null; // the item on screen
let isSeen = false; // it is painted, or it is told why not: it may be judged
let waitingPress = null; // a press that came while it was being painted

function onLineup(change) {
  if (change === "lease") place.lapse.hidden = !shown || shown.isHeld || shown.isAnswered || !shown.wasHeld;
  else if (change === "pixels" || lineup.current !== shown) show(lineup.current);
  if (change === "state") showState();
}

function show(item) {
  const isNew = item !== shown;
  shown = item;
  isSeen = false;
  page.dataset.viewerReady = "false";
  page.dataset.detectionId = item?.id ?? "";
  const wasHidden = place.stage.hidden;
  place.stage.hidden = !item;
  showState();
  if (wasHidden && item) fit();
  if (!item) return;
  if (isNew) showFacts(item);
  viewer.show(item.cutouts, item);
  for (const note of document.querySelectorAll("[data-fault]")) note.textContent = item.cutouts ? "" : item.fault || "Loading the images …";
  afterPaint(() => {
    if (shown !== item) return;
    isSeen = Boolean(item.cutouts || item.fault);
    page.dataset.viewerReady = String(Boolean(item.cutouts));
    item.seenAt ??= performance.now();
    const press = waitingPress;
    waitingPress = null;
    if (press?.item === item) actions[press.control.dataset.action](press.control);
  });
}

function showFacts(item) {
  item.facts ??= document.createRange().createContextualFragment(item.html);
  place.facts.replaceChildren(item.facts.cloneNode(true));
  place.note.value = item.note ?? "";
  place.lapse.hidden = item.isHeld || !item.wasHeld || item.isAnswered;
  at("warning").textContent = item.warning;
  at("brief").replaceChildren(...item.brief.map((line) => Object.assign(document.createElement("p"), { textContent: line })));
  at("own").textContent = item.isAnswered ? `You said: ${item.answers.at(-1).said}. ` : "";
  setLevel(at("levels").dataset.default);
}

/** Call back when what was drawn is on the screen; hidden windows draw nothing, and are not waited for. */
function afterPaint(callback) {
  let isDone = false;
  const once = () => { if (!isDone) { isDone = true; callback(); } };
  requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = once;
    channel.port2.postMessage(null);
  });
  setTimeout(once, PAINT_PATIENCE_MS);
}

function showState() {
  const empty = !lineup.current && lineup.empty;
  place.empty.hidden = Boolean(lineup.current);
  const title = empty ? empty.title : lineup.trouble || "Fetching the next detections …";
  const text = empty ? empty.text : lineup.trouble ? "It is tried again by itself." : "";
  at("empty-title").textContent = title;
  at("empty-text").textContent = text;
  at("take-over").hidden = empty?.code !== "other_window";
  at("back").hidden = !lineup.items.length;
  at("all").hidden = empty?.code !== "narrow" && empty?.code !== "unreadable";
}

let remaining = Number(page.dataset.queueRemaining);

/** Show how many are left; above the most that is counted, one less is not known to be one less. */
function setRemaining(count) {
  const most = Number(page.dataset.mostCounted);
  if (remaining > most && count === remaining - 1) return;
  remaining = Math.max(count, 0);
  page.dataset.queueRemaining = String(remaining);
  at("remaining").textContent = remaining > most ? `more than ${most} left` : `${remaining} left`;
}

// --- Answers ---

function level() { return document.querySelector("[name=level]:checked").value; }
function setLevel(value) { document.querySelector(`[name=level][value="${value}"]`).checked = true; }

function judge(isValid, label = "", title = "") {
  const item = shown;
  if (!item) return say("There is nothing on screen to judge.", "warning");
  if (!isSeen) return say("Not so fast: the images are not on screen yet.", "warning");
  const said = `${title ? `${words[isValid].toLowerCase()}, ${title}` : words[isValid].toLowerCase()} (${level()})`;
  const entry = {
    id: newKey(), detection: item.id, kind: "verdict", is_valid: isValid, label, confidence_level: level(),
    notes: place.note.value.trim(), supersedes: item.answers.at(-1)?.id ?? null,
    seconds_taken: Math.round(performance.now() - item.seenAt) / 1000, visible_context: { ...item.context, ...viewer.look },
    was_held: item.wasHeld && !item.isAnswered, window: windowKey, name: item.name, said,
  };
  if (!item.isAnswered && !item.own) setRemaining(remaining - 1);
  item.answers.push({ id: entry.id, said });
  Object.assign(item, { isAnswered: true, isHeld: false, isReturning: false, note: place.note.value });
  setUndo([...undoable(), { id: entry.id, detection: item.id, name: item.name }]);
  lineup.advance();
  answersMade += 1;
  outbox.add(entry);
  at("told").textContent = `${item.name}: ${said}`;
}

/** Take back the last answer: a withdrawal of its own, and the detection on screen again. */
async function undo() {
  const done = undoable().at(-1);
  if (!done) return say("There is nothing to undo.", "warning");
  setUndo(undoable().slice(0, -1));
  answersMade += 1;
  outbox.add({ id: newKey(), detection: done.detection, kind: "withdrawal", supersedes: done.id, confidence_level: "medium", window: windowKey, name: done.name, said: "undone" });
  const item = lineup.items.find((other) => other.id === done.detection);
  if (item) {
    item.answers = item.answers.filter((said) => said.id !== done.id);
    if (!item.answers.length) {
      Object.assign(item, { isAnswered: false, isHeld: true, isReturning: true });
      setRemaining(remaining + 1);
    }
  }
  const isBack = await lineup.comeBackTo(done.detection).catch(() => false);
  say(isBack ? `Taken back: ${done.name}.` : `Taken back: ${done.name}. Somebody else looks at it now.`);
  if (isBack && shown) showFacts(shown);
}

function undoable() {
  try { return JSON.parse(sessionStorage.getItem(KEPT_UNDO)) ?? []; } catch { return []; }
}

function setUndo(list) {
  sessionStorage.setItem(KEPT_UNDO, JSON.stringify(list.slice(-MOST_UNDONE)));
  at("undo").disabled = !list.length;
}

function tellSaved(entry, body) {
  if (entry.kind === "withdrawal") {
    const item = lineup.items.find((other) => other.id === entry.detection);
    if (item) Object.assign(item, { isReturning: false, isHeld: !item.isAnswered && body.is_held });
    if (item === shown) onLineup("lease");
    if (!outbox.entries.length) lineup.refill();
    return;
  }
  if (!body.has_lapsed) return;
  const others = body.others.length ? `${body.others.join("; ")}.` : "Nobody else has answered.";
  say(`Your time with ${entry.name} had lapsed. Your answer is kept all the same. ${others}`, "warning");
}

function showSaving() {
  const unsaved = outbox.entries.length, refused = outbox.setAside;
  page.dataset.unsaved = String(unsaved);
  place.saving.textContent = unsaved ? `${unsaved} unsaved` : "All saved";
  place.saving.classList.toggle("busy", unsaved > 0);
  const why = at("trouble");
  why.textContent = unsaved && outbox.trouble ? `${outbox.trouble}. ${outbox.isKept ? "Your answers are kept here and sent again by themselves." : "This browser keeps nothing: leave the page open."}` : "";
  at("refused").hidden = !refused.length;
  at("refused-count").textContent = `${refused.length} not taken`;
  at("refused-list").replaceChildren(...refused.map(refusedLine));
}

function refusedLine({ answer, reason }) {
  const line = document.createElement("li");
  line.append(`${answer.name}, ${answer.said}: ${reason} `);
  for (const [title, act] of [["Try again", () => outbox.retry(answer.id)], ["Discard", () => outbox.discard(answer.id)]]) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = title;
    button.addEventListener("click", act);
    line.append(button, " ");
  }
  return line;
}

// --- Looking ---

function showLook(look) {
  at("stretch").textContent = look.stretch;
  at("zoom").textContent = `${look.zoom}×`;
  at("contrast").textContent = `${look.contrast}×`;
  for (const [name, isOn] of [["invert", look.isInverted], ["mask", look.hasMask], ["crosshair", look.hasCrosshair]]) {
    document.querySelector(`[data-action=${name}]`).setAttribute("aria-pressed", String(isOn));
  }
}

/** Give the images what room there is: beside the answers, above the facts. */
function fit() {
  const style = getComputedStyle(place.stage);
  const columns = Number(style.getPropertyValue("--panels")), beside = Number.parseFloat(style.getPropertyValue("--beside"));
  const below = Number.parseFloat(style.getPropertyValue("--below"));
  const width = (page.clientWidth - beside - 6 * (columns - 1) - 24) / columns;
  const height = below ? innerHeight - place.stage.getBoundingClientRect().top - scrollY - below : Infinity;
  viewer.fit(Math.max(Math.min(width, height), 126));
}

async function step(by) {
  if (shown) shown.note = place.note.value;
  const isThere = await lineup.step(by).catch(() => false);
  if (!isThere) say(by > 0 ? "This is the last one: nothing else is left to go on to." : "This is the first one.");
}

const actions = {
  real: () => judge(true),
  bogus: () => judge(false),
  label: (control) => judge(control.dataset.isValid === "true", control.dataset.label, control.dataset.title),
  level: (control) => { control.checked = true; },
  blinkOnce: () => viewer.swap(!viewer.isSwapped),
  blink: (control) => control.setAttribute("aria-pressed", String(viewer.blink())),
  invert: () => viewer.set({ isInverted: !viewer.look.isInverted }),
  stretch: () => viewer.nextStretch(),
  mask: () => viewer.set({ hasMask: !viewer.look.hasMask }),
  crosshair: () => viewer.set({ hasCrosshair: !viewer.look.hasCrosshair }),
  zoomIn: () => viewer.zoom(1),
  zoomOut: () => viewer.zoom(-1),
  zoomReset: () => viewer.resetZoom(),
  contrastUp: () => viewer.contrast(1),
  contrastDown: () => viewer.contrast(-1),
  next: () => step(1),
  previous: () => step(-1),
  undo,
  note: () => place.note.focus(),
  frame: () => place.facts.querySelector("[data-full-frame]")?.click(),
  help: () => at("help").showModal(),
  takeOver: () => lineup.refill({ take_over: true }),
};
const JUDGING = new Set(["real", "bogus", "label"]);
const REPEATING = new Set(["zoomIn", "zoomOut", "contrastUp", "contrastDown"]);
const SAME_KEY = { ArrowRight: "j", ArrowDown: "j", ArrowLeft: "k", ArrowUp: "k", "=": "+" };

// --- Keys and presses ---

let lastJudged = { down: -Infinity, handled: -Infinity, up: null, key: "" };

function isFocusFree() { return [document.body, page, null].includes(document.activeElement); }

function onKeyDown(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || at("help").open) return;
  // A control that has the focus is pressed once, however long its key is held.
  if (event.repeat && ["Enter", " "].includes(event.key) && event.target.closest("[data-action]")) return event.preventDefault();
  if (event.target.closest("input:not([type=radio]), textarea, select, [contenteditable]")) {
    if (event.key === "Escape" && event.target === place.note) event.target.blur();
    return;
  }
  lineup.touch();
  const isBare = event.key === " " || event.key.startsWith("Arrow");
  if (isBare && !isFocusFree()) return;
  if (event.key === " ") {
    event.preventDefault();
    viewer.swap(true);
    return;
  }
  const key = SAME_KEY[event.key] ?? (event.key.length === 1 ? event.key.toLowerCase() : "");
  const control = key && document.querySelector(`[data-key="${CSS.escape(key)}"]`);
  if (!control || control.disabled) return;
  event.preventDefault();
  const { action } = control.dataset;
  if (event.repeat && !REPEATING.has(action)) return;
  if (!JUDGING.has(action)) return actions[action](control);
  if (isPressedTwice(event, key)) return say("Pressed twice: counted once.");
  // A moment too early: it waits for the frame that is being painted.
  if (!isSeen && shown?.cutouts) waitingPress = { item: shown, control };
  else actions[action](control);
  lastJudged.handled = performance.now();
}

/** Tell whether one press came as two; note the press. */
function isPressedTwice(event, key) {
  const last = lastJudged;
  const sinceDown = event.timeStamp - last.down, heldFor = (last.up ?? event.timeStamp) - last.handled;
  if (!isSeen && event.timeStamp - last.handled < BOUNCE_MS) return true;
  if (key === last.key && sinceDown < TWICE_MS && heldFor >= HELD_MS) return true;
  lastJudged = { down: event.timeStamp, handled: event.timeStamp, up: null, key };
  return false;
}

document.addEventListener("keydown", onKeyDown);
document.addEventListener("keyup", (event) => {
  if (event.key === " ") viewer.swap(false);
  if (event.key.toLowerCase() === lastJudged.key) lastJudged.up ??= event.timeStamp;
});
addEventListener("blur", () => viewer.swap(false));

document.addEventListener("click", (event) => {
  lineup.touch();
  for (const open of document.querySelectorAll("details.pop[open], details.menu-of-labels[open]")) {
    if (!open.contains(event.target)) open.removeAttribute("open");
  }
  const control = event.target.closest("[data-action]");
  if (!control || control.type === "radio") return;
  // The second click of a double click means the same; afterwards the keys are free again for space and arrows.
  if (event.detail > 0) control.blur();
  if (JUDGING.has(control.dataset.action) && event.detail > 1) return;
  actions[control.dataset.action](control);
  control.closest("details.menu-of-labels")?.removeAttribute("open");
});
for (const panel of document.querySelectorAll("[data-panel]")) {
  panel.addEventListener("dblclick", () => viewer.resetZoom());
}
at("levels").addEventListener("click", (event) => { if (event.detail > 0) event.target.blur(); });

// --- Coming and going ---

addEventListener("beforeunload", (event) => { if (outbox.entries.length) event.preventDefault(); });
addEventListener("pagehide", () => {
  const before = lineup.items[lineup.position - 1]?.id ?? "";
  sessionStorage.setItem(KEPT_PLACE, JSON.stringify({ window: windowKey, query: location.search, after: before }));
  const kept = outbox.entries.map((entry) => entry.detection).join(",");
  navigator.sendBeacon(releaseUrl, new URLSearchParams({ window: windowKey, person, kept, csrfmiddlewaretoken: token() }));
});
addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
addEventListener("resize", fit);
document.addEventListener("visibilitychange", () => { if (!document.hidden) outbox.flush(); });
setInterval(() => { if (lineup.hasLapsed) place.lapse.hidden = false; }, LAPSE_CHECK_MS);
setInterval(() => post(presenceUrl, {}).catch(() => { /* The next one may come through. */ }), PRESENCE_MS);

function formerPlace() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEPT_PLACE)) ?? {};
    sessionStorage.removeItem(KEPT_PLACE);
    return kept;
  } catch {
    return {};
  }
}

const former = formerPlace();
showLook(viewer.look);
showSaving();
setRemaining(remaining);
setUndo(undoable());
await Promise.race([outbox.flush(), new Promise((done) => setTimeout(done, 2000))]);
await lineup.start(former.window, former.query === location.search ? former.after || null : null);

// The page of a detection leads here with its key: that one comes first.
const wanted = new URLSearchParams(location.search).get("detection");
if (wanted && !(await lineup.comeBackTo(wanted).catch(() => false))) {
  say("The detection that you came for is gone, or somebody else looks at it now.", "warning");
}
