// What triage asks of the server.

/**
 * @typedef {import("./lineup.js").Answer} Answer
 * @typedef {"next" | "answers" | "deferrals" | "said" | "release" | "presence" | "rejectFrame" | "takeBackFrame"} Name
 */

/** The server cannot be reached, or is in trouble itself: what is asked of it may succeed later. */
export class ServerAway extends Error {}

export class Server {
  /**
   * @param {DOMStringMap} addresses  of the page, as nextUrl
   * @param {string} person  whom the page was made for
   * @param {string} window  key of this page alone
   */
  constructor(addresses, person, window) {
    this.addresses = addresses;
    this.person = person;
    this.window = window;
    // Whether single detections are reviewed, and not objects.
    this.byDetection = addresses.byDetection === "true";
  }

  /**
   * Send something; an answer keeps the window that it was given in.
   * @param {Name} name
   * @param {object} body
   * @param {AbortSignal} [signal]
   */
  post(name, body, signal) {
    return fetch(this.#address(name), {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": token() },
      body: JSON.stringify({ window: this.window, person: this.person, by_detection: this.byDetection, ...body }),
      redirect: "manual",
      signal,
    });
  }

  /**
   * Ask for the next detections of the page's query; throws an Error with a sentence for people.
   * @param {object} body
   * @returns {Promise<Answer>}
   */
  next(body) { return this.#ask("next", { query: location.search.slice(1), ...body }); }

  /**
   * Ask what people say of a detection now.
   * @param {string} detection
   * @returns {Promise<{said: string, own: import("./line.js").Own | null}>}
   */
  said(detection) { return this.#ask("said", { detection }); }

  /**
   * Return what rejecting the frame of a detection would be about, as HTML.
   * @param {string} detection
   * @returns {Promise<string>}
   */
  async frame(detection) {
    const response = await fetch(`${this.#address("frame")}?detection=${detection}`, {
      redirect: "manual", headers: { "HX-Request": "true" },
    }).catch(() => null);
    if (!response) throw new Error("A frame can be rejected only while the server can be reached.");
    if (response.type === "opaqueredirect") throw new Error("You are logged out: reload this page to log in.");
    if (!response.ok) throw new Error(`The server reported an error (${response.status}).`);
    return response.text();
  }

  /**
   * Reject a frame.
   * @param {object} body
   * @returns {Promise<{detections: string[]}>}
   */
  rejectFrame(body) { return this.#ask("rejectFrame", body); }

  /**
   * Take the rejection of a frame back; return how many answers that were.
   * @param {string} group
   * @returns {Promise<{count: number}>}
   */
  takeBackFrame(group) { return this.#ask("takeBackFrame", { group }); }

  /** @param {string[]} keys */
  release(keys) {
    // Read to its end, an answer frees its connection.
    this.post("release", { keys }).then((answer) => answer.text()).catch(() => { /* They lapse by themselves. */ });
  }

  /**
   * Say that this window is open, and what it has told; return how many hold something now, and news.
   * @param {string[]} [told]
   * @returns {Promise<import("./presence.js").Reply>}
   */
  isHere(told = []) { return this.#ask("presence", { told }); }

  /**
   * Give back what is held while the page goes, but for what waits to be sent.
   * @param {string[]} kept
   */
  leave(kept) {
    const form = { window: this.window, person: this.person, kept: kept.join(","), csrfmiddlewaretoken: token() };
    navigator.sendBeacon(this.#address("release"), new URLSearchParams(form));
  }

  /** @param {string} name */
  #address(name) { return this.addresses[`${name}Url`] ?? ""; }

  /**
   * @param {Name} name
   * @param {object} body
   */
  async #ask(name, body) {
    let response;
    try {
      response = await this.post(name, body);
    } catch {
      throw new ServerAway("The server cannot be reached.");
    }
    if (response.type === "opaqueredirect") throw new Error("You are logged out: reload this page to log in.");
    if (response.status >= 500) throw new ServerAway(`The server reported an error (${response.status}).`);
    const given = await response.json().catch(() => ({}));
    if (!response.ok) throw new Error(given.detail ?? `The server reported an error (${response.status}).`);
    return given;
  }
}

function token() {
  const headers = JSON.parse(document.body.getAttribute("hx-headers") ?? "{}");
  return document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1] ?? headers["X-CSRFToken"];
}
