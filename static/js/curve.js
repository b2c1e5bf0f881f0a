// A point of the light curve that is pointed at, or has the focus, shows its cutouts; pressed, it leads to its page.

import { origin, part } from "./dom.js";

/** @param {Event} event */
function show(event) {
  const point = origin(event)?.closest("[data-cutouts]");
  if (!(point instanceof SVGElement)) return;
  const figure = part("#curve-cutouts", HTMLElement), image = part("img", HTMLImageElement, figure);
  image.src = point.dataset.cutouts ?? "";
  part("figcaption", HTMLElement, figure).textContent = point.querySelector("title")?.textContent ?? "";
  figure.hidden = false;
}

document.addEventListener("pointerover", show);
document.addEventListener("focusin", show);
