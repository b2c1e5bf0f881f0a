// How the page of triage tells what of its answers is saved, what waits, and what was not taken.

import { at } from "./dom.js";

/**
 * @param {import("./outbox.js").Outbox} outbox
 * @param {HTMLElement} page
 */
export function showSaving(outbox, page) {
  const saving = at("saving");
  const unsaved = outbox.entries.length, refused = outbox.setAside;
  page.dataset.unsaved = String(unsaved);
  saving.textContent = unsaved ? `${unsaved} unsaved` : "All saved";
  saving.classList.toggle("busy", unsaved > 0);
  const what = outbox.isKept ? "Your answers are kept in this browser and will be sent automatically." : "This browser cannot store them: keep this page open.";
  at("trouble").textContent = unsaved && outbox.trouble ? `${outbox.trouble}. ${what}` : "";
  at("refused").hidden = !refused.length;
  at("refused-count").textContent = `${refused.length} not accepted`;
  at("refused-list").replaceChildren(...refused.map((one) => refusedLine(one, outbox)));
}

/**
 * @param {import("./outbox.js").SetAside} one
 * @param {import("./outbox.js").Outbox} outbox
 */
function refusedLine({ id, name, said, reason, canRetry }, outbox) {
  const row = document.createElement("li");
  row.append(`${[name, said].filter(Boolean).join(", ")}: ${reason} `);
  if (canRetry) row.append(smallButton("Try again", () => outbox.retry(id)), " ");
  row.append(smallButton("Discard", () => outbox.discard(id)));
  return row;
}

/**
 * @param {string} title
 * @param {() => void} press
 */
function smallButton(title, press) {
  const button = Object.assign(document.createElement("button"), { type: "button", textContent: title });
  button.addEventListener("click", press);
  return button;
}
