"""Curators at work with the keyboard, in a real browser, also where the server is away, refuses, or others come."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import Group
from django.db import connections
from django.test import Client
from playwright.sync_api import Browser, Locator, Page, expect

from catalog.models import User
from curation.models import LabelDefinition, Lease, ValidationEvent
from detection.models import Detection
from detection.numerics.display import shared_grey, side_by_side, symmetric_grey
from tests.curation.cutouts import SIZE, cutouts, store
from tests.factories import (
    CandidateFactory,
    DetectionFactory,
    DifferenceRunFactory,
    ModelRunFactory,
    SourceFactory,
    UserFactory,
)
from tests.waiting import PATIENCE_SECONDS

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("empty_data_root")]

SCREEN = {"width": 1366, "height": 768}


class Desk:
    """A person at a window of their own."""

    def __init__(self, browser: Browser, address: str, user: User | None = None) -> None:
        self.address = address
        self.user = user or curator()
        self.context = browser.new_context(viewport=SCREEN)
        self.context.set_default_timeout(PATIENCE_SECONDS * 1000)
        client = Client()
        client.force_login(self.user)
        session = client.cookies["sessionid"].value
        self.context.add_cookies([{"name": "sessionid", "value": session, "url": address}])
        self.page: Page = self.context.new_page()
        self.faults: list[str] = []
        self.under_way: set[Any] = set()
        self.page.on("request", self._begin)
        for name in ("requestfinished", "requestfailed"):
            self.page.on(name, self._end)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))

    def _begin(self, request: Any) -> None:
        self.under_way.add(request)

    def _end(self, request: Any) -> None:
        self.under_way.discard(request)

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
        self.page.evaluate("() => { navigator.sendBeacon = () => true; }")
        self.settled()
        self.context.close()

    def saved(self) -> None:
        expect(self.main).to_have_attribute("data-unsaved", "0")


def curator(name: str = "") -> User:
    user: User = UserFactory(**({"username": name} if name else {}))
    user.groups.add(Group.objects.get(name="curator"))
    return user


def detections(count: int) -> list[Detection]:
    """Return detections of one frame with their cutouts, the best first."""
    run, source = DifferenceRunFactory(), SourceFactory()
    model_run = ModelRunFactory(observation=run.observation)
    rows: list[Detection] = []
    for number in range(count):
        candidate = CandidateFactory(difference_run=run)
        score = 0.99 - number / 100
        rows.append(DetectionFactory(candidate=candidate, model_run=model_run, source=source, confidence_score=score))
        store(rows[-1], cutouts(number))
    return rows


@pytest.fixture
def desk(browser: Browser, live_server: Any) -> Iterator[Any]:
    """Give a test as many people as it asks for, each with a window."""
    desks: list[Desk] = []

    def sit_down(user: User | None = None) -> Desk:
        desks.append(Desk(browser, live_server.url, user))
        return desks[-1]

    yield sit_down
    for one in desks:
        one.leave()
    assert [fault for one in desks for fault in one.faults] == []
    connections.close_all()


def verdicts() -> dict[str, tuple[bool | None, str, str]]:
    rows = ValidationEvent.objects.filter(kind="verdict").values_list(
        "detection", "is_valid", "label", "confidence_level"
    )
    return {str(key): (is_valid, label, level) for key, is_valid, label, level in rows}


def test_ten_detections_by_keyboard_alone_and_one_undone(desk):
    rows = detections(12)
    one = desk().open()
    expect(one.main).to_have_attribute("data-queue-remaining", "12")
    one.shown()
    one.page.keyboard.press("e")
    seen = one.press("v", "x", "1", "7", "v", "v", "x", "3", "9", "x")
    assert seen == [str(row.pk) for row in rows[:10]]
    one.saved()
    expect(one.main).to_have_attribute("data-queue-remaining", "2")
    said = verdicts()
    assert [said[key][0] for key in seen] == [True, False, True, False, True, True, False, True, False, False]
    assert [said[key][1] for key in seen] == [
        "", "", "supernova_candidate", "satellite", "", "", "", "asteroid", "subtraction_artefact", "",
    ]  # fmt: skip
    assert [said[key][2] for key in seen] == ["high"] + ["medium"] * 9, "armed for one answer"

    one.page.keyboard.press("u")
    expect(one.main).to_have_attribute("data-detection-id", seen[-1])
    one.saved()
    expect(one.main).to_have_attribute("data-queue-remaining", "3")
    withdrawal = ValidationEvent.objects.get(kind="withdrawal")
    assert str(withdrawal.detection_id) == seen[-1]
    assert Detection.objects.get(pk=seen[-1]).status == "validating"
    expect(one.page.locator("#lapse")).to_be_hidden()
    one.press("v")
    one.saved()
    assert Detection.objects.get(pk=seen[-1]).status == "validated"
    assert one.shown() == str(rows[10].pk), "it goes on where it was"
    assert ValidationEvent.objects.count() == 12


# Fingers that bounce, hold a key and press it again, or go on to another.
_PRESS_AT_ONCE = """async ([keys, held]) => {
    const send = (name, key) => document.body.dispatchEvent(new KeyboardEvent(name, { key, bubbles: true }));
    for (const key of keys) {
        send("keydown", key);
        if (held) await new Promise((done) => setTimeout(done, held));
        send("keyup", key);
    }
}"""


def test_a_key_or_button_that_is_pressed_twice_judges_once(desk):
    detections(8)
    one = desk().open()
    seen = [one.shown()]

    def judged(twice) -> None:
        twice()
        one.page.locator(f'main:not([data-detection-id="{seen[-1]}"])').wait_for()
        seen.append(one.shown())

    def hold(key: str) -> None:
        for _ in range(3):
            one.page.keyboard.down(key)
        one.page.keyboard.up(key)

    judged(lambda: one.page.evaluate(_PRESS_AT_ONCE, ["vv", 0]))
    judged(lambda: one.page.evaluate(_PRESS_AT_ONCE, ["11", 60]))
    judged(lambda: hold("x"))
    judged(lambda: one.page.get_by_role("button", name="Real").dblclick())
    one.page.get_by_role("button", name="Bogus").focus()
    judged(lambda: hold("Enter"))
    one.saved()
    assert list(verdicts()) == seen[:5]
    assert ValidationEvent.objects.count() == 5


def test_another_key_is_another_answer_however_soon_it_comes(desk):
    rows = detections(4)
    one = desk().open()
    one.shown()
    one.settled()
    one.page.evaluate(_PRESS_AT_ONCE, ["24", 60])
    expect(one.main).to_have_attribute("data-detection-id", str(rows[2].pk))
    one.saved()
    assert [label for _, label, _ in verdicts().values()] == ["variable_star", "comet"]


def test_while_the_server_is_away_answers_wait_and_none_is_lost_or_doubled(desk):
    detections(8)
    one = desk().open()
    one.press("v")
    one.saved()
    one.shown()
    expect(one.page.locator("#remaining")).to_have_text("7 left")
    one.settled()
    one.context.set_offline(True)
    seen = one.press("x", "2")
    one.page.keyboard.press("u")
    expect(one.main).to_have_attribute("data-unsaved", "3")
    expect(one.main).to_have_attribute("data-detection-id", seen[-1])
    expect(one.page.locator("#trouble")).to_contain_text("The server cannot be reached")
    assert ValidationEvent.objects.count() == 1
    one.context.set_offline(False)
    one.saved()
    assert ValidationEvent.objects.count() == 4
    assert verdicts()[seen[0]] == (False, "", "medium")
    assert ValidationEvent.objects.get(kind="withdrawal").detection_id == Detection.objects.get(pk=seen[1]).pk
    assert Detection.objects.get(pk=seen[1]).status == "validating"


def test_answers_that_wait_survive_loading_the_page_again(desk):
    detections(4)
    one = desk().open()
    one.shown()
    asked: list[str] = []

    def accept(dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    one.page.route("**/triage/answers", lambda route: route.abort())
    one.page.on("dialog", accept)
    seen = one.press("v", "x")
    expect(one.main).to_have_attribute("data-unsaved", "2")
    one.page.reload()
    assert asked == ["beforeunload"], "leaving warns"
    expect(one.main).to_have_attribute("data-unsaved", "2")
    one.page.unroute("**/triage/answers")
    one.saved()
    assert {key: said[0] for key, said in verdicts().items()} == {seen[0]: True, seen[1]: False}
    assert one.shown() not in seen


def test_an_answer_whose_receipt_was_lost_is_sent_again_and_counts_once(desk):
    detections(3)
    one = desk().open()
    one.shown()
    lost: list[int] = []

    def lose(route):
        if lost:
            route.continue_()
        else:
            lost.append(route.fetch().status)
            route.abort()

    one.page.route("**/triage/answers", lose)
    one.press("v")
    one.saved()
    assert lost == [201]
    assert ValidationEvent.objects.count() == 1


def test_two_people_never_see_the_same_detection(desk):
    rows = detections(12)
    first, second = desk().open(), desk().open()
    seen: dict[Any, list[str]] = {first: [], second: []}
    for _ in range(4):
        for person in (first, second):
            seen[person] += person.press("v")
    first.saved()
    second.saved()
    assert not set(seen[first]) & set(seen[second])
    assert first.shown() != second.shown()
    assert len({*seen[first], *seen[second]}) == 8
    assert set(verdicts()) == {*seen[first], *seen[second]} <= {str(row.pk) for row in rows}


def test_a_page_that_is_closed_gives_back_what_it_held(desk):
    detections(3)
    first = desk().open().settled()
    second = desk().open()
    expect(second.page.get_by_text("Others look at the rest just now.")).to_be_visible()
    first.page.goto(f"{first.address}/healthz")
    second.page.reload()
    second.shown()


def test_a_refused_answer_is_set_aside_with_its_reason_and_blocks_no_other(desk):
    detections(5)
    one = desk().open()
    one.shown()
    LabelDefinition.objects.filter(label="variable_star").update(is_active=False)
    refused, taken = one.press("2", "v")
    one.saved()
    assert set(verdicts()) == {taken}
    one.page.get_by_text("1 not taken").click()
    expect(one.page.locator("#refused-list")).to_contain_text("There is no label 'variable_star'")
    one.page.reload()
    LabelDefinition.objects.filter(label="variable_star").update(is_active=True)
    one.page.get_by_text("1 not taken").click()
    one.page.get_by_role("button", name="Try again").click()
    expect(one.page.locator("#refused")).to_be_hidden()
    one.saved()
    assert verdicts()[refused] == (True, "variable_star", "medium")


def test_a_lapsed_lease_is_told_and_the_answer_is_kept(desk):
    [row] = detections(1)
    late, other = desk(), desk(curator("quick"))
    # What is asked for later renews what is held.
    late.open().settled()
    Lease.objects.update(expires_at="2020-01-01T00:00:00Z")
    other.open().press("x")
    other.saved()
    late.page.keyboard.press("v")
    expect(late.page.get_by_text("quick said bogus (medium)")).to_be_visible()
    late.saved()
    assert set(ValidationEvent.objects.values_list("is_valid", flat=True)) == {False, True}
    assert Detection.objects.get().pk == row.pk


def test_keys_rest_while_somebody_types_and_text_is_shown_as_text(desk):
    detections(3)
    note = "<script>document.title = 'taken'</script> v x 1"
    one = desk().open()
    first = one.shown()
    one.page.keyboard.press("n")
    one.page.keyboard.type(note)
    assert one.shown() == first
    assert not ValidationEvent.objects.exists()
    one.page.keyboard.press("Escape")
    one.press("v")
    one.saved()
    assert ValidationEvent.objects.get().notes == note
    other = desk().open("?status=validated")
    other.shown()
    expect(other.page.locator(".said q")).to_have_text(note)
    assert other.page.title() == "Triage – AstrID"


def test_space_and_arrows_act_only_while_no_control_has_the_focus(desk):
    detections(4)
    one = desk().open()
    first = one.shown()
    one.page.keyboard.down(" ")
    expect(one.page.get_by_text("Reference, in its place")).to_be_visible()
    one.page.keyboard.up(" ")
    expect(one.page.get_by_text("Reference, in its place")).to_be_hidden()
    one.page.keyboard.press("ArrowRight")
    expect(one.main).not_to_have_attribute("data-detection-id", first)
    one.page.keyboard.press("k")
    expect(one.main).to_have_attribute("data-detection-id", first)
    one.page.locator("[data-action=invert]").focus()
    one.page.keyboard.press("ArrowRight")
    one.page.keyboard.press(" ")
    expect(one.page.locator("[data-action=invert]")).to_have_attribute("aria-pressed", "true")
    expect(one.main).to_have_attribute("data-detection-id", first)
    one.page.reload()
    one.shown()
    expect(one.page.locator("[data-action=invert]")).to_have_attribute("aria-pressed", "true")


def test_without_its_cutouts_a_detection_says_so_and_can_be_judged(desk):
    first, second = detections(2)
    Detection.objects.filter(pk=first.pk).update(cutouts_path="cutouts/gone.npy")
    one = desk().open()
    expect(one.page.get_by_text("The cutouts are not stored any more.").first).to_be_visible()
    expect(one.main).to_have_attribute("data-viewer-ready", "false")
    one.page.keyboard.press("x")
    assert one.shown() == str(second.pk)
    one.saved()
    assert verdicts() == {str(first.pk): (False, "", "medium")}


_PAINTED = """(size) => JSON.stringify([...document.querySelectorAll("[data-panel] canvas")].map((canvas) => {
    const { data, width } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.width);
    const dots = width / size, colours = [];
    for (let y = 0; y < size; y++) for (let x = 0; x < size; x++) {
        const k = 4 * (Math.floor((y + 0.5) * dots) * width + Math.floor((x + 0.5) * dots));
        colours.push(...data.slice(k, k + 3));
    }
    return btoa(String.fromCharCode(...colours));
}))"""


def painted(page: Page) -> list[np.ndarray]:
    """Return the colours of the three images as they are on screen, first row at the top."""
    texts = json.loads(page.evaluate(_PAINTED, SIZE))
    return [np.frombuffer(base64.b64decode(text), np.uint8).reshape(SIZE, SIZE, 3) for text in texts]


def test_the_greys_on_screen_are_those_of_the_program(desk):
    detections(1)
    stamps = cutouts(0)
    one = desk().open()
    one.shown()
    one.page.keyboard.press("c")
    mask = stamps[3] > 0
    expected = [*shared_grey(stamps[0], stamps[1], mask), symmetric_grey(stamps[2], mask)]
    # The scale bar lies over the lower left of the science image.
    free = np.ones((SIZE, SIZE), dtype=bool)
    free[-8:, : SIZE // 2] = False
    known = np.isfinite(stamps[0])[::-1]
    for colours, greys in zip(painted(one.page), expected, strict=True):
        assert (colours[..., 0] == greys[::-1])[free & known].all()
    one.page.keyboard.press("m")
    whole = side_by_side(stamps, size=SIZE, scale=1, gap=0)
    for number, colours in enumerate(painted(one.page)):
        assert (colours == whole[:, number * SIZE : (number + 1) * SIZE])[free].all()


@pytest.mark.parametrize(("width", "height"), [(1366, 768), (1920, 1080)])
def test_everything_is_on_one_screen(desk, width: int, height: int):
    detections(2)
    one = desk()
    one.page.set_viewport_size({"width": width, "height": height})
    one.open().shown()
    for element in (
        "document.documentElement",
        "document.querySelector('main')",
        "document.querySelector('.verdicts')",
    ):
        for side in ("Width", "Height"):
            assert one.page.evaluate(f"() => {element}.scroll{side} - {element}.client{side}") <= 0, (element, side)
    inside = """() => [...document.querySelectorAll("main button, main canvas, #facts *")].filter((one) => {
        const box = one.getBoundingClientRect();
        return box.width && (box.right > innerWidth || box.bottom > innerHeight);
    }).map((one) => one.outerHTML)"""
    assert one.page.evaluate(inside) == []


def test_on_a_telephone_images_and_answers_are_in_sight_and_fingers_work(desk):
    rows = detections(2)
    one = desk()
    one.page.set_viewport_size({"width": 390, "height": 844})
    one.open().shown()
    assert one.page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0
    for canvas in one.page.locator("canvas").all():
        expect(canvas).to_be_in_viewport(ratio=1)
    expect(one.page.get_by_role("button", name="Real")).to_be_in_viewport(ratio=1)
    one.page.get_by_role("button", name="Bogus").click()
    expect(one.main).to_have_attribute("data-detection-id", str(rows[1].pk))
    one.saved()
    assert verdicts() == {str(rows[0].pk): (False, "", "medium")}


def test_who_comes_from_a_detections_page_sees_that_one_first_and_goes_on_from_there(desk):
    rows = detections(6)
    one = desk().open(f"?detection={rows[5].pk}")
    expect(one.main).to_have_attribute("data-detection-id", str(rows[5].pk))
    one.shown()
    one.press("v")
    one.saved()
    assert verdicts() == {str(rows[5].pk): (True, "", "medium")}
    gone = desk().open("?detection=00000000-0000-4000-8000-000000000000")
    expect(gone.page.get_by_text("The detection that you came for is gone")).to_be_visible()
