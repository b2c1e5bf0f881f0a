// Answers on their way: kept in the browser before they are sent, removed only when the server has them.

const RETRY_MS = [500, 1000, 2000, 4000, 8000, 15000];
const PATIENCE_MS = 20000;
// Answers of the server that say nothing of the entry itself: it stays, and is sent again.
const PASSING = new Set([401, 408, 425, 429]);

/** A key that nobody else makes; pages without HTTPS have no crypto.randomUUID. */
export function newKey() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** Entries under one prefix of the browser's storage, one row each: two windows never write over each other. */
class Drawer {
  constructor(prefix) {
    this.prefix = prefix;
    this.unkept = new Map(); // Where the browser keeps nothing, they last as long as the page.
  }

  put(name, value) {
    try { localStorage.setItem(this.prefix + name, JSON.stringify(value)); } catch { this.unkept.set(name, value); }
  }

  remove(name) {
    this.unkept.delete(name);
    try { localStorage.removeItem(this.prefix + name); } catch { /* There was none. */ }
  }

  /** Return the entries by name, in the order of their names. */
  all() {
    const found = new Map(this.unkept);
    try {
      for (let k = 0; k < localStorage.length; k++) {
        const key = localStorage.key(k);
        if (!key.startsWith(this.prefix)) continue;
        try { found.set(key.slice(this.prefix.length), JSON.parse(localStorage.getItem(key))); } catch { /* Not ours. */ }
      }
    } catch { /* This browser keeps nothing. */ }
    return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}

export class Outbox {
  /**
   * `send(entry, signal)` returns a Response. Listeners: `onChange()`, `onSaved(entry, body)`, `onRefused(entry, reason)`.
   */
  constructor(person, send, listeners) {
    this.waiting = new Drawer(`astrid.answer.${person}.`);
    this.refused = new Drawer(`astrid.refused.${person}.`);
    this.send = send;
    this.listeners = listeners;
    this.failures = 0;
    this.trouble = "";
    this.last = 0;
    addEventListener("online", () => this.flush());
    addEventListener("storage", (event) => { if (event.key?.startsWith("astrid.")) this.listeners.onChange(); });
  }

  get entries() { return [...this.waiting.all().values()]; }
  get setAside() { return [...this.refused.all().values()]; }
  get isKept() { return this.waiting.unkept.size === 0; }

  /** Keep an answer, then send it. */
  add(entry) {
    // By time, and two of one moment in their order: a verdict goes before what takes it back.
    this.last = Math.max(Date.now(), this.last + 1);
    this.waiting.put(`${String(this.last).padStart(16, "0")}.${entry.id}`, entry);
    this.listeners.onChange();
    this.flush();
  }

  /** Send what waits, one after the other. Windows of one browser take turns, where it can arrange that. */
  async flush() {
    clearTimeout(this.timer);
    if (this.isBusy) return;
    this.isBusy = true;
    try {
      if (navigator.locks) await navigator.locks.request(this.waiting.prefix, () => this.#sendAll());
      else await this.#sendAll();
    } finally {
      this.isBusy = false;
    }
    if (!this.entries.length) this.trouble = "";
    else this.timer = setTimeout(() => this.flush(), RETRY_MS[Math.min(this.failures, RETRY_MS.length) - 1] ?? 0);
    this.listeners.onChange();
  }

  /** Try an entry again that was refused. */
  retry(id) {
    const entry = this.discard(id);
    if (entry) this.add(entry.answer);
  }

  /** Give up an entry that was refused; return it. */
  discard(id) {
    const entry = this.refused.all().get(id);
    this.refused.remove(id);
    this.listeners.onChange();
    return entry;
  }

  async #sendAll() {
    for (let first; (first = [...this.waiting.all()][0]); ) {
      if (!(await this.#sendOne(...first))) return;
    }
  }

  /** Send one entry; return whether the next may go. */
  async #sendOne(name, entry) {
    let response, body;
    const control = new AbortController();
    const patience = setTimeout(() => control.abort(), PATIENCE_MS);
    try {
      response = await this.send(entry, control.signal);
      body = response.type === "opaqueredirect" ? {} : await response.json().catch(() => ({}));
    } catch {
      return this.#fail("The server cannot be reached");
    } finally {
      clearTimeout(patience);
    }
    if (response.ok) {
      this.failures = 0;
      this.trouble = "";
      this.waiting.remove(name);
      this.listeners.onSaved(entry, body);
      this.listeners.onChange();
      return true;
    }
    if (response.type === "opaqueredirect" || response.status === 401) return this.#fail("You are logged out: log in in another tab");
    if (response.status === 409) return this.#fail(`${body.detail ?? "Somebody else is logged in."} Log in as yourself to send them`);
    if (response.status >= 500 || PASSING.has(response.status)) return this.#fail(`The server is in trouble (${response.status})`);
    this.#setAside(name, entry, body.detail ?? `The server refused it (${response.status}).`);
    return true;
  }

  #fail(trouble) {
    this.failures += 1;
    this.trouble = trouble;
    return false;
  }

  /** Keep a refused entry apart with its reason; what takes it back has nothing left to take back. */
  #setAside(name, entry, reason) {
    this.refused.put(entry.id, { answer: entry, reason });
    this.waiting.remove(name);
    for (const [other, later] of this.waiting.all()) if (later.supersedes === entry.id) this.#drop(other, later, entry);
    this.listeners.onRefused(entry, reason);
    this.listeners.onChange();
  }

  #drop(name, later, entry) {
    if (later.kind === "withdrawal") this.waiting.remove(name);
    else this.waiting.put(name, { ...later, supersedes: entry.supersedes });
  }
}
