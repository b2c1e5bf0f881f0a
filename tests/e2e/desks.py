"""People at windows of triage, each with a browser of their own, for tests of what they see and do."""

from __future__ import annotations

import time
from typing import Any

from django.contrib.auth.models import Group
from django.test import Client
from playwright.sync_api import Browser, Locator, Page, expect
from playwright.sync_api import Error as PlaywrightError

from catalog.models import User
from curation.models import ValidationEvent
from detection.models import Detection
from tests.curation.cutouts import cutouts, store
from tests.factories import (
    CandidateFactory,
    DetectionFactory,
    DifferenceRunFactory,
    ModelRunFactory,
    SourceFactory,
    UserFactory,
)
from tests.waiting import PATIENCE_SECONDS

# So many pages one may be sent through, as after a log-out.
_TURNS = 5
SCREEN = {"width": 1366, "height": 768}


class Desk:
    """A person at a window of their own."""

    def __init__(
        self,
        browser: Browser,
        address: str,
        user: User | None = None,
        *,
        has_worker: bool = True,
        has_touch: bool = False,
    ) -> None:
        """Where a test answers in the server's place, the service worker has to go: while one starts, the browser asks
        the network beside it, and nobody can step in between."""
        self.address = address
        self.user = user or curator()
        workers = "allow" if has_worker else "block"
        self.context = browser.new_context(viewport=SCREEN, service_workers=workers, has_touch=has_touch)
        self.context.set_default_timeout(PATIENCE_SECONDS * 1000)
        client = Client()
        client.force_login(self.user)
        session = client.cookies["sessionid"].value
        self.context.add_cookies([{"name": "sessionid", "value": session, "url": address}])
        self.page: Page = self.context.new_page()
        self.faults: list[str] = []
        self.under_way: set[Any] = set()
        # Those of the service worker too.
        self.context.on("request", self._begin)
        for name in ("requestfinished", "requestfailed"):
            self.context.on(name, self._end)
        self.page.on("framenavigated", self._replaced)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))

    def _begin(self, request: Any) -> None:
        self.under_way.add(request)

    def _end(self, request: Any) -> None:
        self.under_way.discard(request)

    def _replaced(self, frame: Any) -> None:
        """Forget what the former document asked for: of requests that go with it, the end is not always reported."""
        former = {one for one in self.under_way if not one.is_navigation_request() and one.service_worker is None}
        self.under_way -= {one for one in former if one.frame == frame}

    def open(self, query: str = "") -> Desk:
        self.page.goto(f"{self.address}/triage/{query}")
        return self

    @property
    def main(self) -> Locator:
        return self.page.locator("main")

    def shown(self) -> str:
        """Return the key of the detection on screen, once it is painted."""
        ready = self.page.locator('main[data-viewer-ready="true"]')
        ready.wait_for()
        return ready.get_attribute("data-detection-id") or ""

    def press(self, *keys: str) -> list[str]:
        """Press keys, each when another detection is painted; return those that were on screen."""
        seen = []
        for key in keys:
            seen.append(self.shown())
            self.page.keyboard.press(key)
            self.page.locator(f'main:not([data-detection-id="{seen[-1]}"])').wait_for()
        return seen

    def settled(self) -> Desk:
        """Wait until the page has what it asked for: the next ones, images and all."""
        quiet, deadline = 0, time.monotonic() + PATIENCE_SECONDS
        while quiet < 6:
            assert time.monotonic() < deadline, "The page asks and asks."
            self.page.wait_for_timeout(50)
            quiet = 0 if self.under_way else quiet + 1
        return self

    def leave(self) -> None:
        """Close the window when nothing is under way any more: the database is emptied after the test."""
        self.page.route("**/triage/**", lambda route: route.abort())
        self._send_nothing()
        self.settled()
        self.context.close()

    def _send_nothing(self) -> None:
        """Keep the page from sending anything as it goes; one that is on its way to another page is waited for."""
        for _ in range(_TURNS):
            try:
                self.page.wait_for_load_state()
                return self.page.evaluate("() => { navigator.sendBeacon = () => true; }")
            except PlaywrightError:
                self.page.wait_for_timeout(100)
        raise AssertionError("The page goes from one to the next.")

    def saved(self) -> None:
        expect(self.main).to_have_attribute("data-unsaved", "0")


def curator(name: str = "") -> User:
    user: User = UserFactory(**({"username": name} if name else {}))
    user.groups.add(Group.objects.get(name="curator"))
    return user


def detections(count: int) -> list[Detection]:
    """Return detections of one frame with their cutouts, the best first, each of a source of its own."""
    run = DifferenceRunFactory()
    model_run = ModelRunFactory(observation=run.observation)
    rows: list[Detection] = []
    for number in range(count):
        candidate = CandidateFactory(difference_run=run)
        score = 0.99 - number / 100
        rows.append(
            DetectionFactory(candidate=candidate, model_run=model_run, source=SourceFactory(), confidence_score=score)
        )
        store(rows[-1], cutouts(number))
    return rows


def verdicts() -> dict[str, tuple[bool | None, str, str]]:
    rows = ValidationEvent.objects.filter(kind="verdict").values_list(
        "detection", "is_valid", "label", "confidence_level"
    )
    return {str(key): (is_valid, label, level) for key, is_valid, label, level in rows}
