// Which key is meant on which layout, and when two presses are one.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Presses, keyOf } from "../../static/js/keys.js";

const OURS = new Set([..."vx123456789qwerjkuldnbsim[]+-0c?"]);
/** @param {object} press */
const meant = (press) => keyOf({ key: "", ...press }, (key) => OURS.has(key));
/** @param {...string} names */
const holding = (...names) => ({ getModifierState: (/** @type {string} */ name) => names.includes(name) });

test("a letter of the layout goes by what it says, wherever it lies", () => {
  assert.equal(meant({ key: "v", code: "KeyV" }), "v");
  assert.equal(meant({ key: "q", code: "KeyA" }), "q", "AZERTY");
  assert.equal(meant({ key: "V", code: "KeyV", shiftKey: true }), "v");
  assert.equal(meant({ key: "z", code: "KeyX" }), "z", "a letter that is no key of ours stands for no other");
});

test("where the layout has no such letter a key goes by its place", () => {
  assert.equal(meant({ key: "м", code: "KeyV" }), "v");
  assert.equal(meant({ key: "Ч", code: "KeyX", shiftKey: true }), "x");
  assert.equal(meant({ key: "х", code: "BracketLeft" }), "[");
  assert.equal(meant({ key: "Dead", code: "BracketLeft" }), "[", "an accent that waits");
  assert.equal(meant({ key: "Process", code: "KeyV" }), "v", "a keyboard that composes");
});

test("a key that somebody has chosen goes before the digit on which it lies", () => {
  const chosen = new Set([...OURS, "é", "&"]);
  const own = (/** @type {object} */ press) => keyOf({ key: "", ...press }, (key) => chosen.has(key));
  assert.equal(own({ key: "é", code: "Digit2" }), "é");
  assert.equal(own({ key: "&", code: "Digit1" }), "&");
  assert.equal(own({ key: "2", code: "Digit2", shiftKey: true }), "2", "the digit is on the same key");
  assert.equal(own({ key: "è", code: "Digit7" }), "7", "not chosen");
});

test("the row of digits goes by its place, with shift and without", () => {
  for (const [digit, written] of [..."&é\"'(-è_ç"].entries()) assert.equal(meant({ key: written, code: `Digit${digit + 1}` }), String(digit + 1));
  assert.equal(meant({ key: "6", code: "Digit6", shiftKey: true }), "6");
  assert.equal(meant({ key: "!", code: "Digit1", shiftKey: true }), "", "on a US keyboard shift and 1 is no 1");
  assert.equal(meant({ key: "=", code: "Digit0", shiftKey: true }), "+", "on a German one shift and 0 is =");
});

test("signs may need AltGr, and with it nothing else is meant", () => {
  assert.equal(meant({ key: "[", code: "Digit5", ctrlKey: true, altKey: true, ...holding("AltGraph") }), "[");
  assert.equal(meant({ key: "]", code: "Digit9", ...holding("AltGraph") }), "]");
  assert.equal(meant({ key: "[", code: "Digit5", altKey: true }), "[", "the option key of a Mac");
  assert.equal(meant({ key: "√", code: "KeyV", altKey: true }), "");
  assert.equal(meant({ key: "v", code: "KeyV", ...holding("AltGraph") }), "");
});

test("shortcuts of the browser are left to it", () => {
  assert.equal(meant({ key: "v", code: "KeyV", ctrlKey: true }), "");
  assert.equal(meant({ key: "м", code: "KeyV", metaKey: true }), "");
  assert.equal(meant({ key: "v", code: "KeyV", altKey: true }), "");
  assert.equal(meant({ key: "1", code: "Digit1", ctrlKey: true }), "");
});

test("keys that write nothing and have no meaning here have none by their place", () => {
  for (const key of ["Enter", "Tab", "Escape", "F5", "Shift", "Backspace"]) assert.equal(meant({ key, code: key }), "");
  assert.equal(meant({ key: "ArrowRight", code: "ArrowRight" }), "j");
  assert.equal(meant({ key: ";", code: "Semicolon" }), "");
  assert.equal(meant({ key: "{", code: "BracketLeft", shiftKey: true }), "");
});

test("a key that bounces before the next detection is painted counts once", () => {
  const presses = new Presses();
  assert.equal(presses.isTwice("v", 1000, true), false);
  presses.done(1001);
  assert.equal(presses.isTwice("v", 1020, false), true);
  assert.equal(presses.isTwice("x", 1020, false), true, "whichever key it seems to be");
});

test("the same key let go and pressed again sooner than a finger can mean it counts once", () => {
  const presses = new Presses();
  presses.isTwice("v", 1000, true);
  presses.done(1002);
  presses.release("v", 1080);
  assert.equal(presses.isTwice("v", 1120, true), true);
  assert.equal(presses.isTwice("v", 1200, true), false, "a moment later it is another answer");
});

test("another key is another answer, and what lets go at once is a program", () => {
  const presses = new Presses();
  presses.isTwice("2", 1000, true);
  presses.done(1001);
  presses.release("2", 1061);
  assert.equal(presses.isTwice("4", 1062, true), false);
  presses.done(1063);
  presses.release("4", 1064);
  assert.equal(presses.isTwice("4", 1100, true), false);
});
