"""The chosen theme is that of the admin and of the API documents too; and lists of the admin stay readable."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from catalog.people import audit
from detection.models import Detection
from observations.models import Observation
from tests.curation.cutouts import detection_with_cutouts
from tests.e2e.test_admin import SCREENS, sign_in
from tests.factories import AlertFactory, DifferenceRunFactory, PreprocessRunFactory, ProcessingJobFactory
from tests.looks import choose_theme, not_red, operation

pytestmark = pytest.mark.django_db(transaction=True)
DOCS = "/api/v1/docs/"
# A red of the screen is not all red, and the edges of letters are mixed: of 255.
MOST_NOT_RED = 12
FAILED = {"status": "failed", "failure_code": "clouded", "error_message": "Too little light."}


@pytest.fixture
def rows(empty_data_root: Path) -> Detection:
    detection = detection_with_cutouts()
    detection.observation.original_name = "light_0001.fits"
    detection.observation.save()
    ProcessingJobFactory(entity_id=str(detection.observation_id), **FAILED)
    AlertFactory(detection=detection)
    audit.record(detection.observation, "archive_observation")
    return detection


def pages(rows: Detection) -> list[str]:
    names = ["", "observations/observation/", "catalog/processingjob/", "detection/detection/", "catalog/systemconfig/"]
    names += ["axes/accessattempt/", "catalog/user/add/", f"observations/observation/{rows.observation_id}/change/"]
    return [*(f"/admin/{name}" for name in names), DOCS]


def opened(page: Page, address: str, rows: Detection) -> Iterator[str]:
    """Open page by page, each as somebody sees it who reads."""
    for path in pages(rows):
        page.goto(f"{address}{path}")
        page.wait_for_load_state("networkidle")
        if path == DOCS:
            create = operation(page, "observations-observations_create")
            create.locator(".opblock-summary-control").click()
            page.get_by_role("button", name="Try it out").click()
            create.scroll_into_view_if_needed()
        yield path


@pytest.mark.parametrize(("width", "height"), SCREENS)
def test_in_the_red_night_nothing_of_the_admin_and_the_api_documents_shines_but_red(
    page: Page, live_server: Any, rows: Detection, width: int, height: int
):
    sign_in(page, live_server.url, "administrator")
    choose_theme(page, live_server.url, "night")
    page.set_viewport_size({"width": width, "height": height})
    found = {path: not_red(page) for path in opened(page, live_server.url, rows)}
    assert {path: worst for path, worst in found.items() if worst["excess"] > MOST_NOT_RED} == {}


def test_a_theme_that_is_chosen_in_the_admin_is_chosen_for_all_pages_and_back(page: Page, live_server: Any):
    sign_in(page, live_server.url, "administrator")
    expect(page.locator("html")).to_have_class("dark")
    page.locator("html").press("Control+e")
    expect(page.locator("html")).to_have_class("dark")
    page.get_by_text("unfold_more").click()
    page.get_by_label("Theme").select_option("Red night")
    expect(page.locator("html")).to_have_attribute("data-theme", "night")
    page.goto(f"{live_server.url}/")
    expect(page.locator("html")).to_have_attribute("data-theme", "night")
    page.get_by_label("Theme").select_option("light")
    page.goto(f"{live_server.url}/admin/")
    expect(page.locator("html")).to_have_class("light")


@pytest.mark.parametrize("length", [80, 255])
def test_a_long_name_leaves_state_and_reason_on_the_screen_and_stands_whole_behind_its_beginning(
    page: Page, live_server: Any, rows: Detection, length: int
):
    name = f"{'ngc_4993_' * 30}"[: length - 5] + ".fits"
    Observation.objects.filter(pk=rows.observation_id).update(original_name=name, observation_id=name[:200], **FAILED)
    for factory in (PreprocessRunFactory, DifferenceRunFactory):
        factory(observation=rows.observation, **FAILED)
    sign_in(page, live_server.url, "administrator")
    lists = ["observations/observation", "catalog/processingjob", "preprocessing/preprocessrun"]
    lists += ["differencing/differencerun", "detection/modelrun"]
    for path in lists:
        page.goto(f"{live_server.url}/admin/{path}/")
        page.wait_for_load_state("networkidle")
        cells = page.locator("#result_list td:is([data-label=status], [data-label=reason])")
        assert cells.count() > 0, path
        for box in [cell.bounding_box() for cell in cells.all()]:
            assert box is not None and box["x"] + box["width"] <= 1366, path
        whole = page.locator(f"#result_list [title*='{name[:200]}']").first
        expect(whole).to_be_visible()
    page.goto(f"{live_server.url}/admin/catalog/auditlog/")
    summary = page.locator("#result_list td[data-label=about]").first
    box = summary.bounding_box()
    assert box is not None and box["x"] + box["width"] <= 1366
