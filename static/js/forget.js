// What browsers keep of triage is one person's: with the log-out, or when somebody else comes, it goes. Answers that wait to
// be sent stay, since only their own person can send them (outbox.js).

const KEEPER = "astrid.keeper";
export const QUEUE = "triage-queue ", PAGE = "triage-page";

/** Drop what is kept, whoever's it is. */
export async function forget() {
  remember("");
  if (typeof caches === "undefined") return;
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name === PAGE || name.startsWith(QUEUE)).map((name) => caches.delete(name)));
}

/**
 * Drop what is kept unless it is this person's, "" for nobody.
 * @param {string} person
 */
export async function forgetOthers(person) {
  if (![null, person].includes(keeper())) await forget();
}

/**
 * Note whose it is.
 * @param {string} person
 */
export function remember(person) {
  try {
    if (person) localStorage.setItem(KEEPER, person);
    else localStorage.removeItem(KEEPER);
  } catch { /* Then nothing else is kept either. */ }
}

function keeper() {
  try { return localStorage.getItem(KEEPER); } catch { return null; }
}
