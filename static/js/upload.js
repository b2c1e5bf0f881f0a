// Sends files one after the other, shows how far each has come, then what the pipeline makes of it.

const form = document.getElementById("upload");
const chooser = document.getElementById("id_files");
const drop = document.getElementById("drop");
const sending = document.getElementById("sending");
const arrived = document.getElementById("deliveries");
const button = form.querySelector("button");
const mostBytes = Number(form.dataset.mostMb) * 1e6;

for (const name of ["dragenter", "dragover"]) {
  drop.addEventListener(name, (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
}
for (const name of ["dragleave", "drop"]) drop.addEventListener(name, () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  sendAll([...event.dataTransfer.files]);
});

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const files = [...chooser.files];
  if (form.fits_url.value || !files.length) files.push(null);
  sendAll(files);
});

/** Hand in each file, null for what else the form holds; meanwhile the button does nothing. */
async function sendAll(files) {
  button.disabled = true;
  for (const file of files) await send(file);
  chooser.value = "";
  form.fits_url.value = "";
  button.disabled = false;
}

function send(file) {
  const line = document.createElement("li");
  line.className = "delivery";
  const name = document.createElement("strong");
  name.textContent = file ? file.name : form.fits_url.value || "Nothing chosen";
  const bar = document.createElement("progress");
  bar.max = 1;
  bar.value = 0;
  line.append(name, " ", bar);
  sending.append(line);
  if (file && file.size > mostBytes) {
    refuse(line, bar, [`It is larger than ${form.dataset.mostMb} MB, the most that is taken (ingest.max_file_mb).`]);
    return Promise.resolve();
  }
  const body = new FormData(form);
  body.delete("files");
  if (file) {
    body.delete("fits_url");
    body.append("files", file, file.name);
  }
  return new Promise((done) => {
    const request = new XMLHttpRequest();
    request.open("POST", form.action || location.href);
    request.setRequestHeader("X-Requested-With", "fetch");
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) bar.value = event.loaded / event.total;
    });
    request.addEventListener("loadend", () => {
      finish(line, bar, request);
      done();
    });
    request.send(body);
  });
}

function finish(line, bar, request) {
  let told = null;
  try {
    told = JSON.parse(request.responseText);
  } catch {
    // An answer that is no JSON is told below.
  }
  if (told === null) {
    const lost = request.status === 0 ? "The server cannot be reached." : `The server answered ${request.status}.`;
    refuse(line, bar, [`${lost} Nothing was taken: hand it in again.`]);
    return;
  }
  if (told.refusals.length) refuse(line, bar, told.refusals);
  else line.remove();
  document.getElementById("no-deliveries")?.remove();
  for (const page of told.deliveries) window.htmx.ajax("GET", page, { target: arrived, swap: "afterbegin" });
}

function refuse(line, bar, reasons) {
  bar.remove();
  const state = document.createElement("span");
  state.className = "state bad";
  state.textContent = "refused";
  const reason = document.createElement("p");
  reason.className = "reason";
  reason.textContent = reasons.join(" ");
  line.append(state, reason);
}
