// What triage knows, apart from the page: what was answered here, what can be taken back, what others said, how many are
// left. No document, no network, no clock and no storage: whoever calls brings the time and the keys.

/**
 * @typedef {import("./line.js").Item} Item
 * @typedef {import("./line.js").Own} Own
 * @typedef {{id: string, detection: string, name: string, others?: About[], of?: "deferral" | "frame"}} Done  what can be
 *   taken back: an answer, where nothing else is said
 * @typedef {{id: string, detection: string, shown?: string, supersedes?: string | null}} About  an event about another epoch
 *
 * @typedef {object} Verdict  what a person answers with a key or a button
 * @property {boolean} isValid
 * @property {string} label
 * @property {string} title  of the label
 * @typedef {Verdict & import("./armed.js").With} Said  with what goes with it
 *
 * @typedef {object} Entry  one answer as it is sent
 * @property {string} id
 * @property {string} detection  the one that is large on screen
 * @property {string} [group]  one for all that one key says
 * @property {About[]} [others]  the other epochs that it is about
 * @property {"verdict" | "withdrawal" | "snooze" | "opinion" | "frame"} kind  "frame" is sent by itself, and never as an entry
 * @property {"deferrals"} [to]  where it is sent, if not to the answers
 * @property {boolean} [is_valid]
 * @property {string} [label]
 * @property {string} [confidence_level]
 * @property {string} [notes]
 * @property {string[]} [tags]
 * @property {string} [image_quality]
 * @property {string} [detection_quality]
 * @property {string | null} [until]
 * @property {string | null} [supersedes]
 * @property {number} [seconds_taken]
 * @property {object} [visible_context]
 * @property {boolean} [was_held]
 * @property {string} window
 * @property {string} name  of the detection, for people
 * @property {string} said  in words, for people
 *
 * @typedef {object} Reply  what the server says of an answer that it has kept
 * @property {boolean} [has_lapsed]
 * @property {boolean} [is_held]
 * @property {string[]} [others]
 * @property {string[]} [opposed]  those of them who say the opposite
 * @property {string} [feedback]  of an item whose answer was known, what only its person is told
 */

import { PARTS } from "./packed.js";

export const MOST_UNDONE = 100;
/** @param {boolean} isValid */
const word = (isValid) => (isValid ? "real" : "bogus");

export class TriageState {
  /**
   * @param {import("./line.js").Line} line
   * @param {{window: string, mostCounted: number, remaining: number, undoable: Done[]}} begin
   */
  constructor(line, begin) {
    this.line = line;
    this.window = begin.window;
    this.mostCounted = begin.mostCounted;
    this.remaining = begin.remaining;
    this.undoable = begin.undoable;
    this.answersMade = 0;
    /** @type {Item | null} */
    this.shown = null;
    /** @type {string[]} the images of it that are painted */
    this.painted = [];
  }

  /**
   * Another detection comes on screen, or its images have come; nothing of it is painted yet.
   * @param {Item | null} item
   */
  show(item) {
    const isNew = item !== this.shown;
    this.shown = item;
    this.painted = [];
    return isNew;
  }

  /**
   * These images of the detection are on screen now.
   * @param {string[]} images
   * @param {number} now
   */
  paint(images, now) {
    this.painted = images;
    if (this.shown && images.length) this.shown.seenAt ??= now;
  }

  get isPainted() { return this.painted.length === PARTS.length; }

  /** Tell whether its images are here and will be painted in a moment. */
  get isAboutToBePainted() { return !this.isPainted && Boolean(this.shown?.large.isWhole); }

  /** Put another epoch of the object on screen: the next one that has images, or a certain one. Returns whether there is. */
  turnTo(/** @type {string | null} */ id = null) {
    const item = this.shown;
    if (!item) return false;
    const views = item.times.flatMap(({ view }) => (view && (view.cutouts || view === item.large) ? [view] : []));
    const next = id === null ? views[(views.indexOf(item.large) + 1) % views.length] : views.find((view) => view.id === id);
    if (!next || next === item.large) return false;
    item.large = next;
    return true;
  }

  /**
   * Leave an epoch out of the answer, or take it in again.
   * @param {string} id
   */
  leaveOut(id) {
    const epoch = this.shown?.times.find(({ view }) => view?.id === id);
    if (epoch?.isOpen) epoch.isLeftOut = !epoch.isLeftOut;
  }

  /** Return what an answer would be about now besides the epoch on screen, and how many are left out for lack of images. */
  get covered() {
    const item = this.shown;
    if (!item) return { epochs: [], unseen: [], imageless: 0 };
    const others = item.times.filter(({ view, isOpen, isLeftOut }) => view && view !== item.large && isOpen && !isLeftOut);
    const epochs = others.filter(({ view }) => view?.cutouts);
    return { epochs, unseen: item.unseen, imageless: others.length - epochs.length };
  }

  /** Return why nothing can be answered now, and what to do; "" where it can. */
  get whyNot() {
    if (!this.shown) return "There is nothing on screen to judge.";
    if (this.isPainted) return "";
    const { large } = this.shown;
    if (large.isLost) return `Not answered: there is nothing to see. ${large.fault} Skip it.`;
    if (large.fault) return "Not answered: its images have not loaded. Load them again, or skip it.";
    return "Not so fast: the images are not on screen yet.";
  }

  /**
   * Answer about the object on screen; the caller has looked at `whyNot`. Returns what is to be sent.
   * @param {Said} said
   * @param {() => string} newKey
   * @param {number} now
   * @param {object} look  how it was drawn
   * @returns {Entry}
   */
  judge(said, newKey, now, look) {
    const item = this.shown;
    if (!item || !this.isPainted) throw new Error(this.whyNot);
    const words = `${word(said.isValid)}${said.title ? `, ${said.title}` : ""} (${said.level})`;
    const key = newKey(), { large } = item;
    const others = this.#others(newKey);
    const itself = item.times.find(({ view }) => view === large);
    const earlier = large === item ? item.answers.at(-1)?.id : itself?.events.at(-1);
    itself?.events.push(key);
    /** @type {Entry} */
    const entry = {
      id: key, detection: large.id, kind: "verdict", is_valid: said.isValid, label: said.label, confidence_level: said.level,
      notes: said.note.trim(), tags: said.tags, image_quality: said.imageQuality, detection_quality: said.detectionQuality,
      supersedes: earlier ?? null, ...(others.length ? { group: newKey(), others } : {}),
      seconds_taken: Math.round(now - (item.seenAt ?? now)) / 1000,
      visible_context: { ...item.context, ...look, images: this.painted }, was_held: item.wasHeld && !item.isAnswered,
      window: this.window, name: item.name, said: words,
    };
    if (!item.isAnswered && !item.own) this.setRemaining(this.remaining - 1);
    item.answers.push({ id: key, said: words });
    Object.assign(item, { isAnswered: true, isHeld: false, isReturning: false, note: said.note, said: "", putOff: "" });
    this.#done({ id: key, detection: large.id, name: item.name, others });
    return entry;
  }

  /**
   * Put the object on screen off in place of an answer; the caller has looked that there is one.
   * @param {{kind: "snooze" | "opinion", until?: string | null, note: string, words: string}} asked
   * @param {() => string} newKey
   * @returns {Entry}
   */
  defer(asked, newKey) {
    const item = this.shown;
    if (!item) throw new Error(this.whyNot);
    const { epochs, unseen } = this.covered;
    const keys = [...epochs.map(({ view }) => view?.id ?? ""), ...unseen];
    /** @type {Entry} */
    const entry = {
      id: newKey(), detection: item.large.id, kind: asked.kind, to: "deferrals", until: asked.until ?? null, notes: asked.note.trim(),
      others: keys.map((detection) => ({ id: newKey(), detection })), window: this.window, name: item.name, said: asked.words,
    };
    if (!item.isAnswered && !item.own) this.setRemaining(this.remaining - 1);
    Object.assign(item, { isAnswered: true, isHeld: false, isReturning: false, note: asked.note, putOff: asked.words });
    this.#done({ id: entry.id, detection: item.large.id, name: item.name, of: "deferral" });
    return entry;
  }

  /**
   * The frame of the object on screen was rejected: nothing of it waits any more.
   * @param {import("./frame-rejection.js").Rejected} rejected
   */
  rejectFrame({ group, detections, name }) {
    const item = this.shown;
    for (const id of this.line.settle(detections)) if (id !== item?.id) this.setRemaining(this.remaining - 1);
    if (item && detections.includes(item.large.id)) {
      if (!item.isAnswered) this.setRemaining(this.remaining - 1);
      Object.assign(item, { isAnswered: true, isHeld: false, said: "" });
      item.answers.push({ id: group, said: "bogus, with its whole frame" });
    }
    this.#done({ id: group, detection: item?.large.id ?? "", name, of: "frame" });
  }

  /** @param {Done} done */
  #done(done) {
    this.undoable = [...this.undoable, done].slice(-MOST_UNDONE);
    this.answersMade += 1;
  }

  /**
   * Return the events about the other epochs that an answer is about.
   * @param {() => string} newKey
   * @returns {About[]}
   */
  #others(newKey) {
    const { epochs, unseen } = this.covered;
    const seen = epochs.map(({ view, events }) => {
      const about = { id: newKey(), detection: view?.id ?? "", shown: "strip", supersedes: events.at(-1) ?? null };
      events.push(about.id);
      return about;
    });
    return [...seen, ...unseen.map((detection) => ({ id: newKey(), detection, shown: "unseen" }))];
  }

  /**
   * Tell whether a detection was answered in this window, also before it was loaded again.
   * @param {string} id
   */
  isDone(id) {
    return this.undoable.some((done) => [done, ...(done.others ?? [])].some(({ detection }) => detection === id));
  }

  /**
   * Take back the last answer by an entry of its own; null where there is none.
   * @param {() => string} newKey
   * @returns {Entry | null}
   */
  undo(newKey) {
    const done = this.undoable.at(-1);
    if (!done) return null;
    this.undoable = this.undoable.slice(0, -1);
    this.answersMade += 1;
    const item = this.line.get(done.detection);
    if (item) {
      item.answers = item.answers.filter((own) => own.id !== done.id);
      const gone = new Set([done.id, ...(done.others ?? []).map((other) => other.id)]);
      for (const epoch of item.times) epoch.events = epoch.events.filter((event) => !gone.has(event));
      Object.assign(item, { said: "", putOff: "" });
      if (!item.answers.length) {
        Object.assign(item, { isAnswered: false, isHeld: true, isReturning: true });
        this.setRemaining(this.remaining + 1);
      }
    }
    const others = (done.others ?? []).map(({ id, detection }) => ({ id: newKey(), detection, supersedes: id }));
    const to = done.of === "deferral" ? { to: /** @type {const} */ ("deferrals") } : {};
    return {
      ...to, id: newKey(), detection: done.detection, kind: done.of === "frame" ? "frame" : "withdrawal", supersedes: done.id, confidence_level: "medium",
      window: this.window, name: done.name, said: "undone", ...(others.length ? { group: newKey(), others } : {}),
    };
  }

  /**
   * The server has kept an answer; return what its person should hear of it.
   * @param {Entry} entry
   * @param {Reply} reply
   * @returns {{text: string, isOpposed: boolean} | null}
   */
  saved(entry, reply) {
    const item = this.line.get(entry.detection);
    if (entry.kind === "withdrawal") {
      if (item) Object.assign(item, { isReturning: false, isHeld: !item.isAnswered && Boolean(reply.is_held) });
      return null;
    }
    if (entry.kind !== "verdict") return null;
    const opposed = reply.opposed ?? [], others = reply.others ?? [];
    if (reply.has_lapsed) {
      const told = others.length ? `${others.join("; ")}.` : "Nobody else has answered.";
      const text = `Your lease on ${entry.name} had expired. Your answer was kept all the same. ${told}`;
      return { text, isOpposed: opposed.length > 0 };
    }
    if (reply.feedback) return { text: `${entry.name}: ${reply.feedback}`, isOpposed: false };
    if (!opposed.length) return null;
    return { text: `${entry.name}: you said ${entry.said}, but ${opposed.join("; ")}. Both answers are kept.`, isOpposed: true };
  }

  /**
   * The server has refused an answer: there is nothing to take back.
   * @param {string} id
   */
  refused(id) {
    this.undoable = this.undoable.filter((done) => done.id !== id);
  }

  /**
   * The server tells what people say of a detection now, one's own answer among it.
   * @param {Item} item
   * @param {{said: string, own: Own | null}} told
   */
  told(item, { said, own }) {
    item.said = said;
    if (own && item.answers.at(-1)?.id !== own.id) item.answers.push(own);
  }

  /**
   * Note how many are left; above the most that is counted, one less is not known to be one less.
   * @param {number} count
   */
  setRemaining(count) {
    if (this.remaining > this.mostCounted && count === this.remaining - 1) return;
    this.remaining = Math.max(count, 0);
  }

  get remainingInWords() {
    return this.remaining > this.mostCounted ? `more than ${this.mostCounted} left` : `${this.remaining} left`;
  }
}
