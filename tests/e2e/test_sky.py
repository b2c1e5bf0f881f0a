"""The pages of the sky in a real browser: home, detections, sources, alerts."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import Group
from playwright.sync_api import Dialog, Page, Request, expect

from catalog.files import storage
from curation.alerts.publishing import publish_pending
from curation.models import Alert
from detection.models import Detection
from tests.curation.looks import SHOWS, judge, seen
from tests.factories import AlertFactory, FieldFactory, PreprocessRunFactory, SourceFactory, UserFactory

pytestmark = pytest.mark.django_db(transaction=True)

PASSWORD = "correct-horse-47"
SCREENS = ((1366, 768), (390, 844))
HOSTILE = '<script>alert(1)</script> "><img src=x onerror=alert(2)> \x1b[31m \u202eback'


@pytest.fixture(autouse=True)
def _own_root(empty_data_root: Path) -> None:
    """Cutouts are written into a data root of the test's own."""


def sign_in(page: Page, address: str, role: str) -> None:
    account = UserFactory(username=role)
    account.set_password(PASSWORD)
    account.save()
    account.groups.add(Group.objects.get(name=role))
    page.goto(f"{address}/accounts/login/")
    page.get_by_label("User name").fill(role)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Tonight")).to_be_visible()


def with_cutouts(row: Detection) -> Detection:
    """Write cutouts of a detection: a star in the middle of noise."""
    stamp = np.random.default_rng(1).normal(100.0, 3.0, (4, 63, 63)).astype(np.float32)
    stamp[0, 30:33, 30:33] += 100.0
    stamp[3] = 0.0
    buffer = io.BytesIO()
    np.save(buffer, stamp)
    row.cutouts_path = storage.write_atomically(f"cutouts/{row.pk}.npy", buffer.getvalue())
    row.save(update_fields=["cutouts_path", "updated_at"])
    return row


def source_with_everything(**frame: Any) -> Detection:
    """Return the latest of three detections of a source with limits, judgements and an alert that was published."""
    field = FieldFactory(name=frame.pop("field_name", "M 31"))
    given = {"field": field, "status": "differenced", "footprint": SHOWS, **frame}
    source = SourceFactory(name="J100002.40+020036.0", wcs_quality="solved", detection_count=3)
    rows = [with_cutouts(seen(source, days=float(day), **given)) for day in range(3)]
    for row in rows[1:]:
        PreprocessRunFactory(observation=row.observation, zero_point_mag=25.0, limiting_magnitude=19.0)
    AlertFactory(detection=rows[-1], title="New source J1000")
    publish_pending()
    return rows[-1]


def pages_of(row: Detection) -> list[str]:
    alert = Alert.objects.latest("created_at").pk
    return [
        "/", "/detections/", "/sources/", "/alerts/",
        f"/detections/{row.pk}/", f"/sources/{row.source_id}/", f"/alerts/{alert}/",
    ]  # fmt: skip


def test_an_alert_appears_on_the_first_page_without_a_reload(page: Page, live_server: Any):
    first = source_with_everything()
    page.clock.install()
    sign_in(page, live_server.url, "viewer")
    # What the page would lose with a reload, and what it keeps of a part that has not changed.
    page.evaluate("window.stays = document.querySelector('#night .figures')")

    AlertFactory(detection=first, title="Something very bright")
    page.clock.fast_forward(11_000)
    expect(page.locator("#alerts").get_by_role("link", name="Something very bright")).to_be_visible()
    expect(page.locator("#alerts li").first).to_contain_text("just in")
    expect(page.get_by_role("status")).to_contain_text("New alert: Something very bright")
    expect(page.locator("#live-note")).to_contain_text("Up to date at")
    assert page.evaluate("window.stays?.isConnected")


def test_a_page_that_nobody_sees_asks_for_nothing(page: Page, live_server: Any):
    page.clock.install()
    page.add_init_script("Object.defineProperty(document, 'hidden', {get: () => window.isHidden ?? false})")
    sign_in(page, live_server.url, "viewer")
    asked: list[str] = []

    def note(request: Request) -> None:
        if request.headers.get("hx-request"):
            asked.append(request.url)

    page.on("request", note)
    page.evaluate("window.isHidden = true; document.dispatchEvent(new Event('visibilitychange'))")
    page.clock.fast_forward(60_000)
    assert asked == []
    with page.expect_response(lambda answer: bool(answer.request.headers.get("hx-request"))):
        page.evaluate("window.isHidden = false; document.dispatchEvent(new Event('visibilitychange'))")
    assert len(asked) == 1


PLACES_OF_FIELDS = """fields => fields.map(field => {
    const [label, control] = [field.querySelector("label"), field.querySelector("input, select")];
    return [label, control].map(part => part.getBoundingClientRect()).map(box => [box.top, box.height]);
})"""


@pytest.mark.parametrize("query", ["", "?score_min=2&place=nowhere&night_from=x"])
def test_the_fields_of_one_row_stand_on_one_line_also_beside_an_error(page: Page, live_server: Any, query: str):
    sign_in(page, live_server.url, "viewer")
    page.goto(f"{live_server.url}/detections/{query}")
    expect(page.locator(".filters .wrong")).to_have_count(3 if query else 0)
    rows: dict[float, set[tuple[float, float]]] = {}
    for label, control in page.locator(".filters .field").evaluate_all(PLACES_OF_FIELDS):
        rows.setdefault(label[0], set()).add(tuple(control))
    assert 1 < len(rows) < 5
    assert all(len(controls) == 1 for controls in rows.values()), rows


def test_detections_are_narrowed_from_the_keyboard_and_what_cannot_be_read_is_told(page: Page, live_server: Any):
    row = source_with_everything()
    seen(SourceFactory(name="far", ra=10.0, dec=-5.0), days=9.0)
    Detection.objects.filter(source__name="far").update(ra=10.0, dec=-5.0, healpix=0, status="rejected")
    sign_in(page, live_server.url, "curator")
    page.get_by_role("link", name="Detections", exact=True).click()
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(4)

    page.get_by_label("Place").fill("10:00:02.4 +02:00:36 5")
    page.keyboard.press("Enter")
    expect(rows).to_have_count(3)
    page.get_by_role("link", name="Clear").click()
    page.get_by_label("State").select_option("rejected")
    page.get_by_role("button", name="Apply").click()
    expect(rows).to_have_count(1)
    expect(page.get_by_role("link", name="Review these")).to_have_attribute("href", "/triage/?status=rejected")

    page.get_by_label("Place").fill("somewhere")
    page.keyboard.press("Enter")
    expect(page.get_by_text("the full name of a source or field")).to_be_visible()
    expect(page.get_by_label("Place")).to_have_value("somewhere")
    expect(page.get_by_text("No detections match these filters.")).to_be_visible()

    page.get_by_role("link", name="Show all detections").click()
    rows.filter(has_text="J100002").first.get_by_role("link").first.click()
    expect(page.get_by_role("heading", name="Measurements")).to_be_visible()
    page.get_by_role("link", name="Earlier").click()
    expect(page.get_by_text("epoch 2 of 3")).to_be_visible()
    page.locator(f'.light-curve a[href$="/{row.pk}/"]').focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("epoch 3 of 3")).to_be_visible()


def test_hostile_text_is_text_on_every_page(page: Page, live_server: Any):
    row = source_with_everything(field_name=HOSTILE[:90], object_name=HOSTILE, original_name=HOSTILE)
    judge(row, True, notes=HOSTILE, tags=(HOSTILE[:60],))
    AlertFactory(detection=row, title=HOSTILE, message=HOSTILE, alert_metadata={"frame": HOSTILE})
    publish_pending()
    sign_in(page, live_server.url, "curator")
    dialogs: list[str] = []

    def close(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", close)
    for path in pages_of(row):
        page.goto(live_server.url + path)
        page.wait_for_load_state("networkidle")
        assert page.locator("main script, main img[src='x']").count() == 0, path
        text = page.locator("main").inner_text()
        assert not {"\x1b", "\u202e"} & set(text), path
        if path != "/sources/":
            assert "<script>alert(1)</script>" in text, path
    assert dialogs == []


@pytest.mark.parametrize(("width", "height"), SCREENS)
def test_no_page_is_wider_than_the_screen_and_every_field_has_a_name(
    page: Page, live_server: Any, width: int, height: int
):
    row = source_with_everything(original_name=f"{'x' * 120}.fits")
    judge(row, True, notes="w" * 300)
    sign_in(page, live_server.url, "administrator")
    page.set_viewport_size({"width": width, "height": height})
    nameless = """() => [...document.querySelectorAll("input:not([type=hidden]), select")]
        .filter((field) => !field.labels?.length && !field.ariaLabel).map((field) => field.outerHTML)"""
    for path in pages_of(row):
        page.goto(live_server.url + path)
        page.wait_for_load_state("networkidle")
        wider = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wider <= 0, f"{path} is {wider} px too wide"
        assert page.evaluate(nameless) == [], path
        assert page.locator("main h1").count() == 1, path
