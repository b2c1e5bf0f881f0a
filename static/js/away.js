// The page that stands in for triage while the server cannot be reached: it says how many answers wait, and comes back.

import { at } from "./dom.js";
import { countKept } from "./outbox.js";

const LOOK_AGAIN_MS = 5000;

function tell() {
  const count = countKept(localStorage);
  at("kept").textContent = count
    ? `${count} answer${count === 1 ? " is" : "s are"} kept in this browser and will be sent as soon as the server answers.`
    : "All your answers are saved.";
}

async function lookAgain() {
  try {
    await fetch(location.href, { method: "HEAD", redirect: "manual", cache: "no-store" });
  } catch {
    return;
  }
  location.reload();
}

document.documentElement.dataset.theme = document.cookie.match(/(?:^|; )theme=(dark|light|night)/)?.[1] ?? "dark";
tell();
at("again").addEventListener("click", () => location.reload());
addEventListener("online", lookAgain);
setInterval(lookAgain, LOOK_AGAIN_MS);
