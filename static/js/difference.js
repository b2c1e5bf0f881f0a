// One subtraction: four images in one place that are moved and enlarged together, and what is known over them.

import { at, origin, part } from "./dom.js";
import { STRETCHES } from "./greys.js";
import { keyOf } from "./keys.js";
import { Known } from "./known.js";
import { after, contrasted, keepLook } from "./looks.js";
import { Mosaic } from "./mosaic.js";
import { compile } from "./tan.js";

const MOST_ZOOM = 24; // screen dots per pixel
const STEP = 1.5;
const PAN_PX = 80;
// A press that moves less than this is a click.
const STILL_PX = 4;

/** @typedef {{x: number, y: number}} Place */

const viewer = at("viewer");
const field = part(".field", HTMLElement, viewer);
const marks = part(".marks", SVGSVGElement, viewer);
const about = part("[data-about]", HTMLElement, viewer);
const kinds = [...viewer.querySelectorAll("button")].flatMap((button) => button.dataset.kind ?? []);
const rings = [...marks.querySelectorAll("*")].filter((one) => one instanceof SVGAElement);
const [width, height] = [Number(viewer.dataset.width), Number(viewer.dataset.height)];
const numbers = document.getElementById("wcs");
const told = viewer.dataset;
const pyramid = { width: Number(told.columns), height: Number(told.rows), top: Number(told.top) };
const addresses = { tiles: told.tiles ?? "", sample: told.sample ?? "", version: told.version ?? "" };
const mosaic = new Mosaic(part("canvas", HTMLCanvasElement, field), pyramid, addresses, hear);
const known = new Known(part(".known", SVGSVGElement, field), told.known ?? "", height, (words) => { about.textContent = words; });
const position = numbers ? compile(JSON.parse(numbers.textContent ?? "")) : null;

let chosen = "science";
let isBlinked = false;
let isDrawing = false;
/** @type {MouseEvent | null} */
let pointer = null;
// Screen px per pixel, and the pixel in the middle, y downwards; scale 0: as large as fits.
let view = { scale: 0, x: width / 2, y: height / 2 };

function size() {
  return { across: field.clientWidth, down: field.clientHeight };
}

function fitting() {
  const { across, down } = size();
  return Math.min(across / width, down / height);
}

function scaleNow() {
  return view.scale || fitting();
}

/**
 * Zoom about a place of the screen, which keeps its pixel; 0 is the whole image.
 * @param {number} scale
 * @param {Place} fixed
 */
function zoomTo(scale, fixed = { x: size().across / 2, y: size().down / 2 }) {
  const { across, down } = size();
  const before = pixelAt(fixed);
  const next = Math.min(Math.max(scale, fitting()), Math.max(MOST_ZOOM, fitting()));
  if (next <= fitting() * 1.001) view = { scale: 0, x: width / 2, y: height / 2 };
  else view = { scale: next, x: before.x - (fixed.x - across / 2) / next, y: before.y - (fixed.y - down / 2) / next };
  draw();
}

/**
 * @param {number} steps
 * @param {Place} [fixed]
 */
function zoomBy(steps, fixed) {
  zoomTo(scaleNow() * STEP ** steps, fixed);
}

/**
 * @param {number} across
 * @param {number} down
 */
function moveBy(across, down) {
  if (!view.scale) return;
  view = { ...view, x: view.x - across / view.scale, y: view.y - down / view.scale };
  draw();
}

/**
 * Return the place in the image, y downwards from its upper edge, under a place of the screen.
 * @param {Place} place
 */
function pixelAt({ x, y }) {
  const { across, down } = size();
  return { x: view.x + (x - across / 2) / scaleNow(), y: view.y + (y - down / 2) / scaleNow() };
}

function draw() {
  const { across, down } = size();
  // Until it is laid out there is nothing to draw on.
  if (!across || !down) return;
  const scale = scaleNow();
  view.x = Math.min(Math.max(view.x, 0), width);
  view.y = Math.min(Math.max(view.y, 0), height);
  mosaic.draw(kindNow(), { x: view.x, y: height - view.y, scale });
  const box = `${view.x - across / 2 / scale} ${view.y - down / 2 / scale} ${across / scale} ${down / scale}`;
  marks.setAttribute("viewBox", box);
  // Marks keep their size on the screen until the source itself is larger.
  const grown = Math.max(1, scale / 2);
  for (const ring of rings) ring.setAttribute("transform", `translate(${ring.dataset.x} ${ring.dataset.y}) scale(${grown / scale})`);
  known.draw(box, grown / scale);
  field.classList.toggle("zoomed", view.scale > 0);
  part("[data-zoom]", HTMLElement, viewer).textContent = view.scale ? `${Number(scale.toPrecision(2))}×` : "fit";
}

/** @param {string} kind */
function choose(kind) {
  chosen = kind;
  for (const button of viewer.querySelectorAll("button")) {
    if (button.dataset.kind) button.setAttribute("aria-pressed", String(button.dataset.kind === kind));
  }
  show();
}

/**
 * Show the other one of science and reference for as long as it is asked for.
 * @param {boolean} isOn
 */
function blink(isOn) {
  if (isBlinked === isOn) return;
  isBlinked = isOn;
  show();
}

function kindNow() {
  if (!isBlinked) return chosen;
  return chosen === "reference" ? "science" : "reference";
}

function show() {
  part("[data-shown]", HTMLElement, viewer).textContent = kindNow();
  draw();
  tellValue();
}

/**
 * Draw what came, once for all that comes before the screen is drawn anew.
 * @param {string} kind
 * @param {unknown} fault
 */
function hear(kind, fault) {
  if (fault) about.textContent = `The ${kind} image cannot be read: reprocess the frame to have it again.`;
  if (isDrawing) return;
  isDrawing = true;
  requestAnimationFrame(() => {
    isDrawing = false;
    draw();
    tellValue();
  });
}

/** @param {Partial<import("./looks.js").Look>} change */
function setLook(change) {
  mosaic.look = { ...mosaic.look, ...change };
  keepLook(mosaic.look);
  tellLook();
  draw();
}

function tellLook() {
  const { stretch, isInverted } = mosaic.look;
  part("[data-stretch]", HTMLElement, viewer).textContent = stretch;
  part("[data-action='invert']", HTMLElement, viewer).setAttribute("aria-pressed", String(isInverted));
}

function toggleMarks() {
  const isShown = marks.classList.toggle("off") === false;
  part("[data-action='marks']", HTMLElement, viewer).setAttribute("aria-pressed", String(isShown));
}

async function toggleKnown() {
  const button = part("[data-action='known']", HTMLElement, viewer);
  button.setAttribute("aria-pressed", String(await known.toggle()));
}

/** @param {SVGAElement} ring */
function tell(ring) {
  about.textContent = ring.getAttribute("aria-label");
}

/** @param {MouseEvent} event */
function tellPlace(event) {
  pointer = event;
  const over = pixelAt(placeOf(event));
  // FITS counts from the lower left; the middle of the first pixel is 0, 0.
  const [x, y] = [over.x - 0.5, height - over.y - 0.5];
  const isOutside = over.x < 0 || over.y < 0 || over.x > width || over.y > height;
  const pixel = `x ${tenths(x)}, y ${tenths(y)}`;
  part("[data-cursor]", HTMLElement, viewer).textContent = isOutside ? "Outside the image" : position ? `${pixel} · ${position(x, y)}` : pixel;
  tellValue();
}

function tellValue() {
  if (!pointer) return;
  const over = pixelAt(placeOf(pointer)), [x, y] = [Math.floor(over.x), Math.ceil(height - over.y) - 1];
  const isOutside = x < 0 || y < 0 || x >= pyramid.width || y >= pyramid.height;
  part("[data-value]", HTMLElement, viewer).textContent = isOutside ? "" : mosaic.valueAt(kindNow(), x, y);
}

/**
 * Write a number to a tenth, and nothing as negative that rounds to zero.
 * @param {number} value
 */
function tenths(value) {
  return (Math.round(10 * value) / 10 + 0).toFixed(1).replace("-", "−");
}

/**
 * Return the place in the viewer of a press or a movement.
 * @param {MouseEvent} event
 */
function placeOf({ clientX, clientY }) {
  const box = field.getBoundingClientRect();
  return { x: clientX - box.left - field.clientLeft, y: clientY - box.top - field.clientTop };
}

/**
 * Bring a candidate to the middle, enlarged, and mark it.
 * @param {SVGAElement} ring
 */
function showRing(ring) {
  const scale = Math.max(scaleNow(), Math.min(4, MOST_ZOOM));
  view = { scale, x: Number(ring.dataset.x), y: Number(ring.dataset.y) };
  if (marks.classList.contains("off")) toggleMarks();
  draw();
  mark(ring);
}

/** @param {SVGAElement} ring */
function mark(ring) {
  for (const other of rings) {
    other.classList.toggle("here", other === ring);
    other.setAttribute("tabindex", other === ring ? "0" : "-1");
  }
  tell(ring);
}

// --- Buttons and keys ---

/** @type {Record<string, () => void>} */
const ACTIONS = {
  in: () => zoomBy(1), out: () => zoomBy(-1), fit: () => zoomTo(0), marks: toggleMarks, known: toggleKnown,
  stretch: () => setLook({ stretch: after(STRETCHES, mosaic.look.stretch) }),
  invert: () => setLook({ isInverted: !mosaic.look.isInverted }),
  less: () => setLook({ contrast: contrasted(mosaic.look.contrast, -1) }),
  more: () => setLook({ contrast: contrasted(mosaic.look.contrast, 1) }),
};
/** @type {Record<string, () => void>} */
const KEYS = {
  "+": ACTIONS.in, "-": ACTIONS.out, 0: ACTIONS.fit, o: toggleMarks, k: toggleKnown,
  s: ACTIONS.stretch, i: ACTIONS.invert, "[": ACTIONS.less, "]": ACTIONS.more,
};
kinds.forEach((kind, k) => { KEYS[k + 1] = () => choose(kind); });
/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

viewer.addEventListener("click", (event) => {
  const button = origin(event)?.closest("button");
  if (!button) return;
  if (button.dataset.kind) choose(button.dataset.kind);
  ACTIONS[button.dataset.action ?? ""]?.();
  // After a press of the mouse the space bar is free for blinking again.
  if (event.detail) field.focus({ preventScroll: true });
});
const blinker = part("[data-action='blink']", HTMLButtonElement, viewer);
blinker.addEventListener("pointerdown", () => blink(true));
for (const name of ["pointerup", "pointercancel", "pointerleave", "blur"]) blinker.addEventListener(name, () => blink(false));
for (const name of /** @type {const} */ (["keydown", "keyup"])) {
  blinker.addEventListener(name, (event) => { if (event.key === "Enter") blink(name === "keydown"); });
}

/**
 * Tell whether a key belongs to what has the focus, or to the browser.
 * @param {KeyboardEvent} event
 */
function isTaken(event) {
  const target = origin(event);
  if (target?.closest("input, select, textarea, [contenteditable]")) return true;
  const isBare = event.key === " " || event.key in ARROWS;
  if (isBare && (event.ctrlKey || event.metaKey || event.altKey)) return true;
  return event.key === " " && target !== blinker && Boolean(target?.closest("button, summary, a:not(.ring)"));
}

document.addEventListener("keydown", (event) => {
  if (isTaken(event)) return;
  const ring = rings.find((one) => one === origin(event)?.closest(".ring"));
  const key = keyOf(event, (one) => one in KEYS);
  if (event.key === " ") {
    event.preventDefault();
    blink(true);
  } else if (event.key in ARROWS && ring) {
    event.preventDefault();
    stepRing(ring, event.key === "ArrowRight" || event.key === "ArrowDown" ? 1 : -1);
  } else if (event.key in ARROWS && event.target === field) {
    event.preventDefault();
    const [across, down] = ARROWS[event.key];
    moveBy(across * PAN_PX, down * PAN_PX);
  } else if (key in KEYS && !event.repeat) {
    KEYS[key]();
  }
});
document.addEventListener("keyup", (event) => { if (event.key === " ") blink(false); });
window.addEventListener("blur", () => blink(false));

/**
 * @param {SVGAElement} ring
 * @param {number} step
 */
function stepRing(ring, step) {
  const next = rings[(rings.indexOf(ring) + step + rings.length) % rings.length];
  mark(next);
  const { across, down } = size();
  const [x, y] = [Number(next.dataset.x), Number(next.dataset.y)];
  const isSeen = Math.abs(x - view.x) < across / 2 / scaleNow() && Math.abs(y - view.y) < down / 2 / scaleNow();
  if (!isSeen) {
    view = { ...view, x, y };
    draw();
  }
  next.focus({ preventScroll: true });
}

// --- Mouse and fingers ---

/** @type {Map<number, Place & {start: Place}>} */
const pressed = new Map();
let hasMoved = false;

field.addEventListener("pointerdown", (event) => {
  if (event.button) return;
  if (!pressed.size) hasMoved = false;
  pressed.set(event.pointerId, { ...placeOf(event), start: placeOf(event) });
});
field.addEventListener("pointermove", (event) => {
  tellPlace(event);
  const before = pressed.get(event.pointerId);
  if (!before) return;
  const now = placeOf(event);
  if (Math.hypot(now.x - before.start.x, now.y - before.start.y) > STILL_PX && !hasMoved) {
    hasMoved = true;
    // Only now: a captured press would never reach the mark that it was for.
    field.setPointerCapture(event.pointerId);
  }
  const other = [...pressed].find(([id]) => id !== event.pointerId)?.[1];
  if (other) {
    const [was, is] = [before, now].map((one) => Math.hypot(one.x - other.x, one.y - other.y));
    zoomTo(scaleNow() * (is / Math.max(was, 1)), { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 });
  } else if (hasMoved) {
    moveBy(now.x - before.x, now.y - before.y);
  }
  pressed.set(event.pointerId, { ...now, start: before.start });
});
for (const name of /** @type {const} */ (["pointerup", "pointercancel"])) field.addEventListener(name, (event) => pressed.delete(event.pointerId));
field.addEventListener("pointerleave", (event) => { if (!hasMoved) pressed.delete(event.pointerId); });
field.addEventListener("dblclick", (event) => zoomBy(2, placeOf(event)));
field.addEventListener("wheel", (event) => {
  event.preventDefault();
  zoomBy(event.deltaY < 0 ? 1 : -1, placeOf(event));
}, { passive: false });

for (const ring of rings) {
  ring.addEventListener("pointerenter", () => tell(ring));
  ring.addEventListener("focus", () => mark(ring));
  ring.addEventListener("click", (event) => { if (hasMoved) event.preventDefault(); else mark(ring); });
}
/** @param {string} candidate */
function ringOf(candidate) {
  return rings.find((one) => one.getAttribute("href") === `#candidate-${candidate}`);
}

document.addEventListener("click", (event) => {
  const link = origin(event)?.closest("[data-show]");
  const ring = link instanceof HTMLElement ? ringOf(link.dataset.show ?? "") : undefined;
  if (ring) showRing(ring);
});

tellLook();
new ResizeObserver(draw).observe(field);
new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
// Whoever comes from a candidate sees that one.
const wanted = ringOf(new URLSearchParams(location.search).get("candidate") ?? "");
if (wanted) showRing(wanted);
