// The first page keeps itself up to date: while it is seen it asks for the parts that have changed, and says so.

import { at } from "./dom.js";
import { say } from "./site.js";

const live = at("live");
const note = at("live-note");
const period = 1000 * Number(live.dataset.seconds);
let newest = firstAlert();
/** @type {ReturnType<typeof setInterval> | undefined} */
let timer;

function firstAlert() {
  return document.querySelector("#alerts .alert-list a[id]")?.id ?? "";
}

function ask() {
  window.htmx.trigger(live, "refresh");
}

function pace() {
  clearInterval(timer);
  timer = document.hidden ? undefined : setInterval(ask, period);
}

document.addEventListener("visibilitychange", () => {
  pace();
  if (!document.hidden) ask();
});

live.addEventListener("htmx:afterRequest", (event) => {
  const { xhr, successful } = event.detail;
  // Logged out meanwhile: the answer is the page that asks who one is.
  if (xhr.responseURL.includes("/accounts/login/")) {
    clearInterval(timer);
    say("You are logged out. Reload the page to log in.", "warning");
  } else if (successful) {
    note.textContent = `Up to date at ${new Date().toISOString().slice(11, 19)} UTC`;
    tell();
  }
});

/** Say when an alert has come, for those who do not look at the list. */
function tell() {
  const first = firstAlert();
  if (first && first !== newest) say(`New alert: ${at(first).textContent}`, "success");
  newest = first;
}

pace();
