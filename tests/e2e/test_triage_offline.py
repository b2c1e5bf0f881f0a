"""Triage goes on with what it has fetched ahead while the server is away, also after it is loaded again."""

from __future__ import annotations

import re
import time

import pytest
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from playwright.sync_api import expect

from astrid_site.site.private import Private
from curation.models import ValidationEvent
from tests.e2e.desks import detections, verdicts

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("empty_data_root")]
AHEAD = 50
# Within so long after the network is back everything is saved, where nothing else keeps the machine busy: it is told.
GOAL_SECONDS = 10.0


def ready(one, count: int) -> None:
    """Wait until everything that may lie ready does, and the page itself can be loaded without a server."""
    one.page.wait_for_function("most => document.querySelector('main').dataset.fetchedAhead >= most", arg=count)
    one.page.wait_for_function(
        """async () => (await navigator.serviceWorker.ready) && (await caches.has("triage-page"))"""
    )
    one.page.on("dialog", lambda dialog: dialog.accept())


class Weather:
    """Whether the server answers about triage by errors, and what is done before it does."""

    def __init__(self) -> None:
        self.trouble = ""

    def answer(self, middleware: Private, request: HttpRequest) -> HttpResponseBase:
        """Answer as usual, or by an error: before anything is done, or after answers are stored."""
        if not self.trouble or not request.path.startswith("/triage/"):
            return _USUAL(middleware, request)
        if self.trouble == "after the commit" and request.path == "/triage/answers":
            assert _USUAL(middleware, request).status_code < 300
        return HttpResponse(status=503)


_USUAL = Private.__call__


@pytest.mark.parametrize("trouble", ["before the commit", "after the commit"])
def test_while_the_server_is_in_trouble_all_goes_on_and_each_answer_is_stored_once(desk, monkeypatch, trouble: str):
    weather = Weather()

    def answer(middleware: Private, request: HttpRequest) -> HttpResponseBase:
        return weather.answer(middleware, request)

    monkeypatch.setattr(Private, "__call__", answer)
    detections(24)
    one = desk().open()
    seen = one.press("v")
    one.saved()
    ready(one, 8)
    one.settled()
    weather.trouble = trouble
    seen += one.press("x", "v", "2")
    one.page.wait_for_timeout(300)
    one.page.reload()
    seen += one.press("x", "v")
    expect(one.page.locator("#offline")).to_contain_text("left that were fetched ahead")
    expect(one.main).to_have_attribute("data-unsaved", "5")
    weather.trouble = ""
    since = time.monotonic()
    one.saved()
    print(f"Saved within {time.monotonic() - since:.1f} s, of a goal of {GOAL_SECONDS:g} s.")
    assert len(set(seen)) == ValidationEvent.objects.count() == 6
    assert set(verdicts()) == set(seen)


def test_who_logs_out_leaves_nothing_of_the_queue_behind(desk):
    detections(4)
    one = desk().open()
    one.shown()
    ready(one, 2)
    one.settled()
    one.page.get_by_role("button", name="Log out").click()
    one.page.wait_for_url("**/login/**")
    one.page.wait_for_function(
        "async () => !(await caches.keys()).some(name => name === 'triage-page' || name.startsWith('triage-queue'))"
    )
    one.context.set_offline(True)
    one.page.goto(f"{one.address}/triage/")
    expect(one.page.get_by_role("heading", name="The server cannot be reached")).to_be_visible()
    one.context.set_offline(False)


def test_fifty_answers_without_a_network_and_a_reload_amid_them_are_each_stored_once(desk):
    detections(AHEAD + 20)
    one = desk().open()
    seen = one.press("v", "x", "2")
    one.saved()
    ready(one, AHEAD)
    one.settled()
    one.context.set_offline(True)
    seen += one.press(*"vx" * 12)
    expect(one.page.locator("#offline")).to_have_text(re.compile(r"Offline: \d+ left that were fetched ahead\."))
    one.page.wait_for_timeout(300)
    one.page.reload()
    seen += one.press(*"vx" * 13)
    expect(one.main).to_have_attribute("data-unsaved", str(AHEAD))
    expect(one.page.locator("#offline")).to_contain_text("left that were fetched ahead")
    assert ValidationEvent.objects.count() == 3
    one.context.set_offline(False)
    since = time.monotonic()
    one.saved()
    print(f"Saved within {time.monotonic() - since:.1f} s, of a goal of {GOAL_SECONDS:g} s.")
    assert len(set(seen)) == ValidationEvent.objects.count() == AHEAD + 3
    assert set(verdicts()) == set(seen)
    expect(one.page.locator("#offline")).to_have_text("")
    assert one.shown() not in seen
