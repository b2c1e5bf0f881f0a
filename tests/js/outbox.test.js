// Answers are never lost and never doubled, whatever the network, the server, the clock and the storage do.

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import fc from "fast-check";

import { Outbox, countKept } from "../../static/js/outbox.js";

const PREFIX = "astrid.answer.me.";

/** Storage as browsers have it, in which anybody may write. */
class Rows {
  constructor() {
    /** @type {Map<string, string>} */
    this.rows = new Map();
    this.isFull = false;
  }

  get length() { return this.rows.size; }
  /** @param {number} k */
  key(k) { return [...this.rows.keys()][k] ?? null; }
  /** @param {string} key */
  getItem(key) { return this.rows.get(key) ?? null; }
  /** @param {string} key */
  removeItem(key) { this.rows.delete(key); }
  /**
   * @param {string} key
   * @param {string} value
   */
  setItem(key, value) {
    if (this.isFull) throw new Error("QuotaExceededError");
    this.rows.set(key, value);
  }
}

/** @typedef {"up" | "down" | "receipt lost" | "in trouble" | "refuses" | "logged out" | "a gate"} Weather */
/** @type {Weather[]} */
const WEATHERS = ["up", "down", "receipt lost", "in trouble", "refuses", "logged out", "a gate"];

class Server {
  constructor() {
    /** @type {Weather} */
    this.weather = "up";
    /** @type {Map<string, import("../../static/js/triage-state.js").Entry>} in the order in which they came first */
    this.taken = new Map();
  }

  /** @param {import("../../static/js/triage-state.js").Entry} entry */
  async receive(entry) {
    const { weather } = this;
    if (weather === "down") throw new TypeError("Failed to fetch");
    if (weather === "in trouble") return new Response("", { status: 503 });
    if (weather === "logged out") return new Response("", { status: 401 });
    if (weather === "a gate") return new Response("<html>Welcome to the hotel</html>");
    const known = this.taken.has(entry.id);
    const isLost = entry.kind === "withdrawal" && !this.taken.has(entry.supersedes ?? "");
    if ((weather === "refuses" || isLost) && !known) return Response.json({ detail: "Not this." }, { status: 422 });
    this.taken.set(entry.id, this.taken.get(entry.id) ?? entry);
    if (weather === "receipt lost") throw new TypeError("Failed to fetch");
    return Response.json({ id: entry.id, others: [], opposed: [] }, { status: known ? 200 : 201 });
  }
}

/**
 * @param {string} id
 * @returns {import("../../static/js/triage-state.js").Entry}
 */
function entry(id, more = {}) {
  return { id, detection: `of ${id}`, kind: "verdict", confidence_level: "medium", supersedes: null, window: "w", name: "A", said: "real", ...more };
}

/** @param {{storage: Rows, server: Server, now: () => number}} world */
function outboxOf({ storage, server, now }) {
  const listeners = { onChange: () => {}, onSaved: () => {}, onRefused: () => {} };
  return new Outbox("me", (one) => server.receive(one), listeners, { storage, locks: undefined, now });
}

/** @param {Outbox} outbox */
async function settled(outbox) {
  do await new Promise((done) => setImmediate(done)); while (outbox.isBusy);
}

// Tries are made by the test, not by the clock.
beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
});

const COMMANDS = fc.array(fc.oneof(
  { weight: 4, arbitrary: fc.constant({ do: "judge" }) },
  { weight: 2, arbitrary: fc.constant({ do: "take back" }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("weather"), weather: fc.constantFrom(...WEATHERS) }) },
  fc.constant({ do: "send" }),
  fc.constant({ do: "load again" }),
  fc.record({ do: fc.constant("clock"), now: fc.integer({ min: 0, max: 2_000_000_000_000 }) }),
  fc.record({ do: fc.constant("damage"), text: fc.oneof(fc.json(), fc.string()), name: fc.string({ minLength: 1 }) }),
), { maxLength: 40 });

test("each answer reaches the server once and in order, or is set aside with its reason", async () => {
  await fc.assert(fc.asyncProperty(COMMANDS, async (commands) => {
    const world = { storage: new Rows(), server: new Server(), clock: 1000, now: () => world.clock };
    let outbox = outboxOf(world);
    /** @type {import("../../static/js/triage-state.js").Entry[]} */
    const made = [];
    for (const command of commands) {
      if ("weather" in command) world.server.weather = command.weather;
      else if ("now" in command) world.clock = command.now;
      else if ("text" in command) world.storage.setItem(PREFIX + command.name, command.text);
      else if (command.do === "judge") outbox.add(made[made.push(entry(`e${made.length}`)) - 1]);
      else if (command.do === "load again") outbox = outboxOf(world);
      else if (command.do === "take back") {
        const taken = new Set(made.map((one) => one.supersedes));
        const last = made.findLast((one) => one.kind === "verdict" && !taken.has(one.id));
        if (last) outbox.add(made[made.push(entry(`e${made.length}`, { kind: "withdrawal", supersedes: last.id, detection: last.detection })) - 1]);
      } else outbox.flush();
      await settled(outbox);
    }
    world.server.weather = "up";
    outbox.flush();
    await settled(outbox);

    assert.deepEqual(outbox.entries, []);
    const refused = new Set(outbox.setAside.filter((one) => one.canRetry).map((one) => one.id));
    for (const one of made) {
      const isDropped = one.kind === "withdrawal" && refused.has(one.supersedes ?? "");
      assert.ok(world.server.taken.has(one.id) || refused.has(one.id) || isDropped, `${one.id} is lost`);
    }
    const order = made.map((one) => one.id).filter((id) => world.server.taken.has(id));
    assert.deepEqual([...world.server.taken.keys()], order);
    assert.ok(outbox.setAside.every((one) => one.reason));
  }), { seed: 20240301, numRuns: 300 });
});

for (const text of ["null", "", "{", "17", "[]", '"text"', "{}", '{"id": null}', '{"id": "1", "detection": "2"}']) {
  test(`a row that holds ${text || "nothing"} is set aside in words, and holds up nothing`, async () => {
    const storage = new Rows(), server = new Server();
    storage.setItem(`${PREFIX}0000000000000001.x`, text);
    storage.setItem("astrid.refused.me.y", text);
    const outbox = outboxOf({ storage, server, now: () => 5 });
    outbox.add(entry("after"));
    await settled(outbox);
    assert.deepEqual([...server.taken.keys()], ["after"]);
    assert.equal(outbox.setAside.length, 2);
    for (const one of outbox.setAside) {
      assert.match(one.reason, /damaged in this browser's storage/);
      assert.equal(one.canRetry, false);
      outbox.discard(one.id);
    }
    assert.equal(storage.length, 0);
  });
}

test("what another person left in this browser is neither sent nor touched", async () => {
  const storage = new Rows(), server = new Server();
  storage.setItem("astrid.answer.you.1", JSON.stringify(entry("yours")));
  const outbox = outboxOf({ storage, server, now: () => 5 });
  outbox.flush();
  await settled(outbox);
  assert.equal(server.taken.size, 0);
  assert.equal(countKept(/** @type {any} */ (storage)), 1);
});

test("a full storage keeps answers as long as the page, and says so", async () => {
  const storage = new Rows(), server = new Server();
  storage.isFull = true;
  server.weather = "down";
  const outbox = outboxOf({ storage, server, now: () => 5 });
  outbox.add(entry("e0"));
  await settled(outbox);
  assert.equal(outbox.isKept, false);
  assert.equal(outbox.entries.length, 1);
  server.weather = "up";
  outbox.flush();
  await settled(outbox);
  assert.ok(server.taken.has("e0"));
});

test("a refused answer that is tried again is sent again", async () => {
  const storage = new Rows(), server = new Server();
  server.weather = "refuses";
  const outbox = outboxOf({ storage, server, now: () => 5 });
  outbox.add(entry("e0"));
  await settled(outbox);
  assert.equal(outbox.setAside[0].reason, "Not this.");
  server.weather = "up";
  outbox.retry("e0");
  await settled(outbox);
  assert.ok(server.taken.has("e0"));
  assert.deepEqual(outbox.setAside, []);
});

test("a gate that answers in the server's place takes no answer", async () => {
  const storage = new Rows(), server = new Server();
  server.weather = "a gate";
  const outbox = outboxOf({ storage, server, now: () => 5 });
  outbox.add(entry("e0"));
  await settled(outbox);
  assert.equal(outbox.entries.length, 1);
  assert.match(outbox.trouble, /other than the server is answering/);
});

test("it tries again by itself, later each time", async () => {
  const storage = new Rows(), server = new Server();
  server.weather = "down";
  const outbox = outboxOf({ storage, server, now: () => 5 });
  outbox.add(entry("e0"));
  await settled(outbox);
  mock.timers.tick(499);
  await settled(outbox);
  assert.equal(outbox.failures, 1);
  mock.timers.tick(1);
  await settled(outbox);
  assert.equal(outbox.failures, 2);
  server.weather = "up";
  mock.timers.tick(1000);
  await settled(outbox);
  assert.ok(server.taken.has("e0"));
});

test("with a refused answer goes what takes it back, and a change of mind stands on what was before", async () => {
  const storage = new Rows(), server = new Server();
  const outbox = outboxOf({ storage, server, now: () => 5 });
  server.weather = "down";
  outbox.add(entry("e1", { supersedes: "e0" }));
  await settled(outbox);
  outbox.add(entry("e2", { kind: "withdrawal", supersedes: "e1" }));
  outbox.add(entry("e3", { supersedes: "e1" }));
  await settled(outbox);
  const receive = server.receive.bind(server);
  server.weather = "up";
  server.receive = async (one) => (one.id === "e1" ? Response.json({ detail: "Not this." }, { status: 422 }) : receive(one));
  outbox.flush();
  await settled(outbox);
  assert.deepEqual([...server.taken.keys()], ["e3"]);
  assert.equal(server.taken.get("e3")?.supersedes, "e0");
  assert.deepEqual(outbox.setAside.map((one) => one.id), ["e1"]);
});

test("once the server answers several go at once, but never two about the same detection", async () => {
  const storage = new Rows(), server = new Server();
  const outbox = outboxOf({ storage, server, now: () => 5 });
  server.weather = "down";
  for (const id of ["e1", "e2", "e3"]) outbox.add(entry(id));
  outbox.add(entry("e4", { kind: "withdrawal", supersedes: "e3", detection: "of e3" }));
  outbox.add(entry("e5", { others: [{ id: "e6", detection: "of e1" }] }));
  await settled(outbox);
  server.weather = "up";
  /** @type {string[][]} */
  const waves = [];
  let underWay = 0;
  const receive = server.receive.bind(server);
  server.receive = async (one) => {
    if (!underWay) waves.push([]);
    underWay += 1;
    waves.at(-1)?.push(one.id);
    await new Promise((done) => setImmediate(done));
    underWay -= 1;
    return receive(one);
  };
  outbox.flush();
  await settled(outbox);
  assert.deepEqual(waves, [["e1"], ["e2", "e3"], ["e4", "e5"]]);
});

test("a page that is left keeps what its unsent answers are about, one key for each item", async () => {
  const outbox = outboxOf({ storage: new Rows(), server: new Server(), now: () => 5 });
  outbox.send = async () => { throw new TypeError("Failed to fetch"); };
  const others = Array.from({ length: 150 }, (_, k) => ({ id: `o${k}`, detection: `d${k}` }));
  outbox.add(entry("e1", { detection: "turned to", others }));
  outbox.add(entry("e2"));
  assert.deepEqual(outbox.itemsOf((id) => (id === "turned to" ? "first" : undefined)), ["first", "of e2"]);
});
