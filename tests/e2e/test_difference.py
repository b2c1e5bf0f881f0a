"""The viewer of one subtraction, in a real browser."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.wcs import Sip
from django.contrib.auth.models import Group
from playwright.sync_api import Locator, Page, expect

from differencing.models import DifferenceRun
from differencing.pictures.images import layout_of
from tests.differencing.images import HEIGHT, run_with_images, wcs, write_all, write_images
from tests.factories import CandidateFactory, DetectionFactory, UserFactory

pytestmark = pytest.mark.django_db(transaction=True)
PASSWORD = "correct-horse-47"


@pytest.fixture
def run(transactional_db: None, empty_data_root: Path) -> DifferenceRun:
    run = run_with_images(candidates_found=2)
    CandidateFactory(difference_run=run, pixel_x=31.0, pixel_y=21.0, significance=30.0, status="detected")
    CandidateFactory(difference_run=run, pixel_x=80.0, pixel_y=50.0, significance=-9.0, is_negative=True)
    return run


@pytest.fixture
def viewer(run: DifferenceRun, page: Page, live_server: Any) -> Page:
    """Return a page that shows the subtraction to a viewer."""
    account = UserFactory(username="viewer")
    account.set_password(PASSWORD)
    account.save()
    account.groups.add(Group.objects.get(name="viewer"))
    page.goto(f"{live_server.url}/accounts/login/?next=/differences/{run.pk}/")
    page.get_by_label("User name").fill("viewer")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_load_state("networkidle")
    return page


def field(page: Page) -> Locator:
    return page.locator(".viewer .field")


def canvas(page: Page) -> Locator:
    return page.locator(".viewer canvas")


def shown(page: Page) -> str | None:
    return canvas(page).get_attribute("data-kind")


def where(page: Page) -> str:
    return str(page.locator(".viewer .marks").get_attribute("viewBox"))


def widths(page: Page) -> float:
    """Return how many pixels of the image lie side by side on the screen."""
    return float(where(page).split()[2])


def point_at(page: Page, x: float, y: float, height: int = HEIGHT) -> None:
    """Move the pointer to a pixel (0-based, from the lower left)."""
    left, top, across, _ = (float(value) for value in where(page).split())
    box = field(page).bounding_box()
    assert box is not None
    scale = (box["width"] - 2) / across
    page.mouse.move(box["x"] + 1 + (x + 0.5 - left) * scale, box["y"] + 1 + (height - y - 0.5 - top) * scale)


def test_images_change_by_key_and_button_and_stay_where_they_are(viewer: Page):
    assert shown(viewer) == "science"
    viewer.keyboard.press("3")
    assert shown(viewer) == "difference"
    viewer.keyboard.press("+")
    field(viewer).hover()
    viewer.mouse.wheel(0, -100)
    before = where(viewer)
    for key, kind in (("2", "reference"), ("4", "score"), ("1", "science")):
        viewer.keyboard.press(key)
        assert shown(viewer) == kind
        assert where(viewer) == before
    viewer.get_by_role("button", name="Difference 3").click()
    expect(viewer.get_by_role("button", name="Difference 3")).to_have_attribute("aria-pressed", "true")
    assert shown(viewer) == "difference"


def test_the_space_bar_shows_the_reference_for_as_long_as_it_is_held(viewer: Page):
    viewer.get_by_role("button", name="Science 1").click()
    viewer.keyboard.down(" ")
    assert shown(viewer) == "reference"
    viewer.keyboard.up(" ")
    assert shown(viewer) == "science"
    assert viewer.evaluate("scrollY") == 0


def test_images_are_enlarged_moved_and_shown_whole_again(viewer: Page):
    whole = widths(viewer)
    viewer.keyboard.press("+")
    viewer.keyboard.press("+")
    assert widths(viewer) == pytest.approx(whole / 1.5**2)
    box = field(viewer).bounding_box()
    assert box is not None
    before = where(viewer)
    viewer.mouse.move(box["x"] + 300, box["y"] + 200)
    viewer.mouse.down()
    viewer.mouse.move(box["x"] + 360, box["y"] + 230, steps=3)
    viewer.mouse.up()
    scale = (box["width"] - 2) / widths(viewer)
    moved = [a - b for a, b in zip(map(float, before.split()), map(float, where(viewer).split()), strict=True)]
    assert moved == pytest.approx([60 / scale, 30 / scale, 0, 0], rel=0.01)
    viewer.keyboard.press("0")
    assert widths(viewer) == pytest.approx(whole)


def test_what_is_under_the_pointer_stays_there_while_the_wheel_turns(viewer: Page):
    point_at(viewer, 31.0, 21.0)
    before = viewer.locator("[data-cursor]").inner_text()
    viewer.mouse.wheel(0, -100)
    viewer.mouse.wheel(0, -100)
    viewer.wait_for_function("document.querySelector('[data-zoom]').textContent != 'fit'")
    point_at(viewer, 31.0, 21.0)
    assert viewer.locator("[data-cursor]").inner_text() == before


@pytest.mark.parametrize(("x", "y"), [(0.0, 0.0), (31.0, 21.0), (95.0, 63.0)])
def test_the_pixel_and_the_position_under_the_pointer_are_those_of_the_file(viewer: Page, x: float, y: float):
    point_at(viewer, x, y)
    text = viewer.locator("[data-cursor]").inner_text()
    found = re.fullmatch(r"x ([\d.]+), y ([\d.]+) · (\S+) (\S+)", text)
    assert found, text
    assert [float(found[1]), float(found[2])] == pytest.approx([x, y], abs=0.11)
    told = SkyCoord(found[3], found[4].replace("−", "-"), unit=("hourangle", "deg"))
    expected = wcs().pixel_to_world(float(found[1]), float(found[2]))
    # The pixel is written to a tenth, each of which is a tenth of an arcsecond and a bit.
    assert told.separation(expected).arcsec < 0.2


def test_positions_of_a_distorted_frame_are_those_of_astropy(viewer: Page, run: DifferenceRun):
    bent = wcs()
    bent.wcs.ctype = ["RA---TAN-SIP", "DEC--TAN-SIP"]
    a, b = np.zeros((4, 4)), np.zeros((4, 4))
    a[2, 0], a[1, 1], a[0, 3], b[0, 2], b[2, 1] = 2e-4, -1e-4, 3e-6, 1.5e-4, -2e-6
    bent.sip = Sip(a, b, None, None, bent.wcs.crpix)
    write_images(run, projection=bent)
    layout = layout_of(run)
    assert layout is not None
    script = """async ([cards, x, y]) => {
        const address = new URL("./tan.js", document.querySelector("script[src*=difference]").src);
        return (await import(address)).projection(cards)(x, y);
    }"""
    for x, y in ((0, 0), (95, 63), (48, 10)):
        expected, straight = ([float(value) for value in one.all_pix2world(x, y, 0)] for one in (bent, wcs()))
        assert viewer.evaluate(script, [layout.wcs, x, y]) == pytest.approx(expected, abs=1e-9)
        assert expected != pytest.approx(straight, abs=1e-6)


def test_a_candidate_tells_what_it_is_and_leads_to_its_row_and_back(viewer: Page):
    ring = viewer.locator(".marks .ring").first
    ring.hover()
    expect(viewer.locator("[data-about]")).to_contain_text("Candidate 1: +30.0 sigma, detected")
    ring.focus()
    viewer.keyboard.press("ArrowRight")
    expect(viewer.locator("[data-about]")).to_contain_text("Candidate 2: −9.0 sigma, pending, fainter than")
    viewer.keyboard.press("Enter")
    expect(viewer.locator("tr:target")).to_contain_text("−9.0")
    viewer.get_by_role("link", name="Show candidate 1 in the image").click()
    left, top, across, down = (float(value) for value in where(viewer).split())
    assert (left + across / 2, top + down / 2) == pytest.approx((31.5, HEIGHT - 21.5))
    viewer.keyboard.press("o")
    expect(viewer.locator(".marks")).not_to_be_visible()


def test_the_page_fits_a_small_screen(viewer: Page):
    viewer.set_viewport_size({"width": 390, "height": 844})
    assert viewer.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    box = field(viewer).bounding_box()
    assert box is not None
    assert widths(viewer) == pytest.approx(96, abs=1) or box["height"] < box["width"]


def test_the_address_of_a_candidate_brings_it_to_the_middle(run: DifferenceRun, viewer: Page):
    wanted = run.candidates.get(is_negative=True)
    viewer.goto(f"{viewer.url}?candidate={wanted.pk}")
    chosen = viewer.locator(".ring.here")
    expect(chosen).to_have_attribute("href", f"#candidate-{wanted.pk}")
    middle_of = """one => { const box = one.getBoundingClientRect();
        return [box.x + box.width / 2, box.y + box.height / 2]; }"""
    # The ring's own lines, and the border of the field.
    assert chosen.evaluate(middle_of) == pytest.approx(field(viewer).evaluate(middle_of), abs=3)
    assert viewer.locator("[data-zoom]").inner_text() != "fit"


def test_keys_of_other_layouts_choose_an_image(viewer: Page):
    press = """() => document.body.dispatchEvent(
        new KeyboardEvent("keydown", { key: '"', code: "Digit3", bubbles: true }))"""
    viewer.evaluate(press)
    assert shown(viewer) == "difference"


SIDE = 700


@pytest.fixture
def large(run: DifferenceRun, viewer: Page) -> Page:
    """Show images of several tiles, whose science image counts its pixels."""
    y, x = np.indices((SIDE, SIDE))
    science = (1000.0 * y + x).astype(np.float32)
    noise = np.random.default_rng(3).normal(0.0, 1.0, science.shape).astype(np.float32)
    mask = np.zeros(science.shape, dtype=bool)
    write_all(run, {"science": science, "reference": noise, "difference": noise, "score": noise, "mask": mask})
    viewer.reload()
    return viewer


def unpainted(page: Page) -> int:
    """Return how many dots of the canvas show nothing; the image fills it."""
    script = """one => one.getContext("2d").getImageData(0, 0, one.width, one.height).data
        .reduce((count, value, k) => count + (k % 4 === 3 && value === 0 ? 1 : 0), 0)"""
    return int(canvas(page).evaluate(script))


def test_a_large_image_is_moved_without_a_blank_and_tells_the_value_of_each_pixel(large: Page):
    expect(canvas(large)).to_have_attribute("data-state", "whole")
    for _ in range(4):
        large.keyboard.press("+")
    expect(canvas(large)).to_have_attribute("data-state", "whole")
    assert unpainted(large) == 0
    # From here on no finer tile comes: what is not here is drawn from the tile of the whole image.
    large.route("**/tiles/*/0/**", lambda route: None)
    field(large).focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowRight"):
        large.keyboard.press(key)
        assert unpainted(large) == 0
    large.unroute_all(behavior="ignoreErrors")
    large.reload()
    expect(canvas(large)).to_have_attribute("data-state", "whole")
    for x, y in ((10.0, 20.0), (650.0, 300.0)):
        point_at(large, x, y, SIDE)
        place = large.locator("[data-cursor]").inner_text()
        found = re.match(r"x ([\d.]+), y ([\d.]+)", place)
        assert found, place
        expect(large.locator("[data-value]")).not_to_be_empty()
        value = float(large.locator("[data-value]").inner_text())
        # The pixel whose middle is nearest to the place that is told to a tenth.
        assert value == pytest.approx(1000.0 * round(float(found[2])) + round(float(found[1])), abs=0.01)


def test_what_is_known_is_shown_on_demand_and_detections_lead_to_their_pages(run: DifferenceRun, viewer: Page):
    detection = DetectionFactory(candidate=run.candidates.get(is_negative=False))
    known = viewer.locator(".viewer .known")
    expect(known).not_to_be_visible()
    viewer.keyboard.press("k")
    expect(viewer.get_by_role("button", name="Known k")).to_have_attribute("aria-pressed", "true")
    expect(viewer.locator("[data-about]")).to_have_text("Known here: 1 detection.")
    expect(known.locator("a")).to_have_attribute("href", f"/detections/{detection.pk}/")
    middle_of = """one => { const box = one.getBoundingClientRect();
        return [box.x + box.width / 2, box.y + box.height / 2]; }"""
    ring = viewer.locator(".marks .ring.detected")
    assert known.locator("a").evaluate(middle_of) == pytest.approx(ring.evaluate(middle_of), abs=1)
    viewer.keyboard.press("k")
    expect(known).not_to_be_visible()


def test_stretch_and_contrast_change_the_greys_and_are_kept(viewer: Page):
    expect(canvas(viewer)).to_have_attribute("data-state", "whole")
    drawn = "one => one.toDataURL()"
    before = canvas(viewer).evaluate(drawn)
    viewer.keyboard.press("s")
    expect(viewer.locator("[data-stretch]")).to_have_text("linear")
    stretched = canvas(viewer).evaluate(drawn)
    viewer.keyboard.press("i")
    expect(viewer.get_by_role("button", name="Invert i")).to_have_attribute("aria-pressed", "true")
    assert len({before, stretched, canvas(viewer).evaluate(drawn)}) == 3
    viewer.reload()
    expect(viewer.locator("[data-stretch]")).to_have_text("linear")


_DOTS = """one => {
    const { data } = one.getContext("2d").getImageData(0, 0, one.width, one.height);
    const of = { red: 0, others: 0, clear: 0 };
    for (let k = 0; k < data.length; k += 4) {
        of.red = Math.max(of.red, data[k]);
        of.others = Math.max(of.others, data[k + 1], data[k + 2]);
        of.clear += data[k + 3] === 0 ? 1 : 0;
    }
    return of;
}"""


def test_in_the_red_night_the_drawn_pixels_are_red_themselves_and_what_is_not_drawn_stays_clear(viewer: Page):
    """Not every browser blends a layer with the canvas below it: there all was bright red, without an image."""
    expect(canvas(viewer)).to_have_attribute("data-state", "whole")
    before = canvas(viewer).evaluate(_DOTS)
    assert before["others"] > 200, "in the dark theme greys are grey"
    viewer.locator("#theme").select_option("night")
    viewer.wait_for_function(f"() => ({_DOTS})(document.querySelector('.viewer canvas')).others < 100")
    after = canvas(viewer).evaluate(_DOTS)
    assert after["red"] > 4 * after["others"]
    assert 0 < after["clear"] == before["clear"]
