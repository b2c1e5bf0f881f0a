"""Frames of one-shot-colour cameras."""

from __future__ import annotations

import numpy as np
import pytest

from preprocessing.numerics.mosaic import evened, levelled, levels, lone_pixels, luminance

COLOURS = {"R": 0.7, "G": 1.0, "B": 0.5}
SHAPE = (80, 96)
GOOD = np.zeros(SHAPE, dtype=bool)


def response(pattern: str = "RGGB", shape: tuple[int, int] = SHAPE) -> np.ndarray:
    result = np.ones(shape, dtype=np.float32)
    for k, colour in enumerate(pattern):
        result[k // 2 :: 2, k % 2 :: 2] = COLOURS[colour]
    return result


def star(x: float, y: float, flux: float, fwhm: float = 3.0) -> np.ndarray:
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    sigma = fwhm / 2.3548
    image = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * sigma**2))
    return (flux * image / image.sum()).astype(np.float32)


@pytest.mark.parametrize("pattern", ["RGGB", "BGGR", "GRBG", "GBRG"])
def test_the_luminance_of_an_even_sky_has_no_pattern_left(pattern):
    image = luminance(1000.0 * response(pattern), GOOD)
    assert np.ptp(image[1:-1, 1:-1]) < 0.01
    assert image[10, 10] == pytest.approx(1000.0 * 0.8, rel=1e-5)


@pytest.mark.parametrize(("x", "y"), [(40.0, 30.0), (41.0, 30.0), (40.5, 30.5), (40.3, 31.2)])
def test_a_stars_flux_and_place_are_the_same_wherever_in_the_pattern_it_lies(x, y):
    image = luminance(star(x, y, 5000.0) * response(), GOOD)
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    assert image.sum() == pytest.approx(5000.0 * 0.8, rel=0.02)
    assert (image * columns).sum() / image.sum() == pytest.approx(x, abs=0.05)
    assert (image * rows).sum() / image.sum() == pytest.approx(y, abs=0.05)


def test_kinds_of_pixels_are_brought_to_one_level_and_to_one_response():
    sky = 300.0 + 1000.0 * response()
    assert np.ptp(levelled(sky, GOOD)) < 0.01
    flat = evened(1000.0 * response(), GOOD)
    assert np.ptp(flat) < 0.01 and levels(flat, GOOD)[0, 0] == pytest.approx(800.0)


def test_a_hot_pixel_stands_alone_and_a_star_of_one_colour_does_not():
    rng = np.random.default_rng(3)
    sky = 1000.0 * response() + rng.normal(0, 10.0, SHAPE).astype(np.float32)
    sky[20, 20] += 5000.0
    red_star = star(60.0, 50.0, 60_000.0, fwhm=2.2) * np.where(response() == COLOURS["R"], 1.0, 0.3)
    found = lone_pixels((sky + red_star).astype(np.float32), GOOD)
    assert found[20, 20]
    assert found.sum() == 1


def test_a_bad_pixel_is_filled_from_its_own_colour_and_spoils_no_neighbour():
    sky = 1000.0 * response()
    sky[20, 20] = 60_000.0
    bad = GOOD.copy()
    bad[20, 20] = True
    image = luminance(sky, bad)
    assert np.ptp(image[1:-1, 1:-1]) < 0.01


def test_the_input_is_not_changed():
    sky = 1000.0 * response()
    kept = sky.copy()
    for work in (levels, levelled, evened, lone_pixels, luminance):
        work(sky, GOOD)
    assert np.array_equal(sky, kept)
