// The detections of a window, in order.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";

import { Line, isOpen } from "../../static/js/line.js";
import { epochOf, given } from "./items.js";

/** @param {string} keys */
function lineOf(keys, unsent = "") {
  const line = new Line((id) => unsent.includes(id));
  for (const id of keys) line.add(given(id), false);
  line.goTo(0);
  return line;
}

/** @param {Line} line */
const order = (line) => line.items.map((item) => item.id).join("");

test("after an answer comes the next open one, at the end what was passed over, then nothing", () => {
  const line = lineOf("abc");
  line.goTo(2);
  line.items[2].isAnswered = true;
  assert.equal(line.next(), 0);
  line.items[0].isHeld = false;
  assert.equal(line.next(), 1);
  line.items[1].isAnswered = true;
  assert.equal(line.next(), -1);
  line.goTo(-1);
  assert.equal(line.current, null);
});

test("what is asked for by itself comes before the current one, and a second copy replaces the first", () => {
  const line = lineOf("abc");
  line.goTo(1);
  line.add(given("z"), true);
  assert.equal(order(line), "azbc");
  assert.equal(line.current?.id, "b");
  line.items[1].isAnswered = true;
  assert.notEqual(line.add(given("z"), true), null);
  assert.equal(order(line), "azbc");
  assert.equal(line.last, "c", "the queue goes on where it was");
});

test("what waits to be sent is not put in line again", () => {
  assert.equal(order(lineOf("abc", "b")), "ac");
});

test("what somebody else has leaves the line, but for what is on screen or answered", () => {
  const line = lineOf("abc");
  line.items[1].isAnswered = true;
  for (const id of "abcx") line.lose(id);
  assert.equal(order(line), "ab");
  assert.equal(line.items[0].isHeld, false);
});

test("of what lies ahead the last ones are given back, and the queue goes on where they were", () => {
  const line = lineOf("abcdef");
  line.goTo(1);
  assert.deepEqual(line.giveBack(2), ["e", "f"]);
  assert.equal(order(line), "abcd");
  assert.equal(line.last, "d");
  assert.deepEqual(line.giveBack(2), []);
  assert.deepEqual(line.giveBack(0), ["c", "d"]);
  assert.equal(line.last, "b");
});

test("what was passed over long ago is let go once", () => {
  const line = lineOf("abcdef");
  line.goTo(5);
  assert.deepEqual(line.letGo(), ["a", "b"]);
  assert.deepEqual(line.letGo(), []);
});

test("whatever comes and goes, each detection stands there once and the one on screen stays", () => {
  const id = fc.constantFrom(..."abcdefgh");
  const step = fc.oneof(
    fc.record({ do: fc.constant("add"), id, isAskedFor: fc.boolean() }),
    fc.record({ do: fc.constant("lose"), id }),
    fc.record({ do: fc.constant("answer"), id }),
    fc.record({ do: fc.constant("go"), to: fc.integer({ min: -1, max: 8 }) }),
  );
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const line = lineOf("ab");
    for (const one of steps) {
      const before = line.current?.id;
      if ("to" in one) line.goTo(Math.min(one.to, line.items.length - 1));
      else if ("isAskedFor" in one) line.add(given(one.id), one.isAskedFor);
      else if (one.do === "lose") line.lose(one.id);
      else Object.assign(line.get(one.id) ?? {}, { isAnswered: true, isHeld: false });
      assert.equal(new Set(order(line)).size, line.items.length);
      if (!("to" in one) && before !== undefined) assert.equal(line.current?.id, before);
      const next = line.items[line.next()];
      assert.ok(next === undefined || isOpen(next));
    }
  }), { seed: 20240301 });
});

test("an item is known by the detection that leads it, and found by each of its epochs", () => {
  const line = new Line(() => false);
  const epochs = [epochOf("a"), epochOf("b")];
  assert.ok(line.add(given("a", { epochs }), false));
  assert.ok(line.add(given("b", { epochs }), false), "single detections of one object are items each");
  assert.deepEqual([line.find("b"), line.findWith("b")], [1, 1]);
  line.remove(1);
  assert.deepEqual([line.find("b"), line.findWith("b")], [-1, 0]);
});
