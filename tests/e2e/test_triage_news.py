"""The earlier of two who disagree is told on the page that they are on."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from catalog.models import SystemConfig
from curation.models import Contradiction
from tests.e2e.desks import curator, detections

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("empty_data_root")]


def test_the_earlier_of_two_who_disagree_is_told_at_once_and_led_to_it(desk):
    SystemConfig.objects.create(key="curation.required_answers", value=2)
    rows = detections(3)
    one = desk().open()
    assert one.press("v") == [str(rows[0].pk)]
    one.saved()
    other = desk(curator("Rosalind")).open(f"?detection={rows[0].pk}")
    other.page.locator(f'main[data-detection-id="{rows[0].pk}"]').wait_for()
    other.press("x")
    other.saved()
    message = one.page.locator("#messages .lasting")
    expect(message).to_contain_text("Rosalind said bogus (medium) about ", timeout=15_000)
    expect(message).to_contain_text("where you said real.")
    # It stays, whatever else is said.
    one.page.keyboard.press("k")
    one.page.keyboard.press("k")
    expect(one.page.locator("#messages")).to_contain_text("This is the first one.")
    expect(message).to_be_visible()
    assert one.shown() == str(rows[0].pk)
    one.page.keyboard.press("j")
    one.page.locator(f'main:not([data-detection-id="{rows[0].pk}"])').wait_for()
    message.get_by_role("button", name="Look at it again").click()
    one.page.locator(f'main[data-detection-id="{rows[0].pk}"]').wait_for()
    expect(message).to_have_count(0)
    expect(one.page.locator("#facts")).to_contain_text("Rosalind")
    assert Contradiction.objects.get().told_at is not None
    expect(other.page.locator("#messages .lasting")).to_have_count(0)
