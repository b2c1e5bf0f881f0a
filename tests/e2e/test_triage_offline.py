"""Triage goes on with what it has fetched ahead while the server is away, also after it is loaded again."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import expect

from curation.models import ValidationEvent
from tests.e2e.desks import curator, detections, verdicts

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("empty_data_root")]
AHEAD = 50
# Within so long after the network is back everything is saved; it counts where nothing else keeps the machine busy.
GOAL_SECONDS = 10.0


def ready(one) -> None:
    """Wait until everything that may lie ready does, and the page itself can be loaded without a server."""
    one.page.wait_for_function("most => document.querySelector('main').dataset.fetchedAhead >= most", arg=AHEAD)
    one.page.wait_for_function(
        """async () => (await navigator.serviceWorker.ready) && (await caches.has("triage-page"))"""
    )
    one.page.on("dialog", lambda dialog: dialog.accept())


def test_fifty_answers_without_a_network_and_a_reload_amid_them_are_each_stored_once(desk):
    detections(AHEAD + 20)
    one = desk().open()
    seen = one.press("v", "x", "2")
    one.saved()
    ready(one)
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
    print(f"saved within {time.monotonic() - since:.1f} s")
    assert len(set(seen)) == ValidationEvent.objects.count() == AHEAD + 3
    assert set(verdicts()) == set(seen)
    expect(one.page.locator("#offline")).to_have_text("")
    assert one.shown() not in seen
