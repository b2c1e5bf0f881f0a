// Answers on their way: kept in the browser before they are sent, removed only when the server has them.

const RETRY_MS = [500, 1000, 2000, 4000];
// So many at once, as soon as the server is known to answer.
const AT_ONCE = 4;
const PATIENCE_MS = 20000;
// Answers of the server that say nothing of the entry itself: it stays, and is sent again.
const PASSING = new Set([401, 408, 425, 429]);
const DAMAGED = "It was damaged in this browser's storage and can be neither read nor sent. Review the detection again.";
const ANSWERS = "astrid.answer.", REFUSED = "astrid.refused.";

/**
 * @typedef {import("./triage-state.js").Entry} Entry
 * @typedef {import("./triage-state.js").Reply} Reply
 * @typedef {{answer: Entry, reason: string}} Refusal
 * @typedef {{id: string, name: string, said: string, reason: string, canRetry: boolean}} SetAside
 *
 * @typedef {object} World  what the outbox needs of a browser
 * @property {Pick<Storage, "length" | "key" | "getItem" | "setItem" | "removeItem">} storage
 * @property {{request: (name: string, callback: () => Promise<void>) => Promise<void>} | undefined} locks
 * @property {() => number} now
 *
 * @typedef {object} Listeners
 * @property {() => void} onChange
 * @property {(entry: Entry, body: Reply) => void} onSaved
 * @property {(entry: Entry, reason: string) => void} onRefused
 */

/**
 * Return how many answers a browser keeps, of whomever.
 * @param {World["storage"]} storage
 */
export function countKept(storage) {
  return Array.from({ length: storage.length }, (_, k) => storage.key(k)).filter((key) => key?.startsWith(ANSWERS)).length;
}

/**
 * Tell whether this can be sent as an answer; whether it holds together is the server's to say.
 * @param {any} value
 * @returns {value is Entry}
 */
function isEntry(value) {
  return ["id", "detection", "kind"].every((name) => typeof value?.[name] === "string" && value[name]);
}

/**
 * @param {any} value
 * @returns {value is Refusal}
 */
function isRefusal(value) {
  return isEntry(value?.answer) && typeof value.reason === "string";
}

/**
 * Values under one prefix of the browser's storage, one row each: two windows never write over each other.
 * @template T
 */
class Drawer {
  /**
   * @param {World["storage"]} storage
   * @param {string} prefix
   * @param {(value: unknown) => value is T} isGood
   */
  constructor(storage, prefix, isGood) {
    this.storage = storage;
    this.prefix = prefix;
    this.isGood = isGood;
    /** @type {Map<string, T>} Where the browser keeps nothing, they last as long as the page. */
    this.unkept = new Map();
  }

  /**
   * @param {string} name
   * @param {T} value
   */
  put(name, value) {
    try { this.storage.setItem(this.prefix + name, JSON.stringify(value)); } catch { this.unkept.set(name, value); }
  }

  /** @param {string} name */
  remove(name) {
    this.unkept.delete(name);
    try { this.storage.removeItem(this.prefix + name); } catch { /* There was none. */ }
  }

  /** Return the values by name, in the order of their names. */
  all() {
    const good = [...this.#rows()].flatMap(([name, value]) => (this.isGood(value) ? [/** @type {[string, T]} */ ([name, value])] : []));
    return new Map([...good, ...this.unkept].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** Return the names of rows that hold something else. */
  damaged() {
    return [...this.#rows()].filter(([, value]) => !this.isGood(value)).map(([name]) => name);
  }

  #rows() {
    /** @type {Map<string, unknown>} */
    const found = new Map();
    try {
      for (let k = 0; k < this.storage.length; k++) {
        const key = this.storage.key(k);
        if (key?.startsWith(this.prefix)) found.set(key.slice(this.prefix.length), parsed(this.storage.getItem(key)));
      }
    } catch { /* This browser keeps nothing. */ }
    return found;
  }
}

export class Outbox {
  /**
   * @param {string} person
   * @param {(entry: Entry, signal: AbortSignal) => Promise<Response>} send
   * @param {Listeners} listeners
   * @param {World} world
   */
  constructor(person, send, listeners, world = browser()) {
    this.waiting = new Drawer(world.storage, `${ANSWERS}${person}.`, isEntry);
    this.refused = new Drawer(world.storage, `${REFUSED}${person}.`, isRefusal);
    this.send = send;
    this.listeners = listeners;
    this.world = world;
    this.failures = 0;
    this.trouble = "";
    this.isAway = false;
    this.last = 0;
    this.isBusy = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
  }

  get entries() { return [...this.waiting.all().values()]; }
  get isKept() { return this.waiting.unkept.size === 0; }

  /** Return what is not sent any more, with the reason; what storage has damaged can only be discarded. */
  get setAside() {
    const refused = [...this.refused.all().values()].map(({ answer, reason }) => ({
      id: answer.id, name: answer.name ?? "An answer", said: answer.said ?? "", reason, canRetry: true,
    }));
    const damaged = [...this.waiting.damaged(), ...this.refused.damaged()].map((name) => ({
      id: name, name: "An answer", said: "", reason: DAMAGED, canRetry: false,
    }));
    return [...refused, ...damaged];
  }

  /**
   * Tell whether an answer about a detection, or what puts it off, waits to be sent.
   * @param {string} detection
   */
  isUnsent(detection) {
    const said = this.entries.filter((entry) => entry.kind !== "withdrawal");
    return said.some((entry) => [entry, ...(entry.others ?? [])].some((about) => about.detection === detection));
  }

  /**
   * Return what answers that wait are about: the keys of the items, as the page knows them, or else of what was on screen.
   * @param {(detection: string) => string | undefined} itemOf
   */
  itemsOf(itemOf) {
    return [...new Set(this.entries.map(({ detection }) => itemOf(detection) ?? detection))];
  }

  /**
   * Keep an answer, and send it.
   * @param {Entry} entry
   */
  add(entry) {
    this.keep(entry);
    this.flush();
  }

  /**
   * Keep an answer, to be sent with the next ones.
   * @param {Entry} entry
   */
  keep(entry) {
    // By time, and never before what waits, were the clock set back: a verdict goes before what takes it back.
    const latest = Number.parseInt([...this.waiting.all().keys()].at(-1) ?? "", 10) || 0;
    this.last = Math.max(this.world.now(), this.last + 1, latest + 1);
    this.waiting.put(`${String(this.last).padStart(16, "0")}.${entry.id}`, entry);
    this.listeners.onChange();
  }

  /** Send what waits, one after the other. Windows of one browser take turns, where it can arrange that. */
  async flush() {
    clearTimeout(this.timer);
    if (this.isBusy) return;
    this.isBusy = true;
    try {
      if (this.world.locks) await this.world.locks.request(this.waiting.prefix, () => this.#sendAll());
      else await this.#sendAll();
    } finally {
      this.isBusy = false;
    }
    if (!this.entries.length) Object.assign(this, { trouble: "", isAway: false });
    else this.timer = setTimeout(() => this.flush(), RETRY_MS[Math.min(this.failures, RETRY_MS.length) - 1] ?? 0);
    this.listeners.onChange();
  }

  /**
   * Try an entry again that was refused.
   * @param {string} id
   */
  retry(id) {
    const entry = this.discard(id);
    if (entry) this.add(entry.answer);
  }

  /**
   * Give up what was set aside; return it where it can be read.
   * @param {string} id
   */
  discard(id) {
    const entry = this.refused.all().get(id);
    this.refused.remove(id);
    if (this.waiting.damaged().includes(id)) this.waiting.remove(id);
    this.listeners.onChange();
    return entry;
  }

  async #sendAll() {
    for (let most = 1; ; most = AT_ONCE) {
      const sent = await Promise.all(this.#next(most).map(([name, entry]) => this.#sendOne(name, entry)));
      if (sent.includes(false)) this.failures += 1;
      if (!sent.length || sent.includes(false)) return;
    }
  }

  /**
   * Return the first ones that may go at once: what is said of the same detection goes one after the other.
   * @param {number} most
   */
  #next(most) {
    /** @type {Set<string>} */
    const about = new Set();
    const first = [...this.waiting.all()].slice(0, most);
    const end = first.findIndex(([, entry]) => {
      const own = [entry, ...(entry.others ?? [])].map(({ detection }) => detection);
      const isLater = own.some((detection) => about.has(detection));
      for (const detection of own) about.add(detection);
      return isLater;
    });
    return end < 0 ? first : first.slice(0, end);
  }

  /**
   * Send one entry; return whether the next may go.
   * @param {string} name
   * @param {Entry} entry
   */
  async #sendOne(name, entry) {
    let response, body;
    const control = new AbortController();
    const patience = setTimeout(() => control.abort(), PATIENCE_MS);
    try {
      response = await this.send(entry, control.signal);
      body = response.type === "opaqueredirect" ? {} : await response.json().catch(() => ({}));
    } catch {
      return this.#fail("The server cannot be reached", true);
    } finally {
      clearTimeout(patience);
    }
    // A gate of some network answers 200 in the server's place: only what names the answer is its receipt.
    if (response.ok && body.id !== entry.id) return this.#fail("Something other than the server is answering");
    if (response.ok) {
      this.failures = 0;
      this.trouble = "";
      this.isAway = false;
      this.waiting.remove(name);
      this.listeners.onSaved(entry, body);
      this.listeners.onChange();
      return true;
    }
    if (response.type === "opaqueredirect" || response.status === 401) return this.#fail("You are logged out: log in again in another tab");
    if (response.status === 409) return this.#fail(`${body.detail ?? "Somebody else is logged in."} Log in as yourself to send your answers`);
    if (response.status >= 500 || PASSING.has(response.status)) {
      return this.#fail(`The server reported an error (${response.status})`, response.status >= 500);
    }
    this.#setAside(name, entry, body.detail ?? `The server refused it (${response.status}).`);
    return true;
  }

  /**
   * @param {string} trouble
   * @param {boolean} isAway  the server cannot be reached, or is in trouble itself
   */
  #fail(trouble, isAway = false) {
    this.trouble = trouble;
    this.isAway = isAway;
    return false;
  }

  /**
   * Keep a refused entry apart with its reason; what takes it back has nothing left to take back.
   * @param {string} name
   * @param {Entry} entry
   * @param {string} reason
   */
  #setAside(name, entry, reason) {
    this.refused.put(entry.id, { answer: entry, reason });
    this.waiting.remove(name);
    for (const [other, later] of this.waiting.all()) if (later.supersedes === entry.id) this.#drop(other, later, entry);
    this.listeners.onRefused(entry, reason);
    this.listeners.onChange();
  }

  /**
   * @param {string} name
   * @param {Entry} later
   * @param {Entry} entry
   */
  #drop(name, later, entry) {
    if (later.kind === "withdrawal") this.waiting.remove(name);
    else this.waiting.put(name, { ...later, supersedes: entry.supersedes });
  }
}

/** @param {string | null} text */
function parsed(text) {
  try { return JSON.parse(text ?? ""); } catch { return undefined; }
}

/** @returns {World} */
function browser() {
  return { storage: storageOfBrowser(), locks: navigator.locks, now: Date.now };
}

/** Return the browser's storage; where it forbids even to look at it, one that keeps nothing. */
function storageOfBrowser() {
  try { return localStorage; } catch {
    const never = () => { throw new Error("This browser keeps nothing."); };
    return { length: 0, key: () => null, getItem: () => null, setItem: never, removeItem: () => {} };
  }
}
