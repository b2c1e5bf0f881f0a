"""Triage in a browser that runs no scripts: pictures, a form, and nothing lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPRedirectHandler, Request, build_opener

import pytest
from django.db.models.functions import Now
from django.test import Client
from playwright.sync_api import Browser, Locator, Page, expect

from catalog.models import SystemConfig, User
from curation.models import Lease, ValidationEvent
from detection.models import Detection
from tests.curation.looks import judge
from tests.e2e.desks import SCREEN, curator, detections, verdicts
from tests.e2e.test_accessibility import in_every_theme
from tests.e2e.test_triage_objects import object_of
from tests.waiting import PATIENCE_SECONDS

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("empty_data_root")]


class _Stays(HTTPRedirectHandler):
    """Follows no redirect."""

    def redirect_request(self, *_: object) -> None:
        return None


class Plain:
    """A person whose browser runs no scripts."""

    def __init__(self, browser: Browser, address: str, user: User | None = None, *, runs_scripts: bool = False) -> None:
        self.address, self.user, self.client = address, user or curator(), Client()
        self.context = browser.new_context(
            viewport=SCREEN, base_url=address, java_script_enabled=runs_scripts, reduced_motion="reduce"
        )
        self.context.set_default_timeout(PATIENCE_SECONDS * 1000)
        self.client.force_login(self.user)
        cookie: Any = {"name": "sessionid", "value": self.client.cookies["sessionid"].value, "url": address}
        self.context.add_cookies([cookie])
        self.page: Page = self.context.new_page()

    def open(self, query: str = "") -> Plain:
        """Begin where everybody begins, and be led."""
        self.page.goto(f"/triage/{query}")
        self.page.wait_for_url("**/triage/plain/**")
        return self

    @property
    def main(self) -> Locator:
        return self.page.locator("main.unscripted")

    @property
    def shown(self) -> str:
        return self.main.get_attribute("data-detection-id") or ""

    def form_as_it_is(self, **typed: str) -> dict[str, str]:
        """Return what the form on screen would send, with what is typed."""
        hidden = self.page.locator("#answer input[type=hidden]").all()
        self.sent_to, self.cookies = self.page.url, self.context.cookies()
        return {field.get_attribute("name") or "": field.get_attribute("value") or "" for field in hidden} | typed

    def send(self, body: dict[str, str]) -> int:
        """Send a form to the page on screen, from a thread of its own; return the state of the answer."""
        cookies = "; ".join(f"{one['name']}={one['value']}" for one in self.cookies)
        request = Request(self.sent_to, urlencode(body).encode(), {"Cookie": cookies, "Referer": self.sent_to})
        try:
            return int(build_opener(_Stays).open(request, timeout=PATIENCE_SECONDS).status)
        except HTTPError as answer:
            return answer.code

    def press(self, name: str) -> str:
        """Press a button; return what was on screen."""
        before = self.shown
        self.page.get_by_role("button", name=name, exact=True).click()
        return before


@pytest.fixture
def plain(browser: Browser, live_server: Any, served: Any) -> Iterator[Callable[..., Plain]]:
    """Give a test as many people without scripts as it asks for."""
    people: list[Plain] = []

    def sit_down(user: User | None = None, *, runs_scripts: bool = False) -> Plain:
        people.append(Plain(browser, live_server.url, user, runs_scripts=runs_scripts))
        return people[-1]

    yield sit_down
    for one in people:
        one.context.close()
    served.wait_for_none()


def test_an_evening_without_scripts_several_objects_one_undone_and_one_skipped(plain):
    rows = detections(6)
    one = plain().open("?order=score")
    assert "order=score" in one.page.url, "the query is kept"
    expect(one.main).to_have_attribute("data-queue-remaining", "6")
    for part in ("Science", "Reference", "Difference"):
        picture = one.page.get_by_role("img", name=f"{part} image")
        assert picture.evaluate("image => image.naturalWidth") == 378
    one.page.get_by_label("High", exact=True).check(force=True)
    one.page.get_by_label("Note").fill("Faint, but there.")
    one.page.get_by_label("Tags").fill("host, faint ,host")
    one.page.get_by_label("Image quality").select_option("fair")
    seen = [one.press(name) for name in ("Real", "Bogus", "Supernova candidate", "Skip, without an answer")]
    assert seen == [str(row.pk) for row in rows[:4]]
    expect(one.main).to_have_attribute("data-queue-remaining", "3")
    assert verdicts() == {
        seen[0]: (True, "", "high"), seen[1]: (False, "", "medium"), seen[2]: (True, "supernova_candidate", "medium"),
    }  # fmt: skip
    first = ValidationEvent.objects.get(detection=seen[0])
    assert (first.notes, first.tags, first.image_quality) == ("Faint, but there.", ["host", "faint"], "fair")
    assert first.shown == "large"
    assert first.visible_context["images"] == ["science", "reference", "difference"]
    assert first.visible_context["answered_by"] == "plain page"

    expect(one.page.locator(".last")).to_contain_text("real, Supernova candidate (medium)")
    one.press("Undo")
    expect(one.main).to_have_attribute("data-detection-id", seen[2])
    expect(one.page.locator("#messages")).to_contain_text("Undone: ")
    expect(one.page.locator(".last")).to_contain_text("bogus (medium)")
    one.press("Undo")
    expect(one.main).to_have_attribute("data-detection-id", seen[1])
    assert ValidationEvent.objects.filter(kind="withdrawal").count() == 2
    assert Detection.objects.get(pk=seen[1]).status == "validating"
    assert Detection.objects.get(pk=seen[2]).status == "pending"
    one.press("Real")
    assert Detection.objects.get(pk=seen[1]).status == "validated"


def test_a_page_that_is_loaded_again_holds_the_same_item_and_nobody_else_gets_it(plain):
    rows = detections(2)
    one, other = plain().open(), plain().open()
    assert (one.shown, other.shown) == (str(rows[0].pk), str(rows[1].pk))
    for _ in range(2):
        one.page.reload()
        assert one.shown == str(rows[0].pk)
    assert Lease.objects.count() == 2
    third = plain().open()
    expect(third.main).to_contain_text("Others are reviewing the rest.")


def test_a_form_that_is_sent_twice_is_one_answer_and_one_changed_afterwards_another(plain):
    rows = detections(4)
    one = plain().open()
    one.page.get_by_role("button", name="Real", exact=True).dblclick()
    expect(one.main).to_have_attribute("data-detection-id", str(rows[1].pk))
    assert verdicts() == {str(rows[0].pk): (True, "", "medium")}
    # Both at the same time: neither has an answer when the other is sent.
    body = one.form_as_it_is(say="bogus", level="low")
    with ThreadPoolExecutor(2) as twice:
        states = list(twice.map(lambda _: one.send(body), range(2)))
    assert states == [302, 302]
    assert ValidationEvent.objects.count() == 2

    # Back to the page as it was, and another answer: it takes the place of the first.
    one.page.reload()
    one.press("Bogus")
    expect(one.main).to_have_attribute("data-detection-id", str(rows[2].pk))
    one.page.go_back()
    expect(one.main).to_have_attribute("data-detection-id", str(rows[1].pk))
    one.press("Real")
    expect(one.main).to_have_attribute("data-detection-id", str(rows[2].pk))
    assert Detection.objects.get(pk=rows[1].pk).status == "validated"


def test_whoever_lost_a_lease_to_somebody_else_is_told_and_nothing_is_lost(plain):
    rows = detections(2)
    one = plain().open()
    Lease.objects.update(expires_at=Now())
    other = plain(curator("Rosalind")).open()
    assert other.shown == one.shown == str(rows[0].pk)
    one.page.get_by_label("Note").fill("I saw it first.")
    other.press("Bogus")
    one.press("Real")
    expect(one.page.locator("#messages")).to_contain_text(
        "had expired. Your answer was kept all the same. Rosalind said bogus"
    )
    assert ValidationEvent.objects.get(validator=one.user).notes == "I saw it first."
    assert verdicts().keys() == {str(rows[0].pk)}
    one.page.get_by_role("link", name="Look at it again").click()
    expect(one.page.locator("#answer")).to_contain_text("You said: real (medium). A new answer takes its place.")
    expect(one.page.locator(".facts-of-one")).to_contain_text("Rosalind bogus (medium)")


def test_whoever_comes_back_to_what_somebody_else_reviews_by_now_is_told_who_and_goes_on(plain):
    rows = detections(2)
    one = plain().open()
    Lease.objects.update(expires_at=Now())
    plain(curator("Rosalind")).open()
    one.page.reload()
    expect(one.page.locator("#messages")).to_contain_text("Rosalind is reviewing it now: here is the next one.")
    assert one.shown == str(rows[1].pk)


def test_one_answer_is_about_the_ticked_epochs_and_another_epoch_can_be_large(plain):
    rows = object_of(0.9, 0.95, 0.8, 0.7)
    Detection.objects.filter(pk=rows[3].pk).update(cutouts_path="cutouts/gone.npy")
    one = plain().open()
    assert one.shown == str(rows[1].pk)
    expect(one.page.locator("#answer")).to_contain_text("Without images: 1 left out.")
    one.page.get_by_role("link", name="large").first.click()
    expect(one.main).to_have_attribute("data-detection-id", str(rows[0].pk))
    one.page.locator(f'input[value="{rows[2].pk}"]').uncheck()
    one.press("Asteroid")
    expect(one.page.locator("#messages")).to_contain_text("real, Asteroid (medium), 2 epochs.")
    expect(one.page.locator("#messages")).not_to_contain_text("expired")
    events = ValidationEvent.objects.all()
    assert {event.detection_id: event.shown for event in events} == {rows[0].pk: "large", rows[1].pk: "strip"}
    assert len({event.group for event in events}) == 1
    one.press("Undo")
    assert ValidationEvent.objects.filter(kind="withdrawal").count() == 2
    assert not Detection.objects.exclude(human_label="").exists()


def test_what_has_no_pictures_is_answered_by_nobody_and_the_page_says_why(plain):
    [row] = detections(1)
    Detection.objects.filter(pk=row.pk).update(cutouts_path="cutouts/gone.npy")
    one = plain().open()
    expect(one.main).to_contain_text("no longer stored")
    expect(one.page.get_by_role("button", name="Real", exact=True)).to_be_disabled()
    # A button that somebody's tools enable is refused all the same, by the rule of all answers.
    body = one.form_as_it_is(say="real", level="low", notes="kept")
    answer = one.context.request.post(one.page.url, form=body)
    assert answer.status == 422
    assert "Its images were not on screen" in answer.text()
    assert ">\nkept</textarea>" in answer.text()
    assert not ValidationEvent.objects.exists()


def test_a_refused_answer_shows_its_reason_and_loses_nothing(plain):
    rows = object_of(0.9, 0.8)
    one = plain().open()
    one.page.get_by_label("Note").fill("A long thought.")
    one.page.get_by_label("Tags").fill("x" * 70)
    one.page.get_by_label("Detection quality").select_option("poor")
    one.page.get_by_label("Expert", exact=True).check(force=True)
    one.page.locator("input[name=covers]").uncheck()
    one.press("Real")
    expect(one.page.get_by_role("alert")).to_contain_text("A tag is a text of at most 64 characters.")
    expect(one.page.get_by_label("Note")).to_have_value("A long thought.")
    expect(one.page.get_by_label("Tags")).to_have_value("x" * 70)
    expect(one.page.get_by_label("Detection quality")).to_have_value("poor")
    expect(one.page.get_by_label("Expert", exact=True)).to_be_checked()
    expect(one.page.locator("input[name=covers]")).not_to_be_checked()
    assert not ValidationEvent.objects.exists()
    one.page.get_by_label("Tags").fill("short")
    one.press("Real")
    event = ValidationEvent.objects.get()
    assert (event.detection_id, event.notes, event.tags) == (rows[0].pk, "A long thought.", ["short"])


def test_enter_in_a_field_says_nothing(plain):
    detections(1)
    one = plain().open()
    one.page.get_by_label("Tags").fill("tag")
    one.page.get_by_label("Tags").press("Enter")
    expect(one.page.get_by_label("Tags")).to_have_value("tag")
    assert not ValidationEvent.objects.exists()


def test_what_is_put_off_or_passed_on_goes_away_and_comes_back_with_undo(plain):
    rows = detections(3)
    one = plain().open()
    one.page.get_by_label("Until when").select_option("24")
    assert one.press("Put off") == str(rows[0].pk)
    expect(one.page.locator("#messages")).to_contain_text("put off for a day")
    assert one.press("Ask for a second opinion") == str(rows[1].pk)
    expect(one.main).to_have_attribute("data-queue-remaining", "1")
    one.press("Undo")
    expect(one.main).to_have_attribute("data-detection-id", str(rows[1].pk))
    one.press("Undo")
    expect(one.main).to_have_attribute("data-detection-id", str(rows[0].pk))
    expect(one.main).to_have_attribute("data-queue-remaining", "3")


def test_who_judges_blind_sees_nothing_of_others_before_their_own_answer(plain):
    SystemConfig.objects.create(key="curation.blind", value=True)
    SystemConfig.objects.create(key="curation.required_answers", value=2)
    [row] = detections(1)
    judge(row, True, label="variable_star", person=curator("Rosalind"))
    one = plain().open()
    expect(one.page.locator(".facts-of-one")).to_contain_text("What others said is hidden until you have answered.")
    assert "Rosalind" not in one.page.content()
    one.press("Bogus")
    expect(one.page.locator("#messages")).to_contain_text("but Rosalind said real")
    assert ValidationEvent.objects.get(validator=one.user).visible_context["blind"] is True


def test_the_look_is_chosen_without_scripts(plain):
    detections(1)
    one = plain().open()
    before = one.shown
    one.page.get_by_label("Theme").select_option("night")
    one.press("Set")
    expect(one.page.locator("html")).to_have_attribute("data-theme", "night")
    assert one.shown == before


def test_the_page_breaks_no_rule_in_any_theme_with_epochs_after_an_answer_and_after_a_refusal(plain):
    object_of(0.9, 0.95, 0.8)
    detections(1)
    # What looks for faults is a script itself.
    one = plain(runs_scripts=True)
    one.page.goto("/triage/plain/")
    found = in_every_theme(one.page)
    one.press("Real")
    found += in_every_theme(one.page)
    one.page.get_by_label("Tags").fill("x" * 70)
    one.press("Real")
    one.page.get_by_role("alert").wait_for()
    found += in_every_theme(one.page)
    assert not found, "\n".join(found)


def test_the_focus_goes_from_the_images_to_what_goes_with_an_answer_and_then_to_the_answers(plain):
    object_of(0.9, 0.95)
    one = plain().open()
    one.page.get_by_role("link", name="To the answer").focus()
    one.page.keyboard.press("Enter")
    order = []
    for _ in range(8):
        one.page.keyboard.press("Tab")
        order.append(one.page.evaluate("() => document.activeElement.name + ' ' + document.activeElement.value"))
    assert order == [
        "level medium", "image_quality ", "detection_quality ", "tags ", "notes ", "say real", "say bogus",
        "say label:supernova_candidate",
    ]  # fmt: skip
