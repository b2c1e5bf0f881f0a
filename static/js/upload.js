// Sends files one after the other, shows how far each has come, then what the pipeline makes of it.

const form = document.getElementById("upload");
const chooser = document.getElementById("id_files");
const drop = document.getElementById("drop");
const sending = document.getElementById("sending");
const arrived = document.getElementById("deliveries");
const button = form.querySelector("button");
const mostBytes = Number(form.dataset.mostMb) * 1e6;
const waiting = [];
let isSending = false;

// A file that is dropped beside the frame would replace the page, and what is being sent with it.
for (const name of ["dragover", "drop"]) window.addEventListener(name, (event) => event.preventDefault());
for (const name of ["dragenter", "dragover"]) drop.addEventListener(name, () => drop.classList.add("over"));
for (const name of ["dragleave", "drop"]) drop.addEventListener(name, () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => sendAll([...event.dataTransfer.files]));

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (isSending) return;
  const files = [...chooser.files];
  if (form.fits_url.value || !files.length) files.push(null);
  chooser.value = "";
  sendAll(files);
});

window.addEventListener("beforeunload", (event) => {
  if (isSending) event.preventDefault();
});

/** Hand in each file, null for what else the form holds, after those that are being sent. */
async function sendAll(files) {
  waiting.push(...files.map((file) => ({ file, key: newKey() })));
  if (isSending) return;
  isSending = true;
  button.disabled = true;
  while (waiting.length) await send(waiting.shift());
  button.disabled = false;
  isSending = false;
}

/** Send one thing; what it is sent under stays the same when it is tried again, so that it is taken once. */
function send({ file, key }, line = newLine(file)) {
  const bar = document.createElement("progress");
  bar.max = 1;
  bar.value = 0;
  bar.setAttribute("aria-label", "Sent");
  line.append(bar);
  if (file && file.size > mostBytes) {
    refuse(line, [`It is larger than ${form.dataset.mostMb} MB, the most that is taken (ingest.max_file_mb).`]);
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
    if (!thing.file) form.fits_url.value = "";
  }
  for (const page of told.deliveries) {
    document.getElementById("no-deliveries")?.remove();
    // The same thing sent again is shown where it is.
    const known = document.getElementById(`delivery-${page.split("/").at(-2)}`);
    if (known) window.htmx.ajax("GET", page, { target: known, swap: "outerHTML" });
    else window.htmx.ajax("GET", page, { target: arrived, swap: "afterbegin" });
  }
}

/** Say why there is no answer that can be read. */
function without(request) {
  if (request.status === 0) return "The server could not be reached. Try again: it is taken only once.";
  if (request.status === 403) return "You are logged out, or your role does not include this. Load the page again.";
  if (request.status === 413) return "It is larger than what the web server lets pass. Copy it into the watched folder instead.";
  if (request.responseURL.includes("/accounts/login/")) return "You are logged out. Load the page again to log in.";
  return `The server answered ${request.status}. Try again: it is taken only once.`;
}

/** Say what was refused and why; `again`: what can be sent once more as it is. */
function refuse(line, reasons, again = null) {
  line.querySelector("progress")?.remove();
  const told = document.createElement("div");
  const state = document.createElement("span");
  state.className = "state bad";
  state.textContent = again ? "not sent" : "refused";
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

function newLine(file) {
  const line = document.createElement("li");
  line.className = "delivery";
  const name = document.createElement("strong");
  name.className = "name";
  name.textContent = file ? file.name : form.fits_url.value || "Nothing chosen";
  line.append(name, " ");
  sending.append(line);
  return line;
}

/** Return a random UUID; the browser's own maker of them is missing where a page comes without https. */
function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, "$1-$2-$3-$4-$5");
}
