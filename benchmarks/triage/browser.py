"""Triage in a real browser: how soon it is there, how soon the next object is, and what looking costs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypedDict

from playwright.sync_api import BrowserContext, CDPSession, Page, sync_playwright

VIEWPORT = {"width": 1366, "height": 768}
READY = "main[data-viewer-ready='true']"
# What a person takes to look.
_LOOK_MS = 300
# From the navigation, or from a key, to the frame after an object's cutouts are painted.
_WATCH = """() => {
  const watch = () => {
    const main = document.querySelector("main"); window.waits = []; window.begun = 0;
    let last = "";
    addEventListener("keydown", () => { window.begun = performance.now(); }, true);
    new MutationObserver(() => {
      if (main.dataset.viewerReady !== "true" || main.dataset.detectionId === last) return;
      last = main.dataset.detectionId; const since = window.begun;
      requestAnimationFrame(() => setTimeout(() => window.waits.push(performance.now() - since)));
    }).observe(main, { attributes: true });
  };
  document.addEventListener("DOMContentLoaded", watch);
}"""
_PAINTED = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0"
# Listeners of a key run before this returns.
_SCRIPT = """([keys, times]) => Array.from({ length: times }, (_, k) => {
  const key = keys[k % keys.length], begun = performance.now();
  document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  const took = performance.now() - begun;
  document.body.dispatchEvent(new KeyboardEvent("keyup", { key, bubbles: true }));
  return took;
})"""


class Desk:
    """A browser of somebody who is logged in; each page that it opens is the first one that it has ever seen."""

    def __init__(self, new_context: Callable[..., BrowserContext], address: str, session: str) -> None:
        self._new_context = new_context
        self._address = address
        self._session = session

    @contextmanager
    def page(self) -> Iterator[tuple[Page, CDPSession]]:
        """Open a page with nothing kept."""
        context = self._new_context(viewport=VIEWPORT)
        context.add_cookies([{"name": "sessionid", "value": self._session, "url": self._address}])
        context.add_init_script(f"({_WATCH})()")
        page = context.new_page()
        session = context.new_cdp_session(page)
        session.send("Network.enable")
        yield page, session
        # What it held is free for the next one.
        page.goto("about:blank")
        context.close()

    def open_cold(self) -> tuple[float, float, int]:
        """Return when something is painted, when the first object is, in milliseconds, and the bytes before that."""
        with self.page() as (page, session):
            loaded = _Loaded(session)
            page.goto(f"{self._address}/triage/", wait_until="commit")
            page.wait_for_function("() => window.waits?.length")
            return page.evaluate(_PAINTED), page.evaluate("window.waits[0]"), loaded.count

    def answer(self, keys: int, latency_ms: int, processor_s: Callable[[], float]) -> tuple[list[float], float]:
        """Answer with so many keys; return the time from each to the next object, and what one cost the server."""
        with self.page() as (page, session):
            page.goto(f"{self._address}/triage/")
            self._wait_until_filled(page)
            conditions = {"offline": False, "latency": latency_ms, "downloadThroughput": -1, "uploadThroughput": -1}
            session.send("Network.emulateNetworkConditions", conditions)
            page.evaluate("window.waits = []")
            before = processor_s()
            for number in range(keys):
                page.keyboard.press("x" if number % 2 else "v")
                page.wait_for_function("(count) => window.waits.length > count", arg=number)
                page.wait_for_timeout(_LOOK_MS)
            page.wait_for_selector("main[data-unsaved='0']")
            self._wait_until_filled(page)
            cost = 1000 * (processor_s() - before) / keys
            return page.evaluate("window.waits"), cost

    def look(self, times: int) -> dict[str, list[float]]:
        """Return the milliseconds of script that each look costs."""
        with self.page() as (page, _):
            page.goto(f"{self._address}/triage/")
            self._wait_until_filled(page)
            looks = {"stretch": ["s"], "zoom": ["+", "+", "-", "-"], "blink": [" "]}
            return {name: page.evaluate(_SCRIPT, [keys, times]) for name, keys in looks.items()}

    def _wait_until_filled(self, page: Page) -> None:
        page.wait_for_selector(READY)
        enough = "() => Number(document.querySelector('main').dataset.fetchedAhead) >= 50"
        page.wait_for_function(enough, timeout=120_000)
        page.wait_for_load_state("networkidle")


class _Event(TypedDict):
    requestId: str
    request: dict[str, str]
    encodedDataLength: float


class _Loaded:
    """Counts the bytes of all that a page loads but pixels, as they come."""

    def __init__(self, session: CDPSession) -> None:
        self.count = 0
        self._addresses: dict[str, str] = {}
        session.on("Network.requestWillBeSent", self._note)
        session.on("Network.loadingFinished", self._add)

    def _note(self, event: _Event) -> None:
        self._addresses[event["requestId"]] = event["request"]["url"]

    def _add(self, event: _Event) -> None:
        if "epochs=" not in self._addresses.get(event["requestId"], ""):
            self.count += int(event["encodedDataLength"])


@contextmanager
def desk(address: str, session: str) -> Iterator[Desk]:
    """Open a browser for somebody's session."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        yield Desk(browser.new_context, address, session)
        browser.close()
