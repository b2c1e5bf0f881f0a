// The linked images of a difference: one view for all, so that zoom and place stay when another is looked at.

const viewer = document.getElementById("viewer");
const picture = document.getElementById("difference");
const marks = document.getElementById("marks");
const cursor = document.getElementById("cursor");
const width = Number(picture.dataset.width);
const height = Number(picture.dataset.height);
const whole = { x: 0, y: 0, side: 1 };
let view = { ...whole };
let shown = "difference";
let before = null;
let drag = null;

function show(kind) {
  shown = kind;
  for (const image of picture.querySelectorAll("image")) image.classList.toggle("away", image.dataset.kind !== kind);
  for (const button of viewer.querySelectorAll("button[data-kind]")) {
    button.setAttribute("aria-pressed", String(button.dataset.kind === kind));
  }
}

/** `side` is the part of the frame's width that is seen; x and y its upper left corner in pixels. */
function look(next) {
  const side = Math.min(1, Math.max(0.02, next.side));
  view = {
    side,
    x: Math.min(Math.max(0, next.x), width * (1 - side)),
    y: Math.min(Math.max(0, next.y), height * (1 - side)),
  };
  picture.setAttribute("viewBox", `${view.x} ${view.y} ${width * side} ${height * side}`);
  // Rings stay as large on the screen as they are, however near one looks.
  for (const ring of marks.querySelectorAll("circle")) ring.setAttribute("r", String(12 * Math.max(side, 0.25)));
}

function zoom(factor, at = { x: view.x + (width * view.side) / 2, y: view.y + (height * view.side) / 2 }) {
  const side = Math.min(1, Math.max(0.02, view.side * factor));
  const kept = side / view.side;
  look({ side, x: at.x - (at.x - view.x) * kept, y: at.y - (at.y - view.y) * kept });
}

function place(event) {
  const box = picture.getBoundingClientRect();
  return {
    x: view.x + ((event.clientX - box.left) / box.width) * width * view.side,
    y: view.y + ((event.clientY - box.top) / box.height) * height * view.side,
  };
}

function blink(isOn) {
  if (isOn && before === null) {
    before = shown;
    show(shown === "science" ? "reference" : "science");
  } else if (!isOn && before !== null) {
    show(before);
    before = null;
  }
}

function toggleMarks() {
  const isShown = marks.classList.toggle("away");
  viewer.querySelector("[data-action='marks']").setAttribute("aria-pressed", String(!isShown));
}

const actions = { marks: toggleMarks, in: () => zoom(0.5), out: () => zoom(2), whole: () => look(whole) };
const keys = { "+": "in", "=": "in", "-": "out", 0: "whole", o: "marks" };
const kinds = { 1: "science", 2: "reference", 3: "difference", 4: "score" };

viewer.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.dataset.kind) show(button.dataset.kind);
  else if (button) actions[button.dataset.action]?.();
});
const blinker = viewer.querySelector("[data-action='blink']");
blinker.addEventListener("pointerdown", () => blink(true));
for (const name of ["pointerup", "pointerleave", "pointercancel"]) blinker.addEventListener(name, () => blink(false));

function isTyping(event) {
  return event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select");
}

document.addEventListener("keydown", (event) => {
  if (isTyping(event)) return;
  if (event.key === " " && !event.target.closest("button, a, summary")) {
    event.preventDefault();
    blink(true);
  } else if (kinds[event.key]) show(kinds[event.key]);
  else if (keys[event.key]) actions[keys[event.key]]();
});
document.addEventListener("keyup", (event) => {
  if (event.key === " ") blink(false);
});

picture.addEventListener("wheel", (event) => {
  event.preventDefault();
  zoom(event.deltaY > 0 ? 1.25 : 0.8, place(event));
}, { passive: false });
picture.addEventListener("pointerdown", (event) => {
  if (event.target.closest("a")) return;
  drag = { at: place(event), id: event.pointerId };
  picture.setPointerCapture(event.pointerId);
});
picture.addEventListener("pointermove", (event) => {
  const at = place(event);
  cursor.textContent = `x ${(at.x - 0.5).toFixed(1)}, y ${(height - at.y - 0.5).toFixed(1)}`;
  if (drag) look({ ...view, x: view.x - (at.x - drag.at.x), y: view.y - (at.y - drag.at.y) });
});
for (const name of ["pointerup", "pointercancel"]) picture.addEventListener(name, () => { drag = null; });
