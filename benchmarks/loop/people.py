"""A curator and an administrator at pages of the site, in a real browser; the curator knows the truth."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright
from playwright.sync_api import TimeoutError as NothingComes

from benchmarks.loop import site
from benchmarks.loop.judging import Verdict

VIEWPORT: ViewportSize = {"width": 1366, "height": 768}
_READY = "main[data-viewer-ready='true']"
# An object is on screen, another than the one before; or nothing is left, and nothing is being fetched.
_NEXT = """(before) => {
  const main = document.querySelector("main"), empty = document.getElementById("empty");
  const isNext = main.dataset.viewerReady === "true" && main.dataset.detectionId !== before;
  return isNext || (!empty.hidden && !document.getElementById("empty-title").textContent.startsWith("Fetching"));
}"""
_PATIENCE_MS, _NO_OTHER_MS = 120_000, 30_000


@dataclass
class Given:
    """What a curator gave: answers by what they said, objects that were passed over, and the seconds it took."""

    answers: dict[str, int] = field(default_factory=lambda: {"v": 0, "x": 0})
    passed_over: int = 0
    seconds: float = 0.0

    @property
    def count(self) -> int:
        return sum(self.answers.values())


@contextmanager
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=arguments)
        yield opened
        opened.close()


def page_of(opened: Browser, session: str) -> Page:
    """Open a window of somebody who is logged in."""
    context = opened.new_context(viewport=VIEWPORT)
    context.set_default_timeout(_PATIENCE_MS)
    context.add_cookies([{"name": "sessionid", "value": session, "url": site.address()}])
    return context.new_page()


def answer(page: Page, known: Callable[[str], Verdict], most: int) -> Given:
    """Answer about single detections by keys, as they come, until there are so many answers or none is left."""
    given, begun = Given(), time.monotonic()
    page.goto(f"{site.address()}/triage/?by=detection")
    shown, seen = "", set[str]()
    while given.count < most:
        try:
            page.wait_for_function(_NEXT, arg=shown, timeout=_PATIENCE_MS if shown not in seen else _NO_OTHER_MS)
        except NothingComes:
            break  # what was passed over is all that is left
        shown = page.locator("main").get_attribute("data-detection-id") or ""
        if not page.locator(_READY).count() or shown in seen:
            break
        seen.add(shown)
        key = {Verdict.REAL: "v", Verdict.FALSE: "x", Verdict.UNCLEAR: "j"}[known(shown)]
        page.keyboard.press(key)
        if key == "j":
            given.passed_over += 1
        else:
            given.answers[key] += 1
    page.locator("main[data-unsaved='0']").wait_for()
    given.seconds = time.monotonic() - begun
    page.goto("about:blank")
    return given


class Administrator:
    """Presses the buttons of the pages of models, and reads what they say."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def train_on_answers(self) -> None:
        self._page.goto(f"{site.address()}/models/")
        self._page.get_by_role("button", name="Train on these answers").click()
        self._page.wait_for_url("**/jobs/**")

    def press(self, model: str, button: str) -> str:
        """Press a button on a model's page; return what the page says then."""
        self._page.goto(f"{site.address()}/models/{model}/")
        self._page.get_by_role("button", name=button).click()
        return self._said()

    def choose_threshold(self, model: str, missed_per_cent: float) -> str:
        self._page.goto(f"{site.address()}/models/{model}/threshold/")
        self._page.get_by_label("Chosen by").select_option("missed_rate")
        self._page.get_by_label("Share in per cent").fill(f"{missed_per_cent:g}")
        self._page.get_by_role("button", name="Use from now on").click()
        return self._said()

    def calibrate(self, model: str) -> str:
        self._page.goto(f"{site.address()}/models/{model}/threshold/")
        self._page.get_by_role("button", name="Calibrate now").click()
        return self._said()

    def read(self, path: str) -> str:
        """Return what a page says."""
        self._page.goto(f"{site.address()}{path}")
        return self._page.locator("main").inner_text()

    def _said(self) -> str:
        return self._page.locator("#messages").inner_text().strip()
