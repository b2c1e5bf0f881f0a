// Narrows the cards of a header to those that hold what one types; the cards come when the header is first opened.

import { at, part } from "./dom.js";

function narrow() {
  const wanted = part("#find-card", HTMLInputElement).value.trim().toLowerCase();
  let shown = 0;
  const cards = [...at("header-cards").querySelectorAll("dl > div")].filter((card) => card instanceof HTMLElement);
  for (const card of cards) {
    card.hidden = !card.textContent.toLowerCase().includes(wanted);
    if (!card.hidden) shown += 1;
  }
  at("found-cards").textContent = wanted && cards.length ? `${shown} of ${cards.length} cards` : "";
}

// A frame without a header has neither.
document.getElementById("find-card")?.addEventListener("input", narrow);
document.getElementById("header-cards")?.addEventListener("htmx:afterSettle", narrow);
