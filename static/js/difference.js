// One subtraction: four images in one place that are moved and enlarged together, and the candidates over them.

import { compile } from "./tan.js";

const MOST_ZOOM = 24; // screen dots per pixel
const STEP = 1.5;
const PAN_PX = 80;
// A press that moves less than this is a click.
const STILL_PX = 4;

const viewer = document.getElementById("viewer");
const field = viewer.querySelector(".field");
const marks = viewer.querySelector(".marks");
const images = new Map([...viewer.querySelectorAll("img")].map((image) => [image.dataset.kind, image]));
const rings = [...marks.querySelectorAll(".ring")];
const [width, height] = [Number(viewer.dataset.width), Number(viewer.dataset.height)];
const numbers = document.getElementById("wcs");
const position = numbers ? compile(JSON.parse(numbers.textContent)) : null;

let chosen = "science";
let isBlinked = false;
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

/** Zoom about a place of the screen, which keeps its pixel; 1 is the whole image. */
function zoomTo(scale, at = { x: size().across / 2, y: size().down / 2 }) {
  const { across, down } = size();
  const before = pixelAt(at);
  const next = Math.min(Math.max(scale, fitting()), Math.max(MOST_ZOOM, fitting()));
  if (next <= fitting() * 1.001) view = { scale: 0, x: width / 2, y: height / 2 };
  else view = { scale: next, x: before.x - (at.x - across / 2) / next, y: before.y - (at.y - down / 2) / next };
  draw();
}

function zoomBy(steps, at) {
  zoomTo(scaleNow() * STEP ** steps, at);
}

function moveBy(across, down) {
  if (!view.scale) return;
  view = { ...view, x: view.x - across / view.scale, y: view.y - down / view.scale };
  draw();
}

/** Return the place in the image, y downwards from its upper edge, under a place of the screen. */
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
  const [left, top] = [across / 2 - view.x * scale, down / 2 - view.y * scale];
  for (const image of images.values()) {
    image.style.transform = `translate(${left}px, ${top}px) scale(${scale})`;
    image.classList.toggle("large", scale >= 1);
  }
  marks.setAttribute("viewBox", `${view.x - across / 2 / scale} ${view.y - down / 2 / scale} ${across / scale} ${down / scale}`);
  // Marks keep their size on the screen until the source itself is larger.
  const grown = Math.max(1, scale / 2);
  for (const ring of rings) ring.setAttribute("transform", `translate(${ring.dataset.x} ${ring.dataset.y}) scale(${grown / scale})`);
  field.classList.toggle("zoomed", view.scale > 0);
  viewer.querySelector("[data-zoom]").textContent = view.scale ? `${Number(scale.toPrecision(2))}×` : "fit";
}

function choose(kind) {
  chosen = kind;
  for (const button of viewer.querySelectorAll("button[data-kind]")) button.setAttribute("aria-pressed", String(button.dataset.kind === kind));
  show();
}

/** Show the other one of science and reference for as long as it is asked for. */
function blink(isOn) {
  if (isBlinked === isOn) return;
  isBlinked = isOn;
  show();
}

function show() {
  const kind = isBlinked ? (chosen === "reference" ? "science" : "reference") : chosen;
  for (const [name, image] of images) image.hidden = name !== kind;
  load(kind);
  viewer.querySelector("[data-shown]").textContent = kind;
}

function load(kind) {
  const image = images.get(kind);
  if (!image.src) image.src = image.dataset.src;
}

function toggleMarks() {
  const isShown = marks.classList.toggle("off") === false;
  viewer.querySelector("[data-action='marks']").setAttribute("aria-pressed", String(isShown));
}

function tell(ring) {
  viewer.querySelector("[data-about]").textContent = ring ? ring.getAttribute("aria-label") : "";
}

function tellPlace(event) {
  const at = pixelAt(placeOf(event));
  // FITS counts from the lower left; the middle of the first pixel is 0, 0.
  const [x, y] = [at.x - 0.5, height - at.y - 0.5];
  const isOutside = at.x < 0 || at.y < 0 || at.x > width || at.y > height;
  const pixel = `x ${tenths(x)}, y ${tenths(y)}`;
  viewer.querySelector("[data-cursor]").textContent = isOutside ? "Outside the image" : position ? `${pixel} · ${position(x, y)}` : pixel;
}

/** Write a number to a tenth, and nothing as negative that rounds to zero. */
function tenths(value) {
  return (Math.round(10 * value) / 10 + 0).toFixed(1).replace("-", "−");
}

function placeOf({ clientX, clientY }) {
  const box = field.getBoundingClientRect();
  return { x: clientX - box.left - field.clientLeft, y: clientY - box.top - field.clientTop };
}

/** Bring a candidate to the middle, enlarged, and mark it. */
function showRing(ring) {
  const scale = Math.max(scaleNow(), Math.min(4, MOST_ZOOM));
  view = { scale, x: Number(ring.dataset.x), y: Number(ring.dataset.y) };
  if (marks.classList.contains("off")) toggleMarks();
  draw();
  mark(ring);
}

function mark(ring) {
  for (const other of rings) {
    other.classList.toggle("here", other === ring);
    other.setAttribute("tabindex", other === ring ? "0" : "-1");
  }
  tell(ring);
}

// --- Buttons and keys ---

const ACTIONS = {
  in: () => zoomBy(1), out: () => zoomBy(-1), fit: () => zoomTo(0), marks: toggleMarks,
};
const KEYS = {
  "+": ACTIONS.in, "=": ACTIONS.in, "-": ACTIONS.out, "−": ACTIONS.out, 0: ACTIONS.fit, o: toggleMarks,
};
[...images.keys()].forEach((kind, k) => { KEYS[k + 1] = () => choose(kind); });
const ARROWS = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

viewer.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.kind) choose(button.dataset.kind);
  ACTIONS[button.dataset.action]?.();
  // After a press of the mouse the space bar is free for blinking again.
  if (event.detail) field.focus({ preventScroll: true });
});
const blinker = viewer.querySelector("[data-action='blink']");
blinker.addEventListener("pointerdown", () => blink(true));
for (const name of ["pointerup", "pointercancel", "pointerleave", "blur"]) blinker.addEventListener(name, () => blink(false));
for (const name of ["keydown", "keyup"]) {
  blinker.addEventListener(name, (event) => { if (event.key === "Enter") blink(name === "keydown"); });
}

/** Say whether a key belongs to what has the focus. */
function isTaken(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return true;
  if (event.target.closest("input, select, textarea, [contenteditable]")) return true;
  return event.key === " " && event.target !== blinker && Boolean(event.target.closest("button, summary, a:not(.ring)"));
}

document.addEventListener("keydown", (event) => {
  if (isTaken(event)) return;
  if (event.key === " ") {
    event.preventDefault();
    blink(true);
  } else if (event.key in ARROWS && event.target.closest(".ring")) {
    event.preventDefault();
    stepRing(event.target.closest(".ring"), event.key === "ArrowRight" || event.key === "ArrowDown" ? 1 : -1);
  } else if (event.key in ARROWS && event.target === field) {
    event.preventDefault();
    moveBy(...ARROWS[event.key].map((sign) => sign * PAN_PX));
  } else if (event.key in KEYS && !event.repeat) {
    KEYS[event.key]();
  }
});
document.addEventListener("keyup", (event) => { if (event.key === " ") blink(false); });
window.addEventListener("blur", () => blink(false));

function stepRing(ring, step) {
  const next = rings[(rings.indexOf(ring) + step + rings.length) % rings.length];
  mark(next);
  const { across, down } = size();
  const isSeen = Math.abs(next.dataset.x - view.x) < across / 2 / scaleNow() && Math.abs(next.dataset.y - view.y) < down / 2 / scaleNow();
  if (!isSeen) {
    view = { ...view, x: Number(next.dataset.x), y: Number(next.dataset.y) };
    draw();
  }
  next.focus({ preventScroll: true });
}

// --- Mouse and fingers ---

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
for (const name of ["pointerup", "pointercancel"]) field.addEventListener(name, (event) => pressed.delete(event.pointerId));
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
for (const link of document.querySelectorAll("[data-show]")) {
  link.addEventListener("click", () => {
    const ring = rings.find((one) => one.getAttribute("href") === `#candidate-${link.dataset.show}`);
    if (ring) showRing(ring);
  });
}

for (const [kind, image] of images) {
  image.addEventListener("error", () => {
    viewer.querySelector("[data-about]").textContent = `The ${kind} image cannot be read: reprocess the frame to have it again.`;
  });
}
new ResizeObserver(draw).observe(field);
// The others are asked for when the first is there, so that changing between them takes no time.
const loadOthers = () => ["reference", "difference", "score"].forEach(load);
if (images.get("science").complete) loadOthers();
else images.get("science").addEventListener("load", loadOthers);
