"""Every page, the admin and the documents of the REST interface included, by the rules of WCAG 2.2 in every theme."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.accessible import OF_COLOURS, OF_WIDTH, violations, wear
from tests.browsers import staff_of
from tests.curation.cutouts import detection_with_cutouts
from tests.e2e.conftest import Served
from tests.e2e.desks import SCREEN, detections
from tests.factories import ProcessingJobFactory
from tests.routes import ROUTES

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("empty_data_root")]
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def administrator(browser: Browser, live_server: LiveServer, served: Served) -> Iterator[tuple[Client, Page]]:
    """Give a test an administrator and their window, who asked for less motion: colours change at once."""
    client = staff_of("administrator")
    context = browser.new_context(viewport=SCREEN, base_url=live_server.url, reduced_motion="reduce")
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
    yield client, context.new_page()
    context.close()
    served.wait_for_none()


def in_every_theme(page: Page) -> list[str]:
    """Return what is wrong with the page that is open, in every theme, on a laptop and on a phone."""
    found = violations(page)
    for theme in ("light", "night"):
        wear(page, theme)
        found += [f"{theme}: {one}" for one in violations(page, OF_COLOURS)]
    wear(page, "dark")
    page.set_viewport_size(PHONE)
    # Nothing is left under a bar at the bottom then.
    page.evaluate("() => scrollTo(0, document.body.scrollHeight)")
    found += [f"phone: {one}" for one in violations(page, OF_WIDTH)]
    page.set_viewport_size(SCREEN)
    return found


def opened(page: Page, address: str) -> None:
    """Open a page, and wait for its parts that come later."""
    page.goto(address)
    page.wait_for_function("() => !document.querySelector('.htmx-request, #swagger-ui:not(:has(.opblock))')")
    if page.locator("main.triage").count():
        page.locator('main[data-viewer-ready="true"], #empty:not([hidden])').first.wait_for()


def pages() -> Iterator[tuple[str, str]]:
    """Make what each page shows; yield name and address."""
    for name, routes in ROUTES.items():
        for route in routes:
            if route.method == "get" and not route.is_for_clients:
                yield name, reverse(name, args=route.keys())


def test_no_page_breaks_a_rule_in_any_theme(administrator: tuple[Client, Page]):
    client, page = administrator
    found: list[str] = []
    for name, address in pages():
        answer = client.get(address)
        if answer.status_code == 404 or not answer.get("Content-Type", "").startswith("text/html"):
            continue  # Of files, and of what is for others than people.
        opened(page, address)
        found += [f"{name}: {wrong}" for wrong in in_every_theme(page)]
    assert not found, "\n".join(found)


def test_no_page_of_the_admin_breaks_a_rule_in_any_theme(administrator: tuple[Client, Page]):
    _, page = administrator
    frame = detection_with_cutouts().observation
    ProcessingJobFactory(entity_id=str(frame.pk), status="failed", failure_code="clouded", error_message="Clouds.")
    names = ["", "observations/observation/", "catalog/processingjob/", "catalog/systemconfig/", "catalog/user/add/"]
    names += ["detection/detection/", "axes/accessattempt/", f"observations/observation/{frame.pk}/change/"]
    found: list[str] = []
    for name in names:
        opened(page, f"/admin/{name}")
        found += [f"{name}: {wrong}" for wrong in in_every_theme(page)]
    assert not found, "\n".join(found)


def test_what_opens_over_triage_breaks_no_rule_keeps_the_focus_and_gives_it_back(administrator: tuple[Client, Page]):
    _, page = administrator
    detections(2)
    page.goto("/triage/")
    page.locator('main[data-viewer-ready="true"]').wait_for()
    dialogs = {"snooze": "chooser", "rejectFrame": "reject-frame", "context": "context", "help": "help"}
    for action, dialog in dialogs.items():
        control = page.locator(f"[data-action={action}]").first
        control.press("Enter")
        page.locator(f"#{dialog}[open]:has(button)").wait_for()
        page.wait_for_load_state("networkidle")
        assert violations(page) == [], dialog
        assert page.evaluate("() => document.activeElement.closest('dialog[open]') !== null"), dialog
        page.keyboard.press("Escape")
        expect(control).to_be_focused()
    for sheet in ("saved-filters", "menu-of-labels"):
        page.locator(f".{sheet} summary").click()
        assert violations(page) == [], sheet
