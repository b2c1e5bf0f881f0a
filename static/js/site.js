// What every page does: keep the chosen theme, copy positions, ask before what is hard to undo, say when a request of htmx
// came to nothing.

const theme = document.getElementById("theme");
theme?.addEventListener("change", () => {
  document.documentElement.dataset.theme = theme.value;
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `theme=${theme.value}; path=/; max-age=31536000; samesite=lax${secure}`;
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    say(button.dataset.copied ?? `Copied: ${button.dataset.copy}`);
  } catch {
    const text = button.dataset.copied ? "Mark it and copy it by hand." : `The position is ${button.dataset.copy}`;
    say(`This browser lets no page copy. ${text}`, "warning");
  }
});

document.addEventListener("submit", (event) => {
  const question = event.target.dataset.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
});

// Logged out meanwhile: the answer is the page that asks who one is, and no part of this one.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (!event.detail.xhr.responseURL.includes("/accounts/login/")) return;
  event.detail.shouldSwap = false;
  say("You are logged out. Load the page again to log in.", "warning");
});

document.addEventListener("htmx:responseError", (event) => {
  const status = event.detail.xhr.status;
  say(status === 403 ? "Your role does not include this." : `The server refused this (${status}). Load the page again.`, "error");
});
document.addEventListener("htmx:sendError", () => say("The server cannot be reached. Nothing was changed.", "error"));

/** Show a sentence to everybody, screen readers too. `kind`: "", "success", "warning" or "error". */
export function say(text, kind = "") {
  const place = document.getElementById("messages");
  const line = document.createElement("p");
  line.className = `notice ${kind}`;
  line.textContent = text;
  place.replaceChildren(line);
  if (!kind) setTimeout(() => line.remove(), 4000);
}
