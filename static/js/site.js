// What every page does: keep the chosen theme, copy positions, ask before what is hard to undo, say when a request of htmx
// came to nothing.

import { at, origin } from "./dom.js";
import { forget, forgetOthers } from "./forget.js";

const PASSING_MS = 4000;

const theme = document.querySelector("select#theme");
theme?.addEventListener("change", () => {
  if (!(theme instanceof HTMLSelectElement)) return;
  document.documentElement.dataset.theme = theme.value;
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `theme=${theme.value}; path=/; max-age=31536000; samesite=lax${secure}`;
});

document.addEventListener("click", async (event) => {
  const button = origin(event)?.closest("[data-copy]");
  if (!(button instanceof HTMLElement)) return;
  const { copy = "", copied, copyAs } = button.dataset;
  try {
    await navigator.clipboard.writeText(copy);
    say(copied ?? `Copied${copyAs ? ` ${copyAs}` : ""}: ${copy}`);
  } catch {
    const text = copied ? "Select it and copy it by hand." : `The position is ${copy}`;
    say(`This browser does not let pages copy. ${text}`, "warning");
  }
});

// What was refused is where one goes on.
const refused = document.querySelector("main form [aria-invalid=true]");
if (refused instanceof HTMLElement) refused.focus();

// What the browser keeps of somebody's triage goes when they log out, or somebody else comes.
const { person } = document.body.dataset;
if (person !== undefined) forgetOthers(person);
document.querySelector("form#log-out")?.addEventListener("submit", forget);

document.addEventListener("submit", (event) => {
  const question = event.target instanceof HTMLFormElement ? event.target.dataset.confirm : "";
  if (question && !window.confirm(question)) event.preventDefault();
});

// Logged out meanwhile: the answer is the page that asks who one is, and no part of this one.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (!event.detail.xhr.responseURL.includes("/accounts/login/")) return;
  event.detail.shouldSwap = false;
  say("You are logged out. Reload the page to log in.", "warning");
});

document.addEventListener("htmx:responseError", (event) => {
  const status = event.detail.xhr.status;
  say(status === 403 ? "Your role does not allow this." : `The server refused this (${status}). Reload the page.`, "error");
});
document.addEventListener("htmx:sendError", () => say("The server cannot be reached. Nothing was changed.", "error"));

/**
 * Show a sentence to everybody, screen readers too; what is only said in passing goes by itself.
 * @param {string} text
 * @param {"" | "success" | "warning" | "error"} kind
 * @param {{title: string, act: () => void}} [offer]  something to do about it
 */
export function say(text, kind = "", offer) { put(text, kind, offer); }

/**
 * @param {string} text
 * @param {"" | "success" | "warning" | "error"} kind
 * @param {{title: string, act: () => void}} [offer]
 */
function put(text, kind, offer) {
  const line = document.createElement("p");
  line.className = `notice ${kind}`;
  line.textContent = text;
  if (offer) {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: offer.title });
    button.addEventListener("click", () => {
      line.remove();
      offer.act();
    });
    line.append(" ", button);
  }
  if (kind) {
    const close = Object.assign(document.createElement("button"), { type: "button", className: "close", ariaLabel: "Close" });
    close.addEventListener("click", () => line.remove());
    line.append(close);
  }
  for (const old of at("messages").querySelectorAll(":scope > :not(.lasting)")) old.remove();
  at("messages").append(line);
  if (!kind) setTimeout(() => line.remove(), PASSING_MS);
  return line;
}

/**
 * Show a sentence that stays until somebody closes it, whatever else is said.
 * @param {string} text
 * @param {{title: string, act: () => void}} offer
 */
export function announce(text, offer) { put(text, "warning", offer).classList.add("lasting"); }

/** Tell whether such a sentence is there. */
export function isAnnouncing() { return Boolean(document.querySelector("#messages > .lasting")); }
