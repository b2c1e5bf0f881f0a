// Stands between triage and the network, and does one thing: whoever loads the page while the server cannot be reached gets
// a page that says what is kept in the browser. Nothing else is answered from here, so nothing old is ever shown.

/** @type {ServiceWorkerGlobalScope} */
const worker = /** @type {any} */ (self);
const VERSION = "triage-1";
const AWAY = new URL("away", worker.registration.scope).href;
// What that page is drawn with; the page that registers this names it.
const PARTS = new URL(worker.location.href).searchParams.getAll("part").map((path) => new URL(path, worker.location.origin).href);

async function keep() {
  const cache = await caches.open(VERSION);
  await cache.addAll([AWAY, ...PARTS].map((address) => new Request(address, { cache: "no-cache" })));
}

worker.addEventListener("install", (event) => {
  // What is sent does not even wake this script, where the browser can arrange that.
  /** @type {any} */ (event).addRoutes?.([{ condition: { requestMethod: "POST" }, source: "network" }]);
  event.waitUntil(keep().then(() => worker.skipWaiting()));
});

worker.addEventListener("activate", (event) => {
  const drop = async () => {
    for (const name of await caches.keys()) if (name.startsWith("triage-") && name !== VERSION) await caches.delete(name);
    await worker.clients.claim();
  };
  event.waitUntil(drop());
});

/**
 * Ask the network; where it cannot be reached, take what is kept.
 * @param {Request} request
 * @param {string} address
 */
async function networkOr(request, address) {
  try {
    return await fetch(request);
  } catch (error) {
    const kept = await caches.match(address);
    if (kept) return kept;
    throw error;
  }
}

worker.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.mode === "navigate") event.respondWith(networkOr(request, AWAY));
  // What a page sends as it goes would go with it.
  else if (request.keepalive) event.respondWith(fetch(request));
  else if (PARTS.includes(request.url)) event.respondWith(networkOr(request, request.url));
});
