"""Chromium for the tests of pages: the one on PATH where there is one, else Playwright's own."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.signals import request_finished, request_started
from django.db import connection, connections
from playwright.sync_api import Browser, Page, expect, sync_playwright

from catalog.models import User
from tests.e2e.desks import Desk
from tests.waiting import PATIENCE_SECONDS

expect.set_options(timeout=PATIENCE_SECONDS * 1000)

_HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests of this folder need a browser."""
    for item in items:
        if item.path.is_relative_to(_HERE):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="module")
def switches() -> list[str]:
    """Return what Chromium is started with; files of tests may have their own."""
    return []


@pytest.fixture(scope="module")
def browser(switches: list[str]) -> Iterator[Browser]:
    """Start the browser for a file of tests; without one they fail and say what to do.

    Playwright's event loop ends with it: other tests of the same process may need one of their own.
    """
    # Chromium's own sandbox refuses to run as root.
    arguments = [*switches, "--no-sandbox"] if os.geteuid() == 0 else switches
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Playwright keeps an event loop in this thread, in which Django would refuse the database.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        chromium = shutil.which("chromium") or shutil.which("chromium-browser")
        own = playwright.chromium.executable_path
        if chromium is None and not Path(own).is_file():
            pytest.fail(
                "There is no Chromium. On Debian: apt-get install chromium; elsewhere: .venv/bin/playwright install "
                "chromium. To leave these tests out on purpose: pytest -m 'not browser'."
            )
        browser = playwright.chromium.launch(executable_path=chromium or own, args=arguments)
        yield browser
        browser.close()


class Served:
    """How many requests the server works at; a browser that has gone tells nothing of those that it left behind."""

    def __init__(self) -> None:
        self.count = 0
        self.changed = threading.Condition()

    def begin(self, **_: object) -> None:
        with self.changed:
            self.count += 1

    def end(self, **_: object) -> None:
        with self.changed:
            self.count -= 1
            self.changed.notify_all()

    def wait_for_none(self) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: self.count <= 0, PATIENCE_SECONDS), "The server works and works."


@pytest.fixture
def served() -> Iterator[Served]:
    """Count what the server works at; connections are closed before a request counts as done."""
    served = Served()
    request_started.connect(served.begin)
    request_finished.connect(served.end)
    yield served
    request_started.disconnect(served.begin)
    request_finished.disconnect(served.end)


@pytest.fixture
def page(browser: Browser, served: Served) -> Iterator[Page]:
    """Give a test a page of its own; the test fails afterwards where the browser's console held an error.

    It ends when the server has ended, too: what it still asks the database stands against the flush after the test.
    """
    context = browser.new_context(viewport={"width": 1366, "height": 768})
    context.set_default_timeout(PATIENCE_SECONDS * 1000)
    page, faults = context.new_page(), []
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    yield page
    context.close()
    served.wait_for_none()
    assert faults == []


@pytest.fixture(scope="session", autouse=True)
def _nobody_left_behind(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """End what threads of the test server have left open, before the database is dropped: a browser that is closed lets
    go of requests that the server still writes to."""
    yield
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        connection.close()


@pytest.fixture
def desk(browser: Browser, live_server: Any, served: Served) -> Iterator[Any]:
    """Give a test as many people as it asks for, each with a window."""
    desks: list[Desk] = []

    def sit_down(user: User | None = None, *, has_worker: bool = True, has_touch: bool = False) -> Desk:
        desks.append(Desk(browser, live_server.url, user, has_worker=has_worker, has_touch=has_touch))
        return desks[-1]

    yield sit_down
    for one in desks:
        one.leave()
    served.wait_for_none()
    assert [fault for one in desks for fault in one.faults] == []
    connections.close_all()
