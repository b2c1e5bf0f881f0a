"""The contact sheet shows numbers as they are: greys, directions, bad pixels, words."""

from __future__ import annotations

import io
import math
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.image import imread

from astrid_site.night import contact_sheet
from astrid_site.night.contact_sheet import Cell
from detection.numerics.orientation import Turn, turn_to_north_up

N = 63


def noise(seed: int, sigma: float = 1.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.0, sigma, (N, N)).astype(np.float32)


def a_cell(**changes) -> Cell:
    cutouts = np.stack([noise(1), noise(2), noise(3), np.zeros((N, N), np.float32)])
    return replace(Cell(cutouts, 31.0, 31.0, Turn(), ("frame.fits", "S/N 12.0"), scale_arcsec=1.2), **changes)


def drawn(*cells: Cell) -> np.ndarray:
    """Return the page as integers 0 to 255, rows from the top."""
    return np.rint(255 * imread(io.BytesIO(contact_sheet.draw(cells, "title", "subtitle")))[:, :, :3]).astype(int)


def panel(page: np.ndarray, k: int) -> np.ndarray:
    """Return the pixels of panel k of the first cell, one dot of each, rows from the bottom."""
    side = N * contact_sheet.DOTS_PER_PIXEL
    left = contact_sheet.MARGIN + k * (side + contact_sheet.GAP)
    top = contact_sheet.HEAD + contact_sheet.CAPTION
    dots = page[top : top + side, left : left + side]
    middle = contact_sheet.DOTS_PER_PIXEL // 2
    return dots[middle :: contact_sheet.DOTS_PER_PIXEL, middle :: contact_sheet.DOTS_PER_PIXEL][::-1]


def test_the_page_shows_each_pixel_unsmoothed_with_the_first_row_at_the_bottom():
    page = drawn(a_cell())
    expected = contact_sheet.turned_panels(a_cell())
    for k in range(3):
        seen = panel(page, k)
        # Crosshair, bar and compass lie on a tenth of the pixels; a smoothed or flipped image agrees on a few per cent.
        same = (seen == expected[k]).all(axis=2).mean()
        assert same > 0.85, f"{contact_sheet.PANELS[k]}: {same:.0%}"


def test_masked_and_unknown_pixels_are_in_no_grey():
    cutouts = a_cell().cutouts.copy()
    cutouts[3, 5, 5] = 1.0
    cutouts[:3, 7, 7] = np.nan
    for colours in contact_sheet.turned_panels(a_cell(cutouts=cutouts)):
        for y, x in ((5, 5), (7, 7)):
            red, green, blue = (int(value) for value in colours[y, x])
            assert not red == green == blue
        assert np.ptp(colours[20, 20]) == 0


def test_a_cutout_without_any_known_pixel_is_drawn_all_the_same():
    cutouts = a_cell().cutouts.copy()
    cutouts[:3] = np.nan
    assert drawn(a_cell(cutouts=cutouts)).shape[0] > N


@pytest.mark.parametrize("is_mirrored", [False, True])
@pytest.mark.parametrize("angle_deg", [0.0, 30.0, 44.0, 91.0, 140.0, 180.0, 260.0, 359.0])
def test_north_comes_up_and_east_left_by_flips_and_quarter_turns(angle_deg, is_mirrored):
    angle = math.radians(angle_deg)
    north = (-math.sin(angle), math.cos(angle))
    east = (-math.cos(angle), -math.sin(angle))
    if is_mirrored:
        east = (-east[0], -east[1])
    turn = turn_to_north_up(north, east)
    centre = 31.0
    ends = [
        contact_sheet.turned_position(centre + 10 * x, centre + 10 * y, N, turn) for x, y in ((0.0, 0.0), north, east)
    ]
    up, left = ((x - ends[0][0], y - ends[0][1]) for x, y in ends[1:])
    assert up[1] > abs(up[0]) - 1e-9
    assert left[0] < 0
    assert turn.north_deg == pytest.approx(math.degrees(math.atan2(-up[0], up[1])), abs=1e-9)
    assert abs(turn.north_deg) <= 45 + 1e-9


@pytest.mark.parametrize("turn", [Turn(f, k) for f in (False, True) for k in range(4)])
def test_a_pixel_and_its_position_are_turned_alike(turn):
    image = np.zeros((N, N))
    image[12, 40] = 1.0
    x, y = contact_sheet.turned_position(40.0, 12.0, N, turn)
    assert contact_sheet.turned(image, turn)[round(y), round(x)] == 1.0


def test_a_nominal_position_gets_no_compass():
    with_compass = panel(drawn(a_cell(turn=Turn(False, 0, 0.0))), 0)
    without = panel(drawn(a_cell()), 0)
    corner = (slice(N - 20, N), slice(N - 20, N))
    assert (without[corner] == contact_sheet.turned_panels(a_cell())[0][corner]).all()
    assert not (with_compass[corner] == without[corner]).all()


def test_the_crosshair_is_open_where_the_source_is():
    seen = panel(drawn(a_cell()), 0)
    expected = contact_sheet.turned_panels(a_cell())[0]
    core = (slice(27, 36), slice(27, 36))
    assert (seen[core] == expected[core]).all()
    # The line is 1.4 dots wide: of the 3 × 3 dots of a pixel under it, which one is fully covered is not ours to say.
    page, middle = drawn(a_cell()), contact_sheet.DOTS_PER_PIXEL
    top = contact_sheet.HEAD + contact_sheet.CAPTION + (N - 1 - 31) * middle
    left = contact_sheet.MARGIN + 40 * middle
    dots = page[top : top + middle, left : left + middle].reshape(-1, 3)
    assert np.abs(dots - 255 * np.array(to_rgb(contact_sheet.MARK))).max(axis=1).min() <= 40


def test_a_negative_detection_says_so_in_the_difference():
    said = panel(drawn(a_cell(warning="NEGATIVE: fainter than before")), 2)
    silent = panel(drawn(a_cell()), 2)
    differs = (said != silent).any(axis=2)
    assert differs[:10].mean() > 0.3
    assert not differs[20:].any()


@pytest.mark.parametrize(("longest", "expected"), [(25.2, 20.0), (1.0, 1.0), (0.69, 0.5), (5000.0, 5000.0)])
def test_the_scale_bar_has_a_round_length(longest, expected):
    assert contact_sheet.round_length(longest) == pytest.approx(expected)


def test_names_that_the_font_cannot_draw_or_that_look_like_formulas_are_drawn():
    assert contact_sheet.drawable("名 a.fits") == "? a.fits"
    assert drawn(a_cell(captions=("$x^{2.fits", "名"))).shape[0] > N
