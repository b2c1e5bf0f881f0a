// How the images of triage are shown: what the controls say, how large they are, and blinking.

import { at, part } from "./dom.js";

/** @param {import("./viewer.js").Look} look */
export function showLook(look) {
  at("stretch").textContent = look.stretch;
  at("zoom").textContent = `${look.zoom}×`;
  at("contrast").textContent = `${look.contrast}×`;
  for (const [name, isOn] of Object.entries({ invert: look.isInverted, mask: look.hasMask, crosshair: look.hasCrosshair })) {
    part(`[data-action=${name}]`, HTMLElement).setAttribute("aria-pressed", String(isOn));
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
 * Change between science and reference by itself; for people who asked for less motion once with each press.
 * @param {import("./viewer.js").Viewer} viewer
 * @param {HTMLElement} control
 */
export function blink(viewer, control) {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
    const wasSwapped = viewer.isSwapped;
    viewer.stopBlinking();
    viewer.swap(!wasSwapped);
    control.setAttribute("aria-pressed", String(viewer.isSwapped));
  } else {
    control.setAttribute("aria-pressed", String(viewer.blink()));
  }
}
