"""What people do with the images of triage: read pixels, measure, colour, blink, and use their fingers."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from playwright.sync_api import Page, expect

from curation.models import ValidationEvent
from detection.cutouts.epochs import address_of
from detection.cutouts.pictures import version_of
from detection.models import Detection
from tests.curation.cutouts import SIZE, cutouts, detection_with_cutouts, store
from tests.detection.cutouts.test_epochs import WCS_OF_FRAMES, frame
from tests.e2e.desks import Desk, detections
from tests.e2e.test_triage_objects import object_of
from tests.looks import not_red

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("empty_data_root")]

_PICTURE = """(name) => document.querySelector(`[data-panel=${name}] canvas`).toDataURL()"""


def place_of(page: Page, x: float, y: float, panel: str = "science") -> tuple[float, float]:
    """Return where a pixel of cutouts that are not turned is on the screen."""
    box = page.locator(f"[data-panel={panel}] canvas").bounding_box()
    assert box is not None
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


_STRIP = """async ([address, states]) => {
    const { Strip } = await import("/static/js/strip.js");
    const { readEpochs } = await import("/static/js/packed.js");
    const { keptLook } = await import("/static/js/looks.js");
    const turn = { is_flipped: false, quarter_turns: 0, north_deg: null }, place = { x: 31, y: 31 };
    const read = readEpochs(await (await fetch(address)).arrayBuffer());
    const epochs = read.map((epoch, k) => ({ ...epoch, turn, place, label: `03:1${k} R`, state: states[k] }));
    epochs.splice(2, 0, { id: null, label: "03:15 R", cutouts: null, fault: "", turn, place, state: "limit" });
    const row = document.createElement("div");
    row.id = "strip";
    // As wide as the images and the controls below them.
    row.style.width = `${document.querySelector(".looks").offsetWidth}px`;
    row.style.maxWidth = "100%";
    document.querySelector("main").prepend(row);
    window.picked = [];
    window.strip = new Strip(row, { onPick: (id) => window.picked.push(id) });
    window.strip.show(epochs, keptLook());
    window.epochs = epochs;
    window.look = keptLook();
}"""


@pytest.fixture
def strip(desk) -> tuple[Desk, list[Detection]]:
    """Return a page with a strip of nine epochs and a frame without one, and their detections."""
    rows = [detection_with_cutouts(seed) for seed in range(9)]
    states = ["covered", "large", "covered", "left out", "judged", *["covered"] * 4]
    one = desk().open()
    one.shown()
    one.page.evaluate(_STRIP, [address_of([(row.pk, version_of(row.cutouts_path)) for row in rows]), states])
    return one, rows


def drawn(one: Desk) -> list[str]:
    return one.page.evaluate("() => [...document.querySelectorAll('#strip canvas')].map((one) => one.toDataURL())")


def test_a_strip_of_ten_frames_stands_in_one_row_and_says_of_each_what_it_is(strip):
    one, _rows = strip
    boxes = one.page.locator("#strip .epoch").all()
    assert len(boxes) == 10
    assert one.page.evaluate(
        "() => document.querySelector('#strip').scrollWidth <= document.querySelector('#strip').clientWidth"
    )
    assert len({(box.bounding_box() or {})["y"] for box in boxes}) == 1
    names = [box.get_attribute("aria-label") for box in boxes]
    assert names[0] == "03:10 R, covered by your answer"
    assert names[1] == "03:11 R, shown large"
    assert names[2] is None, "there is nothing to press where nothing was detected"
    assert boxes[2].inner_text().split("\n") == ["not detected", "▽ 03:15 R"]
    assert names[4] == "03:13 R, left out"
    signs = [box.inner_text().split("\n")[-1][0] for box in boxes[:6]]
    assert signs == ["✓", "◉", "▽", "✓", "✕", "●"], "no state is told by colour alone"
    assert one.page.locator("#strip [aria-current=true]").count() == 1
    one.page.set_viewport_size({"width": 390, "height": 844})
    assert one.page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0
    assert one.page.evaluate(
        "() => document.querySelector('#strip').scrollWidth > document.querySelector('#strip').clientWidth"
    )


def test_an_epoch_is_picked_by_mouse_and_by_keyboard(strip):
    one, rows = strip
    one.page.locator("#strip .epoch").nth(5).click()
    assert one.page.evaluate("() => window.picked") == [str(rows[4].pk)]
    assert one.page.evaluate("() => document.activeElement === document.body"), "keys are free again"
    one.page.locator("#strip [tabindex='0']").focus()
    for key in ("ArrowRight", "ArrowRight", "Enter", "ArrowLeft", " "):
        one.page.keyboard.press(key)
    picked = [str(rows[number].pk) for number in (4, 3, 2)]
    assert one.page.evaluate("() => window.picked") == picked


def test_a_strip_follows_the_look_and_stays_red_at_night(strip):
    one, _rows = strip
    first = drawn(one)
    for change in ({"stretch": "log"}, {"isInverted": True}, {"zoom": 2}, {"hasMask": True}, {"map": "colour"}):
        one.page.evaluate("(change) => window.strip.draw({ ...window.look, ...change })", change)
        changed = drawn(one)
        assert changed[0] != first[0], change
        one.page.evaluate("() => window.strip.draw(window.look)")
        assert drawn(one) == first, change
    one.page.evaluate("() => { document.documentElement.dataset.theme = 'night'; }")
    one.page.evaluate("() => window.strip.draw({ ...window.look, map: 'colour' })")
    assert not_red(one.page)["excess"] <= 25


def test_an_epoch_without_images_says_so_and_the_others_are_drawn(strip):
    one, _rows = strip
    one.page.evaluate("""() => {
        window.epochs[3] = { ...window.epochs[3], cutouts: null, fault: "It is gone." };
        window.strip.show(window.epochs, window.look);
    }""")
    lacking = one.page.locator("#strip .epoch").nth(3)
    assert lacking.inner_text().split("\n") == ["no images", "✓ 03:12 R"]
    assert lacking.get_attribute("aria-label") == "03:12 R, covered by your answer, It is gone."
    expect(lacking.locator("canvas").first).to_be_hidden()
    expect(one.page.locator("#strip .epoch").nth(4).locator("canvas").first).to_be_visible()


def test_all_epochs_come_in_one_answer_and_one_brought_on_screen_comes_whole(desk):
    rows = object_of(0.9, 0.95, 0.8, 0.7, 0.6)
    one, asked = desk(), []
    one.page.on("request", lambda request: asked.append(request.url) if "/pixels" in request.url else None)
    one.open().shown()
    one.settled()
    assert len(asked) == 1
    one.page.locator("#strip button.epoch").nth(3).click()
    expect(one.main).to_have_attribute("data-detection-id", str(rows[3].pk))
    assert one.shown() == str(rows[3].pk)
    assert len(asked) == 2
    one.page.keyboard.press("v")
    one.saved()
    event = ValidationEvent.objects.get(detection=rows[3])
    assert (event.shown, event.visible_context["images"]) == ("large", ["science", "reference", "difference"])


def test_while_the_reference_of_an_epoch_is_on_its_way_nothing_is_answered(desk):
    rows = object_of(0.9, 0.95, 0.8)
    one = desk(has_worker=False).open()
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
