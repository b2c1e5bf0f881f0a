"""Triage on screens of other kinds: fingers alone, text twice as large, colours that the system forces."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.desks import detections

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("empty_data_root")]
PHONE, AT_TWICE_THE_SIZE = {"width": 390, "height": 844}, {"width": 683, "height": 384}
_HIDDEN = """() => [...document.querySelectorAll('main [data-action]')]
  .filter((one) => !one.closest('[hidden]') && !one.checkVisibility()).map((one) => one.dataset.action)"""


def ground(page: Page, selector: str) -> str:
    """Return the colour that something is filled with."""
    colour: str = page.locator(selector).first.evaluate("one => getComputedStyle(one).backgroundColor")
    return colour


def test_fingers_alone_reach_every_control_and_the_list_of_keys(desk):
    detections(2)
    one = desk(has_touch=True)
    one.page.set_viewport_size(PHONE)
    one.open().shown()
    closed = one.page.locator("details:not([open]) [data-action]").count()
    hidden = one.page.evaluate(_HIDDEN)
    assert len(hidden) == closed, f"{hidden}, of which {closed} lie in what opens with a tap"
    one.page.tap('[data-action="help"]')
    expect(one.page.locator("#help")).to_be_visible()
    one.page.locator("#help button").first.tap()
    first = one.shown()
    one.page.tap('[data-action="bogus"]')
    expect(one.main).not_to_have_attribute("data-detection-id", first)
    one.page.tap('[data-action="undo"]')
    expect(one.main).to_have_attribute("data-detection-id", first)


def test_at_twice_the_size_of_text_the_list_of_keys_names_the_keys_and_nothing_is_too_wide(desk):
    detections(1)
    one = desk()
    one.page.set_viewport_size(AT_TWICE_THE_SIZE)
    one.open().shown()
    assert not one.page.evaluate("document.documentElement.scrollWidth > innerWidth")
    one.page.keyboard.press("?")
    expect(one.page.locator("#help kbd").filter(has_text="v").first).to_be_visible()


def test_where_the_system_forces_colours_what_is_chosen_is_filled(desk):
    detections(2)
    one = desk()
    one.page.emulate_media(forced_colors="active")
    one.open().shown()
    page = one.page
    for chosen, other in (
        ('[data-action="crosshair"]', '[data-action="mask"]'),
        (".levels input:checked + span", ".levels input:not(:checked) + span"),
    ):
        assert ground(page, chosen) != ground(page, other), chosen
    lines = page.locator(".menu a").evaluate_all("all => all.map((one) => getComputedStyle(one).borderBottomColor)")
    current = page.locator(".menu a[aria-current]").evaluate("one => getComputedStyle(one).borderBottomColor")
    assert lines.count(current) == 1, "only the page that is open is underlined"
