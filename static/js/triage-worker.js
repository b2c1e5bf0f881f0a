// Stands between triage and the network, and does one thing: whoever loads the page while the server cannot be reached gets
// the page as it was last, with its own files; its script then goes on with what was fetched ahead. Nothing else is answered
// from here, and of other pages nothing is kept.

/** @type {ServiceWorkerGlobalScope} */
const worker = /** @type {any} */ (self);
const { scope } = worker.registration;
const AWAY = new URL("away", scope).href;
// What the page is drawn with; the page that registers this names it. The addresses of one version of the program share a
// folder, so each version has a script, and files, of its own.
const PARTS = new URL(worker.location.href).searchParams.getAll("part").map((path) => new URL(path, worker.location.origin).href);
// So long the server may say nothing where what is kept can be shown in the place of its answer.
const PATIENCE_MS = 8000;
const FILES = "triage-files ", OWN_FILES = FILES + worker.location.search;
// As in forget.js, which drops both with the log-out.
const QUEUE = "triage-queue ", PAGE = "triage-page";

worker.addEventListener("install", (event) => {
  // What is sent does not even wake this script, where the browser can arrange that.
  /** @type {any} */ (event).addRoutes?.([{ condition: { requestMethod: "POST" }, source: "network" }]);
  const keep = async () => {
    const files = await caches.open(OWN_FILES);
    await files.addAll([new Request(AWAY, { cache: "no-cache" }), ...PARTS]);
    await worker.skipWaiting();
  };
  event.waitUntil(keep());
});

worker.addEventListener("activate", (event) => {
  const drop = async () => {
    // Those of former versions, whatever they were called.
    const isOurs = (/** @type {string} */ name) => name === OWN_FILES || name === PAGE || name.startsWith(QUEUE);
    for (const name of await caches.keys()) if (name.startsWith("triage-") && !isOurs(name)) await caches.delete(name);
    await worker.clients.claim();
  };
  event.waitUntil(drop());
});

/** @param {string} address */
function isTriage(address) { return new URL(address).pathname === new URL(scope).pathname; }

/**
 * Keep the page as it was answered, and no other one.
 * @param {string} address
 * @param {Response} answer
 */
async function keepPage(address, answer) {
  const pages = await caches.open(PAGE);
  await pages.put(address, answer);
  for (const { url } of await pages.keys()) if (url !== address) await pages.delete(url);
}

/** Whoever is sent elsewhere is logged out. */
async function forget() {
  for (const name of await caches.keys()) if (name === PAGE || name.startsWith(QUEUE)) await caches.delete(name);
}

/**
 * Return the page as it was last, if it is of the version whose files lie here.
 * @param {string} address
 */
async function keptPage(address) {
  const page = await caches.match(address, { cacheName: PAGE, ignoreVary: true });
  const isSameVersion = page && (await page.clone().text()).includes(new URL(PARTS[0]).pathname);
  return isSameVersion ? page : undefined;
}

/**
 * Return what the network answers, a page of triage as a whole; null where the server cannot be reached, or was lost amid
 * its answer.
 * @param {Request} request
 */
async function asked(request) {
  try {
    const answer = await fetch(request);
    return answer.ok && isTriage(request.url) ? new Response(await answer.arrayBuffer(), answer) : answer;
  } catch { return null; }
}

/**
 * Return what comes, or null where that takes too long: a server may take connections and never answer.
 * @param {Promise<Response | null>} coming
 */
async function inTime(coming) {
  let timer = 0;
  /** @type {Promise<null>} */
  const late = new Promise((resolve) => { timer = setTimeout(() => resolve(null), PATIENCE_MS); });
  const first = await Promise.race([coming, late]);
  clearTimeout(timer);
  return first;
}

/**
 * Answer a navigation: by the network, else with what is kept.
 * @param {FetchEvent} event
 */
async function pageFor(event) {
  const { url } = event.request;
  const coming = asked(event.request);
  const isKept = isTriage(url) && Boolean(await keptPage(url));
  let answer = await (isKept ? inTime(coming) : coming);
  if (isTriage(url)) {
    if (answer?.ok) event.waitUntil(keepPage(url, answer.clone()));
    else if (answer && answer.status < 500) event.waitUntil(forget());
    else answer = (await keptPage(url)) ?? answer;
  }
  return answer ?? (await caches.match(AWAY, { cacheName: OWN_FILES })) ?? Response.error();
}

/**
 * Ask the network for a file; where it does not come, take it from here.
 * @param {Request} request
 */
async function partFor(request) {
  const coming = asked(request);
  const kept = await caches.match(request.url, { cacheName: OWN_FILES, ignoreVary: true });
  const answer = await (kept ? inTime(coming) : coming);
  return answer?.ok ? answer : kept ?? answer ?? Response.error();
}

worker.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.mode === "navigate") event.respondWith(pageFor(event));
  // What a page sends as it goes would go with it.
  else if (request.keepalive) event.respondWith(fetch(request));
  else if (PARTS.includes(request.url)) event.respondWith(partFor(request));
});

worker.addEventListener("message", (event) => {
  const { keep } = event.data;
  const fetchPage = async () => {
    if (!isTriage(keep) || (await keptPage(keep))) return;
    const answer = await fetch(keep, { redirect: "manual" });
    if (answer.ok) await keepPage(keep, answer);
  };
  event.waitUntil(fetchPage().catch(() => { /* The next time. */ }));
});
