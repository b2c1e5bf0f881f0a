// Which key is meant, on any layout of a keyboard, and whether a press came as two.

// A switch closes several times before it rests: makers state 5 to 20 ms, and a worn one takes a little longer.
const BOUNCE_MS = 30;
// One finger taps at most six or seven times a second: the same key again sooner than that was not meant.
const TWICE_MS = 160;
// People hold a key for about a tenth of a second; what lets go sooner than this is a program, which means what it sends.
const HELD_MS = 45;

/** @type {Record<string, string>} */
const SAME_KEY = { ArrowRight: "j", ArrowDown: "j", ArrowLeft: "k", ArrowUp: "k", "=": "+", "−": "-" };
/** @type {Record<string, string>} */
const SIGN_AT = { BracketLeft: "[", BracketRight: "]", Minus: "-", Equal: "+" };
// Keys that write nothing by themselves: accents that wait for a letter, and keyboards that compose.
const SILENT = new Set(["Dead", "Process", "Unidentified"]);

/**
 * @typedef {object} Press  what is needed of a KeyboardEvent
 * @property {string} key
 * @property {string} [code]
 * @property {boolean} [shiftKey]
 * @property {boolean} [ctrlKey]
 * @property {boolean} [altKey]
 * @property {boolean} [metaKey]
 * @property {(name: string) => boolean} [getModifierState]
 */

/**
 * Return the key that is meant, "" for none: what it writes, or where the layout has no such letter, where it lies.
 * The row of digits goes by position: on some layouts it writes them with shift only; what a person has chosen that is
 * written there comes first. Signs may come with AltGr.
 * @param {Press} press
 * @param {(key: string) => boolean} isOurs
 * @returns {string}
 */
export function keyOf(press, isOurs) {
  const { key, code = "", shiftKey = false } = press;
  const isThirdLevel = press.getModifierState?.("AltGraph") || (press.altKey && !press.ctrlKey);
  if (press.metaKey) return "";
  if (isThirdLevel) return isOurs(key) && !/[\p{L}\d]/u.test(key) ? key : "";
  if (press.ctrlKey || press.altKey) return "";
  const digit = /^Digit(\d)$/.exec(code)?.[1];
  const written = SAME_KEY[key] ?? (key.length === 1 ? key.toLowerCase() : "");
  // Of the usual keys some layouts write "-" and "+" in this row; whatever else is ours there a person has chosen.
  const isChosen = isOurs(written) && !/[\d+-]/.test(written);
  if (digit && !isChosen && (!shiftKey || key === digit)) return digit;
  if (isOurs(written) || /^[a-z]$/.test(written)) return written;
  const isSilent = SILENT.has(key);
  if (isSilent || /^\p{L}$/u.test(written)) {
    const letter = /^Key([A-Z])$/.exec(code)?.[1];
    if (letter) return letter.toLowerCase();
  }
  return (isSilent || written) && !shiftKey ? (SIGN_AT[code] ?? "") : "";
}

/** Presses of keys that judge, so that one press that came as two counts once. All times in ms of one clock. */
export class Presses {
  constructor() {
    this.key = "";
    this.down = -Infinity;
    this.handled = -Infinity;
    /** @type {number | null} */
    this.up = null;
  }

  /**
   * Take note of a press; return whether it belongs to the one before: a key that bounces, or a finger that let go and
   * pressed again sooner than anybody looks.
   * @param {string} key
   * @param {number} time
   * @param {boolean} isPainted  the next detection is on screen already
   */
  isTwice(key, time, isPainted) {
    const heldFor = (this.up ?? time) - this.handled;
    if (!isPainted && time - this.handled < BOUNCE_MS) return true;
    if (key === this.key && time - this.down < TWICE_MS && heldFor >= HELD_MS) return true;
    Object.assign(this, { key, down: time, handled: time, up: null });
    return false;
  }

  /**
   * The press has done what it does.
   * @param {number} time
   */
  done(time) {
    this.handled = time;
  }

  /**
   * @param {string} key
   * @param {number} time
   */
  release(key, time) {
    if (key === this.key) this.up ??= time;
  }
}
