// How the images of triage are shown: what the controls say, how large they are, and blinking.

import { at, part } from "./dom.js";

/**
 * Return what the controls do, by the names of their actions.
 * @param {import("./viewer.js").Viewer} viewer
 * @returns {Record<string, (control: HTMLElement) => void>}
 */
export function lookActions(viewer) {
  return {
    blinkOnce: () => viewer.swap(!viewer.isSwapped),
    blink: (control) => press(control, blink(viewer)),
    pace: () => viewer.nextPace(),
    invert: () => viewer.set({ isInverted: !viewer.look.isInverted }),
    stretch: () => viewer.nextStretch(),
    colours: () => viewer.nextMap(),
    mask: () => viewer.set({ hasMask: !viewer.look.hasMask }),
    crosshair: () => viewer.set({ hasCrosshair: !viewer.look.hasCrosshair }),
    ruler: (control) => press(control, viewer.toggleRuler()),
    zoomIn: () => viewer.zoom(1),
    zoomOut: () => viewer.zoom(-1),
    zoomReset: () => viewer.resetZoom(),
    contrastUp: () => viewer.contrast(1),
    contrastDown: () => viewer.contrast(-1),
  };
}

/** @param {import("./viewer.js").Look} look */
export function showLook(look) {
  at("stretch").textContent = look.stretch;
  at("pace").textContent = look.pace;
  at("zoom").textContent = `${look.zoom}×`;
  at("contrast").textContent = `${look.contrast}×`;
  const { isInverted: invert, hasMask: mask, hasCrosshair: crosshair } = look;
  for (const [name, isOn] of Object.entries({ invert, mask, crosshair, colours: look.map === "colour" })) {
    press(part(`[data-action=${name}]`, HTMLElement), isOn);
  }
}

/**
 * Give the images what room there is: beside the answers, above the facts.
 * @param {import("./viewer.js").Viewer} viewer
 * @param {HTMLElement} page
 * @param {HTMLElement} stage
 */
export function fitViewer(viewer, page, stage) {
  const style = getComputedStyle(stage);
  const columns = Number(style.getPropertyValue("--panels")), beside = Number.parseFloat(style.getPropertyValue("--beside"));
  const below = Number.parseFloat(style.getPropertyValue("--below"));
  const width = (page.clientWidth - beside - 6 * (columns - 1) - 24) / columns;
  const height = below ? innerHeight - stage.getBoundingClientRect().top - scrollY - below : Infinity;
  viewer.fit(Math.max(Math.min(width, height), 126));
}

/**
 * Change between science and reference by itself; for people who asked for less motion once with each press. Return
 * whether it does now, or whether the reference is there.
 * @param {import("./viewer.js").Viewer} viewer
 */
function blink(viewer) {
  if (!matchMedia("(prefers-reduced-motion: reduce)").matches) return viewer.blink();
  const wasSwapped = viewer.isSwapped;
  viewer.stopBlinking();
  viewer.swap(!wasSwapped);
  return viewer.isSwapped;
}

/**
 * @param {HTMLElement} control
 * @param {boolean} isOn
 */
function press(control, isOn) { control.setAttribute("aria-pressed", String(isOn)); }
