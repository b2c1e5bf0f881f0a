// Mouse and fingers on the images: what is under them, move, enlarge with two, swipe on with one, measure.

import { MOST_ZOOM } from "./looks.js";
import { positionAt, valueAt } from "./readout.js";

// A swipe goes at least so far, mostly sideways, and takes no longer than this.
const SWIPE_PX = 50, SWIPE_SLOPE = 2, SWIPE_MS = 700;

/**
 * @typedef {{x: number, y: number, start: {x: number, y: number, time: number}}} Pressed
 * @typedef {import("./viewer.js").Viewer} Viewer
 * @typedef {import("./viewer.js").Panel} Panel
 */

export class Pointer {
  /**
   * @param {Viewer} viewer
   * @param {(by: number) => void} onSwipe  hears of a swipe: 1 for the next one, −1 for the one before
   */
  constructor(viewer, onSwipe) {
    this.viewer = viewer;
    this.onSwipe = onSwipe;
    /** @type {Map<number, Pressed>} */
    this.pressed = new Map();
    /** @type {"move" | "ruler" | "pinch"} */
    this.doing = "move";
    this.span = { px: 1, zoom: 1 };
    for (const panel of viewer.panels) this.#listen(panel);
  }

  /** @param {Panel} panel */
  #listen(panel) {
    const { canvas } = panel;
    canvas.addEventListener("pointerdown", (event) => { if (!event.button) this.#down(event, canvas); });
    canvas.addEventListener("pointermove", (event) => this.#moved(event, panel));
    canvas.addEventListener("pointerup", (event) => this.#up(event));
    canvas.addEventListener("pointercancel", (event) => this.#end(event));
    canvas.addEventListener("pointerleave", () => { if (!this.pressed.size) this.tell(null, null); });
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.viewer.zoom(event.deltaY < 0 ? 1 : -1);
    }, { passive: false });
  }

  /**
   * @param {PointerEvent} event
   * @param {HTMLCanvasElement} canvas
   */
  #down(event, canvas) {
    const { clientX: x, clientY: y, timeStamp: time } = event;
    this.pressed.set(event.pointerId, { x, y, start: { x, y, time } });
    canvas.setPointerCapture(event.pointerId);
    this.doing = this.pressed.size > 1 ? "pinch" : event.shiftKey || this.viewer.isMeasuring ? "ruler" : "move";
    if (this.doing === "pinch") this.span = { px: this.#spread(), zoom: this.viewer.look.zoom };
    const at = this.viewer.pixelAt(canvas, event);
    this.viewer.measure(this.doing === "ruler" && at ? { from: at, to: at } : null);
  }

  /**
   * @param {PointerEvent} event
   * @param {Panel} panel
   */
  #moved(event, panel) {
    const at = this.viewer.pixelAt(panel.canvas, event);
    this.tell(panel, at);
    const held = this.pressed.get(event.pointerId);
    if (!held) return;
    const [dx, dy] = [event.clientX - held.x, event.clientY - held.y];
    Object.assign(held, { x: event.clientX, y: event.clientY });
    if (this.doing === "pinch") this.viewer.enlarge(within((this.span.zoom * this.#spread()) / this.span.px));
    else if (this.doing === "move") this.viewer.moveBy(dx, dy);
    else if (at && this.viewer.ruler) this.viewer.measure({ from: this.viewer.ruler.from, to: at });
  }

  /** @param {PointerEvent} event */
  #up(event) {
    const held = this.pressed.get(event.pointerId);
    const isSwipe = this.doing === "move" && event.pointerType === "touch" && this.viewer.look.zoom === 1;
    this.#end(event);
    if (!held || !isSwipe) return;
    const [dx, dy] = [event.clientX - held.start.x, event.clientY - held.start.y];
    const isQuick = event.timeStamp - held.start.time <= SWIPE_MS;
    if (isQuick && Math.abs(dx) >= SWIPE_PX && Math.abs(dx) >= SWIPE_SLOPE * Math.abs(dy)) this.onSwipe(dx < 0 ? 1 : -1);
  }

  /** @param {PointerEvent} event */
  #end(event) {
    this.pressed.delete(event.pointerId);
    if (this.doing === "pinch" && !this.pressed.size) this.viewer.set({ zoom: this.viewer.look.zoom });
    // What is left of two fingers neither moves nor swipes.
    if (!this.pressed.size) this.doing = "move";
  }

  #spread() {
    const [one, other] = [...this.pressed.values()];
    return other ? Math.max(Math.hypot(one.x - other.x, one.y - other.y), 1) : this.span.px;
  }

  /**
   * Say over each image what its pixel there holds, and over the one that is pointed at where on the sky that is.
   * @param {Panel | null} over
   * @param {import("./readout.js").Point | null} at
   */
  tell(over, at) {
    const { cutouts, place, panels } = this.viewer;
    panels.forEach((panel, k) => {
      const words = cutouts && place && at ? [valueAt(cutouts, this.viewer.shownIn(k), at)] : [];
      if (cutouts && place && at && panel === over) words.push(positionAt(cutouts, at, place));
      panel.readout.textContent = words.filter(Boolean).join(" · ");
    });
  }
}

/** @param {number} zoom */
function within(zoom) { return Math.round(100 * Math.min(Math.max(zoom, 1), MOST_ZOOM)) / 100; }
