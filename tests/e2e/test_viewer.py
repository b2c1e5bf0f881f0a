"""What people do with the images of triage: read pixels, measure, colour, blink, and use their fingers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from playwright.sync_api import Locator, Page, expect

from catalog.files import storage
from curation.models import ValidationEvent
from detection.models import Detection
from tests.curation.cutouts import SIZE, cutouts, detection_with_cutouts, store
from tests.detection.cutouts.test_epochs import WCS_OF_FRAMES, frame
from tests.e2e.desks import Desk, detections
from tests.factories import ForcedPhotometryFactory, SourceFactory
from tests.looks import not_red

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("empty_data_root")]

_PICTURE = """(name) => document.querySelector(`[data-panel=${name}] canvas`).toDataURL()"""


def place_of(page: Page, x: float, y: float, panel: str = "science") -> tuple[float, float]:
    """Return where a pixel of cutouts that are not turned is on the screen."""
    box = page.locator(f"[data-panel={panel}] canvas").bounding_box()
    assert box
    dots = box["width"] / SIZE
    return box["x"] + (x + 0.5) * dots, box["y"] + (SIZE - y - 0.5) * dots


def readouts(page: Page) -> list[str]:
    return page.locator("[data-panel] .readout").all_inner_texts()


def test_the_pixel_under_the_pointer_says_its_value_in_each_image_and_why_it_is_bad(desk):
    detections(1)
    stamps, one = cutouts(0), desk().open()
    one.shown()
    one.page.mouse.move(*place_of(one.page, 45, 51))
    told = readouts(one.page)
    for number, text in enumerate(told):
        value, _, rest = text.partition(", masked")
        assert float(value.replace("−", "-")) == pytest.approx(stamps[number][51, 45], rel=1e-3, abs=1.0)
        assert ("″ from it" in rest) == (number == 0), "where it is, over the image that is pointed at"
    one.page.mouse.move(*place_of(one.page, 3, 2, "reference"))
    assert [text.split(" · ")[0] for text in readouts(one.page)] == ["no data"] * 3
    heights = [figure.bounding_box() for figure in one.page.locator("[data-panel]").all()]
    one.page.mouse.move(5, 5)
    assert readouts(one.page) == ["", "", ""]
    assert [figure.bounding_box() for figure in one.page.locator("[data-panel]").all()] == heights


def test_saturated_pixels_and_the_position_on_the_sky_are_told_under_the_pointer(desk):
    bits = np.zeros((120, 100), dtype=np.uint8)
    bits[60, 75] = 1 | 2
    row, stamps = frame("frame.fits", bits, x=70.0, y=61.0), cutouts(1)
    stamps[3, 60 - 61 + 31, 75 - 70 + 31] = 1.0
    store(row, stamps)
    one = desk().open()
    one.shown()
    x, y = place_of(one.page, 31, 31)
    one.page.mouse.move(x, y)
    found = {}
    # The cutout is turned north up; wherever the saturated pixel came to lie, it says so and where it is.
    dots = (one.page.locator("[data-panel=science] canvas").bounding_box() or {})["width"] / SIZE
    for dx, dy in ((5, 1), (-5, 1), (5, -1), (-5, -1), (1, 5), (-1, 5), (1, -5), (-1, -5)):
        one.page.mouse.move(x + dx * dots, y + dy * dots)
        value, _, place = readouts(one.page)[0].partition(" · ")
        if value.endswith("saturated"):
            found[dx, dy] = place
    [place] = found.values()
    there = WCS_OF_FRAMES.pixel_to_world(75, 60)
    assert SkyCoord(place.replace("−", "-"), unit=("hourangle", "deg")).separation(there).arcsec < 0.6


def test_a_drag_with_shift_or_with_the_ruler_measures_and_the_next_press_takes_it_away(desk):
    detections(1)
    one = desk().open()
    one.shown()
    bare = one.page.evaluate(_PICTURE, "difference")

    def drag() -> str:
        one.page.mouse.move(*place_of(one.page, 10, 10, "reference"))
        one.page.mouse.down()
        one.page.mouse.move(*place_of(one.page, 40, 30, "reference"))
        one.page.mouse.up()
        picture: str = one.page.evaluate(_PICTURE, "difference")
        return picture

    assert drag() == bare, "there is nothing to move"
    one.page.keyboard.down("Shift")
    with_shift = drag()
    one.page.keyboard.up("Shift")
    assert with_shift != bare
    one.page.mouse.click(*place_of(one.page, 50, 50))
    assert one.page.evaluate(_PICTURE, "difference") == bare
    one.page.keyboard.press(".")
    expect(one.page.locator("[data-action=ruler]")).to_have_attribute("aria-pressed", "true")
    assert drag() == with_shift
    one.page.keyboard.press(".")
    assert one.page.evaluate(_PICTURE, "difference") == bare


_COLOURED = """(name) => {
    const canvas = document.querySelector(`[data-panel=${name}] canvas`);
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let coloured = 0;
    for (let k = 0; k < data.length; k += 4) coloured += Math.abs(data[k] - data[k + 2]) > 20;
    return coloured / (data.length / 4);
}"""


def test_colours_come_on_a_key_stay_for_the_next_time_and_never_at_night(desk):
    detections(1)
    one = desk().open()
    one.shown()
    difference = one.page.locator("[data-panel=difference] canvas")
    assert one.page.evaluate(_COLOURED, "difference") < 0.05
    one.page.keyboard.press("o")
    assert one.page.evaluate(_COLOURED, "difference") > 0.3
    assert one.page.evaluate(_COLOURED, "science") > 0.3
    expect(difference).to_have_attribute(
        "aria-label", "Difference image: orange is brighter than before, blue is fainter"
    )
    one.page.keyboard.press("i")
    expect(difference).to_have_attribute(
        "aria-label", "Difference image: blue is brighter than before, orange is fainter"
    )
    one.page.reload()
    one.shown()
    expect(one.page.locator("[data-action=colours]")).to_have_attribute("aria-pressed", "true")
    one.page.locator("#theme").select_option("night")
    one.page.mouse.move(*place_of(one.page, 31, 31))
    assert not_red(one.page)["excess"] <= 25


def test_each_stretch_draws_another_image_and_the_first_comes_after_the_last(desk):
    detections(1)
    one = desk().open()
    one.shown()
    names, pictures = [], set()
    for _ in range(6):
        names.append(one.page.locator("#stretch").inner_text())
        pictures.add(one.page.evaluate(_PICTURE, "science"))
        one.page.keyboard.press("s")
    assert names == ["asinh", "linear", "log", "sqrt", "zscale", "faint"]
    assert len(pictures) == 6
    assert one.page.locator("#stretch").inner_text() == "asinh"


def test_how_fast_it_blinks_is_chosen_and_kept(desk):
    detections(1)
    one = desk().open()
    one.shown()
    one.page.evaluate("() => { window.paces = []; window.setInterval = (_, ms) => window.paces.push(ms); }")
    one.page.keyboard.press("b")
    one.page.keyboard.press(",")
    expect(one.page.locator("#pace")).to_have_text("fast")
    one.page.keyboard.press(",")
    assert one.page.evaluate("() => window.paces") == [500, 250, 1000], "and it goes on at once at the new pace"
    one.page.reload()
    one.shown()
    expect(one.page.locator("#pace")).to_have_text("slow")


class Fingers:
    """Fingers on a screen."""

    def __init__(self, one: Desk) -> None:
        self.session = one.context.new_cdp_session(one.page)
        self.session.send("Emulation.setTouchEmulationEnabled", {"enabled": True, "maxTouchPoints": 2})

    def _send(self, kind: str, *points: tuple[float, float]) -> None:
        touches = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
        self.session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    def move(self, *paths: list[tuple[float, float]]) -> None:
        """Put down a finger for each path, go along, and lift them."""
        self._send("touchStart", *(path[0] for path in paths))
        for points in zip(*(path[1:] for path in paths), strict=True):
            self._send("touchMove", *points)
        self._send("touchEnd")


def along(start: tuple[float, float], dx: float, dy: float = 0.0, steps: int = 6) -> list[tuple[float, float]]:
    return [(start[0] + dx * k / steps, start[1] + dy * k / steps) for k in range(steps + 1)]


def test_a_finger_swipes_on_and_back_and_two_fingers_enlarge(desk):
    rows = detections(2)
    one = desk()
    one.page.set_viewport_size({"width": 390, "height": 844})
    one.open().shown()
    fingers = Fingers(one)
    fingers.move(along(place_of(one.page, 50, 40), -120.0))
    expect(one.main).to_have_attribute("data-detection-id", str(rows[1].pk))
    one.shown()
    fingers.move(along(place_of(one.page, 10, 40), 120.0))
    expect(one.main).to_have_attribute("data-detection-id", str(rows[0].pk))
    one.shown()
    fingers.move(along(place_of(one.page, 30, 40), -20.0, -60.0))
    fingers.move(along(place_of(one.page, 25, 31), -15.0), along(place_of(one.page, 37, 31), 15.0))
    zoom = float(one.page.locator("#zoom").inner_text().removesuffix("×"))
    assert 1.5 < zoom < 2.5
    whole = one.page.evaluate(_PICTURE, "science")
    fingers.move(along(place_of(one.page, 50, 40), -100.0))
    assert one.page.evaluate(_PICTURE, "science") != whole, "what is enlarged moves with the finger"
    expect(one.main).to_have_attribute("data-detection-id", str(rows[0].pk))


@dataclass
class Object:
    """One object on screen: its epochs by time, the second of which leads; the third frame shows nothing."""

    one: Desk
    rows: list[Detection]

    @property
    def boxes(self) -> Locator:
        return self.one.page.locator("#strip > li")

    def states(self) -> list[str]:
        self.one.settled()
        found: list[str] = self.boxes.evaluate_all("(all) => all.map((one) => one.dataset.state)")
        return found

    def drawn(self) -> list[str]:
        self.one.settled()
        found: list[str] = self.boxes.locator("canvas").evaluate_all("(all) => all.map((one) => one.toDataURL())")
        return found


def an_object(count: int, **of_fourth: Any) -> list[Detection]:
    """Make an object with so many epochs; the fourth may be a special one, and between the second and it is a limit."""
    source, rows = SourceFactory(), []
    for number in range(count):
        if number == 2:
            ForcedPhotometryFactory(source=source)
        special = of_fourth if number == 3 else {}
        score = 0.99 if number == 1 else 0.9
        rows.append(detection_with_cutouts(number, source=source, confidence_score=score, **special))
    return rows


@pytest.fixture
def twelve(desk) -> Object:
    rows = an_object(11, status="validated")
    one = desk().open()
    assert one.shown() == str(rows[1].pk)
    one.settled()
    return Object(one, rows)


def test_a_strip_of_twelve_epochs_stands_in_one_row_and_says_of_each_what_it_is(twelve: Object):
    page = twelve.one.page
    assert twelve.states() == ["covered", "large", "limit", "covered", "judged", *["covered"] * 7]
    tops = {(box.bounding_box() or {})["y"] for box in twelve.boxes.all()}
    assert len(tops) == 1
    assert page.evaluate(
        "() => document.querySelector('#strip').scrollWidth <= document.querySelector('#strip').clientWidth"
    )
    names = [box.locator(".pick").get_attribute("aria-label") or "" for box in twelve.boxes.all()]
    assert names[0].endswith(", covered by your answer")
    assert names[1].endswith(", shown large")
    assert names[2] == "", "there is nothing to press where nothing was detected"
    assert names[4].endswith(", judged already")
    signs = [box.locator(".leave:visible, .sign:visible").inner_text() for box in twelve.boxes.all()]
    assert signs[:5] == ["✓", "◉", "▽", "✓", "●"], "no state is told by colour alone"
    assert twelve.boxes.locator("[aria-pressed=true].pick").count() == 1
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0
    assert page.evaluate(
        "() => document.querySelector('#strip').scrollWidth > document.querySelector('#strip').clientWidth"
    )


def test_an_object_with_its_strip_is_on_one_screen(desk):
    an_object(5)
    one = desk().open()
    one.shown()
    one.settled()
    outside = """() => [...document.querySelectorAll("main button, main canvas, #facts *")].filter((one) => {
        const box = one.getBoundingClientRect();
        return box.width && (box.right > innerWidth || box.bottom > innerHeight);
    }).map((one) => one.outerHTML)"""
    assert one.page.evaluate(outside) == []


def test_all_epochs_come_in_one_answer_and_one_brought_on_screen_comes_whole(desk):
    rows = an_object(5)
    one, asked = desk(), []
    one.page.on("request", lambda request: asked.append(request.url) if "/pixels" in request.url else None)
    one.open().shown()
    one.settled()
    assert len(asked) == 1
    one.page.locator("#strip .pick").nth(4).click()
    expect(one.main).to_have_attribute("data-detection-id", str(rows[3].pk))
    assert one.shown() == str(rows[3].pk)
    assert one.page.evaluate("() => document.activeElement === document.body"), "keys are free again"
    assert len(asked) == 2
    one.page.keyboard.press("v")
    one.saved()
    leading = ValidationEvent.objects.get(detection=rows[3])
    assert leading.visible_context["images"] == ["science", "reference", "difference"]
    assert set(ValidationEvent.objects.values_list("shown", flat=True)) == {"large", "strip"}
    assert ValidationEvent.objects.count() == 5


def test_while_the_reference_of_an_epoch_is_on_its_way_nothing_is_answered(desk):
    rows = an_object(3)
    one = desk().open()
    one.shown()
    one.settled()
    one.page.route("**/pixels*", lambda route: route.fulfill(status=503))
    one.page.keyboard.press("g")
    expect(one.main).to_have_attribute("data-detection-id", str(rows[2].pk))
    fault = one.page.locator("[data-panel=reference] [data-fault]")
    expect(fault).to_have_text("The images could not be loaded yet.")
    expect(one.page.locator("[data-panel=science] [data-fault]")).to_be_empty()
    one.page.keyboard.press("v")
    expect(one.page.locator("#messages")).to_contain_text("its images have not loaded")
    assert one.main.get_attribute("data-viewer-ready") == "false"
    one.page.unroute("**/pixels*")
    one.page.keyboard.press("l")
    assert one.shown() == str(rows[2].pk)
    expect(fault).to_be_empty()
    assert not ValidationEvent.objects.exists()


def test_an_epoch_is_picked_and_left_out_by_keyboard(twelve: Object):
    page = twelve.one.page
    page.locator("#strip [tabindex='0']").focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    expect(twelve.one.main).to_have_attribute("data-detection-id", str(twelve.rows[4].pk))
    leave = twelve.boxes.nth(6).get_by_role("button", name="Leave out")
    leave.focus()
    page.keyboard.press("Enter")
    assert twelve.states()[6] == "left out"
    expect(leave).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#covers")).to_contain_text("9 of 10 epochs")
    leave.click()
    assert twelve.states()[6] == "covered"


def test_a_strip_follows_the_look_and_stays_red_at_night(twelve: Object):
    page, first = twelve.one.page, twelve.drawn()
    assert len(first) == 2 * 11
    for keys, back in (("s", "sssss"), ("i", "i"), ("+", "0"), ("m", "m"), ("o", "o"), ("]", "[")):
        for key in keys:
            page.keyboard.press(key)
        assert all(one != other for one, other in zip(twelve.drawn()[1::2], first[1::2], strict=True)) or keys == "s"
        assert twelve.drawn()[0] != first[0], keys
        for key in back:
            page.keyboard.press(key)
        assert twelve.drawn() == first, keys
    page.keyboard.press("o")
    page.locator("#theme").select_option("night")
    assert not_red(page)["excess"] <= 25


def test_an_epoch_without_images_says_so_is_left_out_and_the_others_are_drawn(desk):
    rows = an_object(4)
    storage.remove(rows[2].cutouts_path)
    one = desk().open()
    one.shown()
    seen = Object(one, rows)
    assert seen.states() == ["covered", "large", "limit", "left out", "covered"]
    lacking = seen.boxes.nth(3)
    assert "no images" in lacking.inner_text()
    assert "no longer stored" in (lacking.locator(".pick").get_attribute("aria-label") or "")
    expect(lacking.locator("canvas").first).to_be_hidden()
    expect(seen.boxes.nth(4).locator("canvas").first).to_be_visible()
    expect(one.page.locator("#covers")).to_contain_text("1 without images left out")
