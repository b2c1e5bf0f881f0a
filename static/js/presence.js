// Says every few seconds that the page is open, and tells what the server has for its person: who has contradicted them.

/**
 * @typedef {{keys: string[], text: string, detection: string}} News
 * @typedef {{windows: number, news: News | null}} Reply
 */

export class Presence {
  /**
   * @param {(told?: string[]) => Promise<Reply>} ask
   * @param {{onWindows: (windows: number) => unknown, isTelling: () => boolean, tell: (news: News) => void}} page
   */
  constructor(ask, page) {
    this.ask = ask;
    this.page = page;
    /** @type {Set<string>} what was told here, whether or not the server has heard of it */
    this.told = new Set();
  }

  /** Ask once; without an answer nothing happens, since other requests say what is wrong. */
  async beat() {
    try {
      const { windows, news } = await this.ask();
      this.page.onWindows(windows);
      if (news) await this.#bring(news);
    } catch { /* It comes with the next one. */ }
  }

  /**
   * One at a time: what comes while another stands there waits until that one is closed.
   * @param {News} news
   */
  async #bring(news) {
    const isNew = !news.keys.every((key) => this.told.has(key));
    if (isNew && this.page.isTelling()) return;
    if (isNew) this.page.tell(news);
    for (const key of news.keys) this.told.add(key);
    // At once, so that another window of the same person does not tell it too.
    await this.ask(news.keys);
  }
}
