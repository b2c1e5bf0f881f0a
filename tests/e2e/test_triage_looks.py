"""What people see of triage: images, marks and controls, on screens large and small."""

from __future__ import annotations

import base64
import json

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from detection.numerics.display import shared_grey, side_by_side, symmetric_grey
from detection.numerics.packing import pack
from tests.curation.cutouts import SIZE, cutouts
from tests.detection.numerics.test_packing import unpacked
from tests.e2e.desks import detections, verdicts

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("empty_data_root")]


def test_space_and_arrows_act_only_while_no_control_has_the_focus(desk):
    detections(4)
    one = desk().open()
    first = one.shown()
    one.page.keyboard.down(" ")
    expect(one.page.get_by_text("Reference, swapped in")).to_be_visible()
    one.page.keyboard.up(" ")
    expect(one.page.get_by_text("Reference, swapped in")).to_be_hidden()
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


def test_whoever_asks_for_less_motion_blinks_by_hand(desk):
    detections(1)
    one = desk().open()
    one.shown()
    one.page.emulate_media(reduced_motion="reduce")
    swapped = one.page.locator("[data-panel=science][data-swapped]")
    one.page.evaluate("() => { window.timers = []; window.setInterval = (...given) => window.timers.push(given); }")
    one.page.keyboard.press("b")
    expect(swapped).to_have_count(1)
    assert one.page.evaluate("() => window.timers") == []
    one.page.keyboard.press("b")
    expect(swapped).to_have_count(0)


def test_each_position_button_copies_what_it_shows_and_says_so(desk):
    detections(1)
    one = desk()
    one.context.grant_permissions(["clipboard-read", "clipboard-write"])
    one.open().shown()
    buttons = one.page.locator("#facts button.position")
    expect(buttons).to_have_count(2)
    for number, form in enumerate(("sexagesimal", "degrees")):
        button = buttons.nth(number)
        assert (button.bounding_box() or {})["height"] >= 24
        button.click()
        copied = one.page.evaluate("() => navigator.clipboard.readText()")
        assert copied == button.inner_text().replace("−", "-")
        expect(one.page.locator("#messages")).to_have_text(f"Copied in {form}: {copied}")


def test_the_whole_frame_opens_with_the_candidate_in_the_middle(desk):
    rows = detections(3)
    one = desk().open(f"?detection={rows[2].pk}")
    expect(one.main).to_have_attribute("data-detection-id", str(rows[2].pk))
    link = one.page.locator("[data-full-frame]").get_attribute("href") or ""
    assert link.endswith(f"/?candidate={rows[2].candidate_id}")


def test_the_new_detection_is_announced(desk):
    rows = detections(2)
    one = desk().open()
    arrived = one.page.locator("#arrived")
    one.press("v")
    one.shown()
    expect(arrived).to_contain_text("On screen: ")
    expect(arrived).to_contain_text(f"Score {rows[1].confidence_score:.3f}")
    assert arrived.get_attribute("aria-live") == "polite"


_BRIGHTEST = """() => {
    const canvas = document.querySelector("[data-panel=difference] canvas");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let [most, others] = [0, 0];
    for (let k = 0; k < data.length; k += 4) {
        if (data[k] > most) most = data[k];
        others = Math.max(others, data[k + 1], data[k + 2]);
    }
    return [most, others];
}"""


def test_in_red_night_marks_are_brighter_than_any_pixel_and_nothing_is_white(desk):
    detections(1)
    one = desk().open()
    one.shown()
    assert one.page.evaluate(_BRIGHTEST)[1] > 200, "in the dark theme greys are grey"
    one.page.locator("#theme").select_option("night")
    marked = one.page.evaluate(_BRIGHTEST)
    one.page.keyboard.press("c")
    bare = one.page.evaluate(_BRIGHTEST)
    assert bare[0] <= 0xD6 < 0xFF == marked[0]
    assert max(marked[1], bare[1]) < 0x90


def test_at_twice_the_size_of_text_images_and_answers_are_in_sight_together(desk):
    detections(1)
    one = desk()
    one.page.set_viewport_size({"width": 683, "height": 384})
    one.open().shown()
    one.page.evaluate("() => document.querySelector('[data-panel=science]').scrollIntoView()")
    images = [image.bounding_box() or {} for image in one.page.locator("[data-panel] canvas").all()]
    bar = one.page.locator(".verdicts .two").bounding_box() or {}
    assert len({image["y"] for image in images}) == 1, "all three in one row"
    assert images[0]["y"] >= 0
    assert images[0]["y"] + images[0]["height"] <= bar["y"]
    assert bar["y"] + bar["height"] <= 384
    assert one.page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0


def test_on_a_telephone_a_message_covers_no_answer_and_can_be_closed(desk):
    detections(1)
    one = desk()
    one.page.set_viewport_size({"width": 390, "height": 844})
    one.open(f"?detection={'0' * 8}-0000-4000-8000-{'0' * 12}").shown()
    message = one.page.locator("#messages .notice")
    message.wait_for()
    bottom = message.evaluate("one => one.getBoundingClientRect().bottom")
    assert bottom <= (one.page.locator(".verdicts .two").bounding_box() or {})["y"]
    message.get_by_role("button", name="Close").click()
    expect(message).to_have_count(0)


def test_no_control_is_smaller_than_a_finger_can_meet(desk):
    detections(1)
    one = desk().open()
    one.shown()
    for width, height in ((1366, 768), (390, 844)):
        one.page.set_viewport_size({"width": width, "height": height})
        small = """() => [...document.querySelectorAll("main button, main summary")].filter((one) => {
            const box = one.getBoundingClientRect();
            return box.width && (box.width < 24 || box.height < 24);
        }).map((one) => one.outerHTML)"""
        assert one.page.evaluate(small) == [], width


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


def as_sent(stamps: np.ndarray) -> np.ndarray:
    """Return cutouts as browsers have them, which miss a little of what is stored."""
    mask = stamps[3] > 0
    return np.stack([*(unpacked(pack(image, mask)) for image in stamps[:3]), stamps[3]])


def test_the_greys_on_screen_are_those_of_the_program(desk):
    detections(1)
    stamps = as_sent(cutouts(0))
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
    # Of what is stored no pixel is more than one of 256 greys away, and few are at all.
    stored = side_by_side(cutouts(0), size=SIZE, scale=1, gap=0).astype(int)
    assert np.abs(stored - whole).max() <= 1
    assert (stored != whole).mean() < 0.1


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


def test_what_one_said_moves_no_button(desk):
    detections(2)
    one = desk().open()
    first = one.shown()
    real = one.page.get_by_role("button", name="Real")
    before = real.bounding_box()
    one.press("1")
    one.saved()
    one.page.keyboard.press("k")
    expect(one.main).to_have_attribute("data-detection-id", first)
    expect(one.page.locator("#own")).to_contain_text("You said: real, ")
    assert real.bounding_box() == before


def test_surroundings_open_over_triage_and_escape_leads_back(desk):
    detections(1)
    one = desk().open()
    first = one.shown()
    one.page.get_by_role("link", name="Surroundings").click()
    dialog = one.page.get_by_role("dialog", name="Surroundings")
    expect(dialog.get_by_text("There is no wide picture.")).to_be_visible()
    expect(dialog.get_by_role("link", name="SIMBAD")).to_be_visible()
    one.page.keyboard.press("v")
    one.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert verdicts() == {}
    expect(one.main).to_have_attribute("data-detection-id", first)
