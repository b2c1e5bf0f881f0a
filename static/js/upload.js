// Sends files one after the other, shows how far each has come, then what the pipeline makes of it.

import { at, part } from "./dom.js";
import { newKey } from "./ids.js";

/** @typedef {{file: File | null, key: string}} Thing  a file, or null for what else the form holds */

const form = part("form#upload", HTMLFormElement);
const chooser = part("#id_files", HTMLInputElement);
const address = part("[name=fits_url]", HTMLInputElement, form);
const drop = at("drop");
const sending = at("sending");
const arrived = at("deliveries");
const button = part("button", HTMLButtonElement, form);
const mostBytes = Number(form.dataset.mostMb) * 1e6;
/** @type {Thing[]} */
const waiting = [];
const inspected = at("inspected");
const mostInspected = 6;
let lastInspection = 0;
let isSending = false;

// A file that is dropped beside the frame would replace the page, and what is being sent with it.
for (const name of ["dragover", "drop"]) window.addEventListener(name, (event) => event.preventDefault());
for (const name of ["dragenter", "dragover"]) drop.addEventListener(name, () => drop.classList.add("over"));
for (const name of ["dragleave", "drop"]) drop.addEventListener(name, () => drop.classList.remove("over"));
chooser.addEventListener("change", () => inspectAll([...(chooser.files ?? [])]));
for (const name of ["ra_deg", "dec_deg", "pixel_scale_arcsec", "band", "utc_offset_hours"])
  part(`[name=${name}]`, HTMLInputElement, form).addEventListener("change", () => inspectAll([...(chooser.files ?? [])]));
drop.addEventListener("drop", (event) => sendAll([...(event.dataTransfer?.files ?? [])]));

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (isSending) return;
  /** @type {(File | null)[]} */
  const files = [...(chooser.files ?? [])];
  if (address.value || !files.length) files.push(null);
  chooser.value = "";
  inspected.replaceChildren();
  lastInspection++;
  sendAll(files);
});

window.addEventListener("beforeunload", (event) => {
  if (isSending) event.preventDefault();
});

/**
 * Show what is understood of the headers of files that are chosen, before they are sent.
 * @param {File[]} files
 */
async function inspectAll(files) {
  const turn = ++lastInspection;
  /** @type {string[]} */
  const shown = [];
  for (const file of files.slice(0, mostInspected)) {
    const body = new FormData(form);
    body.delete("files");
    body.set("name", file.name);
    body.set("beginning", file.slice(0, Number(form.dataset.mostBeginning)), file.name);
    const answer = await fetch(form.dataset.inspect ?? "", { method: "POST", body });
    if (answer.ok) shown.push(await answer.text());
  }
  // A later choice has been shown meanwhile.
  if (turn !== lastInspection) return;
  inspected.innerHTML = shown.join("");
  const left = files.length - mostInspected;
  if (left > 0) inspected.insertAdjacentText("beforeend", `${left} more files are examined when they are uploaded.`);
}

/**
 * Hand in each file, null for what else the form holds, after those that are being sent.
 * @param {(File | null)[]} files
 */
async function sendAll(files) {
  waiting.push(...files.map((file) => ({ file, key: newKey() })));
  if (isSending) return;
  isSending = true;
  button.disabled = true;
  for (let thing; (thing = waiting.shift()); ) await send(thing);
  button.disabled = false;
  isSending = false;
}

/**
 * Send one thing; what it is sent under stays the same when it is tried again, so that it is taken once.
 * @param {Thing} thing
 * @param {HTMLElement} line
 * @returns {Promise<void>}
 */
function send({ file, key }, line = newLine(file)) {
  const bar = document.createElement("progress");
  bar.max = 1;
  bar.value = 0;
  bar.setAttribute("aria-label", "Sent");
  line.append(bar);
  if (file && file.size > mostBytes) {
    refuse(line, [`This file is larger than the limit of ${form.dataset.mostMb} MB (ingest.max_file_mb).`]);
    return Promise.resolve();
  }
  const body = new FormData(form);
  body.delete("files");
  body.set("key", key);
  if (file) {
    body.delete("fits_url");
    body.append("files", file, file.name);
  }
  return new Promise((done) => {
    const request = new XMLHttpRequest();
    request.open("POST", location.href);
    request.setRequestHeader("X-Requested-With", "fetch");
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) bar.value = event.loaded / event.total;
    });
    request.addEventListener("loadend", () => {
      finish(line, request, { file, key });
      done();
    });
    request.send(body);
  });
}

/**
 * @param {HTMLElement} line
 * @param {XMLHttpRequest} request
 * @param {Thing} thing
 */
function finish(line, request, thing) {
  let told = null;
  try {
    told = JSON.parse(request.responseText);
  } catch {
    // An answer that is no JSON is told below.
  }
  if (!Array.isArray(told?.deliveries)) {
    refuse(line, [without(request)], thing);
    return;
  }
  if (told.refusals.length) refuse(line, told.refusals);
  else {
    line.remove();
    if (!thing.file) address.value = "";
  }
  for (const page of told.deliveries) {
    document.getElementById("no-deliveries")?.remove();
    // The same thing sent again is shown where it is.
    const known = document.getElementById(`delivery-${page.split("/").at(-2)}`);
    if (known) window.htmx.ajax("GET", page, { target: known, swap: "outerHTML" });
    else window.htmx.ajax("GET", page, { target: arrived, swap: "afterbegin" });
  }
}

/**
 * Say why there is no answer that can be read.
 * @param {XMLHttpRequest} request
 */
function without(request) {
  if (request.status === 0) return "The server could not be reached. Try again: if it did arrive, it is not ingested twice.";
  if (request.status === 403) return "You are logged out, or your role does not allow this. Reload the page.";
  if (request.status === 413) return "This file is larger than the web server accepts. Copy it into the watched folder instead.";
  if (request.responseURL.includes("/accounts/login/")) return "You are logged out. Reload the page to log in.";
  return `The server answered ${request.status}. Try again: if it did arrive, it is not ingested twice.`;
}

/**
 * Say what was refused and why.
 * @param {HTMLElement} line
 * @param {string[]} reasons
 * @param {Thing} [again]  what can be sent once more as it is
 */
function refuse(line, reasons, again) {
  line.querySelector("progress")?.remove();
  const told = document.createElement("div");
  const state = document.createElement("span");
  state.className = "state bad";
  state.textContent = again ? "not sent" : "rejected";
  const reason = document.createElement("p");
  reason.className = "reason";
  reason.textContent = reasons.join(" ");
  told.append(state, reason);
  if (again) {
    const retry = document.createElement("button");
    retry.type = "button";
    retry.textContent = "Try again";
    retry.addEventListener("click", () => {
      told.remove();
      send(again, line);
    });
    told.append(retry);
  }
  line.append(told);
}

/** @param {File | null} file */
function newLine(file) {
  const line = document.createElement("li");
  line.className = "delivery";
  const name = document.createElement("strong");
  name.className = "name";
  name.textContent = file ? file.name : address.value || "Nothing selected";
  line.append(name, " ");
  sending.append(line);
  return line;
}
