// The rejection of a whole frame: what it would be about is asked of the server, and shown before.

import { fragment, part } from "./dom.js";
import { newKey } from "./ids.js";
import { say } from "./site.js";

/** @typedef {{group: string, detections: string[], name: string}} Rejected */

export class FrameRejection {
  /**
   * @param {import("./triage-server.js").Server} server
   * @param {(done: Rejected) => void} onDone
   */
  constructor(server, onDone) {
    this.server = server;
    this.onDone = onDone;
    this.dialog = part("#reject-frame", HTMLDialogElement);
    /** @type {{detection: string, group: string, visible_context: object}} */
    this.asked = { detection: "", group: "", visible_context: {} };
    this.dialog.addEventListener("submit", (event) => {
      if (!(event.submitter instanceof HTMLButtonElement) || event.submitter.value !== "reject") return;
      event.preventDefault();
      this.#reject(event.submitter);
    });
  }

  /**
   * Show what it would be about.
   * @param {string} detection  the one that is large on screen
   * @param {object} context  what is on screen
   */
  async open(detection, context) {
    let html;
    try { html = await this.server.frame(detection); } catch (error) { return say(wordsOf(error), "warning"); }
    this.asked = { detection, group: newKey(), visible_context: context };
    this.dialog.replaceChildren(fragment(html));
    this.dialog.showModal();
  }

  /**
   * Take back what was rejected, if that is what was done; return false where that was not possible.
   * @param {import("./triage-state.js").Done | undefined} done
   */
  async takeBack(done) {
    if (done?.of !== "frame") return true;
    try { await this.server.takeBackFrame(done.id); } catch (error) {
      say(wordsOf(error), "error");
      return false;
    }
    return true;
  }

  /** @param {HTMLButtonElement} button */
  async #reject(button) {
    const told = part("[data-told]", HTMLElement, this.dialog), name = part("[data-name]", HTMLElement, this.dialog);
    const label = part("select", HTMLSelectElement, this.dialog).value, notes = part("textarea", HTMLTextAreaElement, this.dialog).value;
    button.disabled = true;
    told.textContent = "Rejecting …";
    try {
      const { detections } = await this.server.rejectFrame({ ...this.asked, label, notes });
      this.dialog.close();
      this.onDone({ group: this.asked.group, detections, name: name.textContent ?? "The frame" });
    } catch (error) {
      // The key is the same when it is tried again: what was stored is not stored twice.
      told.textContent = wordsOf(error);
      button.disabled = false;
    }
  }
}

/** @param {unknown} error */
function wordsOf(error) { return error instanceof Error ? error.message : String(error); }
