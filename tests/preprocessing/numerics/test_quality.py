from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from preprocessing.numerics import quality
from preprocessing.numerics.background import estimate_background
from preprocessing.numerics.quality import (
    Quality,
    depth_loss_mag,
    gate_pixels,
    gate_trailed,
    measure_quality,
    noise_pixels,
    relative_transparency,
)
from preprocessing.numerics.stars import find_stars
from tests.parameters import LIMITS
from tests.preprocessing.numerics.scenes import star_field

gate = partial(quality.gate, others=(), limits=LIMITS)

# The lights of the 2713 night as measured after bias, dark and sky flat.
GOOD = Quality(3900.0, 45.7, 0.014, 2.69, 0.13, 0.01, 405, 0.99, 0.02, 1070.0, 240.0, 58_500.0, 1.07)
OTHERS = [
    replace(GOOD, sky_level=3110, noise=40.9, depth_flux=914.0, transparency=1.0),
    replace(GOOD, sky_level=2879, noise=39.3, depth_flux=954.0, transparency=0.85),
]
HAZY = replace(GOOD, sky_level=5037.0, noise=51.8, fwhm_px=4.09, star_count=216, depth_flux=1960.0, transparency=0.45)


def test_a_good_frame_passes_alone_and_among_others():
    assert gate(GOOD) is None
    assert gate(GOOD, others=OTHERS) is None


def test_haze_alone_is_no_reason():
    assert gate(HAZY, others=[GOOD, *OTHERS]) is None
    assert depth_loss_mag(HAZY, [GOOD, *OTHERS]) == pytest.approx(1.6, abs=0.2)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"noise": 0.0}, "empty_frame"),
        ({"star_count": 0}, "empty_frame"),
        ({"star_count": 4}, "too_few_stars"),
        ({"masked_share": 0.2}, "masked"),
        ({"structure": 1.44}, "spoilt"),
        ({"sky_level": 50_000.0}, "sky_too_bright"),
    ],
)
def test_each_absolute_fault_has_its_own_code_and_numbers(change, code):
    failure = gate(replace(GOOD, **change))
    assert failure is not None
    assert failure.code == code
    assert any(character.isdigit() for character in failure.sentence) or code == "empty_frame"


def test_lines_among_good_frames_are_a_fault_and_lines_in_all_of_them_are_none():
    trailed = replace(GOOD, ellipticity=0.7)
    assert gate(trailed) is None
    failure = gate_trailed(trailed, [GOOD, GOOD, trailed], LIMITS)
    assert failure.code == "trailed"
    assert "ellipticity 0.70 (limit 0.5)" in failure.sentence and "2 of 3 other frames" in failure.sentence
    assert gate_trailed(trailed, [GOOD, trailed, trailed], LIMITS) is None
    assert gate_trailed(trailed, [], LIMITS) is None
    assert gate_trailed(GOOD, [trailed, trailed, trailed], LIMITS) is None


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"sky_level": 23_900.0, "noise": 640.0, "depth_flux": 15_000.0}, "spoilt"),
        ({"transparency": 0.03}, "clouded"),
        ({"transparency": 0.2, "depth_flux": 4000.0}, "clouded"),
        ({"depth_flux": 15_000.0}, "too_shallow"),
    ],
)
def test_each_fault_against_the_night_has_its_own_code(change, code):
    failure = gate(replace(GOOD, **change), others=[GOOD, *OTHERS])
    assert failure is not None
    assert failure.code == code


@pytest.mark.parametrize("factor", [3.5, 6.0, 10.0])
def test_a_bright_sky_alone_is_no_reason(factor):
    # Photons of the sky make the noise: at ten times the sky a point source is 1.2 mag harder to see.
    bright = replace(GOOD, sky_level=factor * 3110, noise=40 * factor**0.5, depth_flux=950 * factor**0.5)
    assert gate(bright, others=OTHERS) is None
    assert depth_loss_mag(bright, OTHERS) == pytest.approx(1.25 * np.log10(factor), abs=0.2)


def test_a_frame_that_its_sky_made_too_shallow_says_both():
    moonlit = replace(GOOD, sky_level=40_000.0, noise=480.0, depth_flux=12_000.0, saturation=None)
    failure = gate(moonlit, others=OTHERS)
    assert failure is not None
    assert failure.code == "spoilt"
    assert "mag below" in failure.sentence
    assert "times that of the night's other frames" in failure.sentence


def test_one_other_frame_judges_nobody():
    assert gate(replace(GOOD, depth_flux=15_000.0), others=OTHERS[:1]) is None


def test_what_lies_outside_is_not_masked():
    field = star_field(3)
    rim = np.zeros(field.image.shape, dtype=bool)
    rim[:, :80] = True
    sky = estimate_background(field.image, rim)
    stars = find_stars(field.image, rim, background=sky.level, noise=sky.noise)
    measured = measure_quality(field.image, rim, sky, stars, None, lit=~rim)
    assert measured.masked_share == 0.0
    assert measured.covered_share == pytest.approx(0.8)
    assert gate(measured) is None


def test_a_frame_of_which_little_is_left_says_so():
    failure = gate(replace(GOOD, covered_share=0.06))
    assert failure is not None
    assert failure.code == "masked"
    assert "6.0 %" in failure.sentence


def test_a_longer_exposure_may_have_a_brighter_sky():
    longer = replace(GOOD, sky_level=4 * GOOD.sky_level, exposure_s=960.0)
    assert gate(longer, others=OTHERS) is None


def test_pixels_without_content_are_named():
    nothing = gate_pixels(np.full((10, 10), np.nan, dtype=np.float32))
    flat = gate_pixels(np.full((10, 10), 7.0, dtype=np.float32))
    assert nothing is not None
    assert (nothing.code, "100" in nothing.sentence) == ("all_nan", True)
    assert flat is not None
    assert (flat.code, "7" in flat.sentence) == ("empty_frame", True)
    assert gate_pixels(np.eye(3, dtype=np.float32)) is None


def test_transparency_is_the_median_ratio_with_its_error():
    rng = np.random.default_rng(51)
    other = 10 ** rng.uniform(3, 5, 100)
    flux = 0.45 * other * rng.normal(1, 0.05, 100)
    flux[:8] *= 3
    found = relative_transparency(flux, other)
    assert found is not None
    assert found[0] == pytest.approx(0.45, abs=4 * found[1])
    assert relative_transparency(flux[:2], other[:2]) is None


def test_measured_numbers_are_those_of_the_scene():
    field = star_field(52)
    sky = estimate_background(field.image, field.no_mask)
    stars = find_stars(field.image, field.no_mask, background=sky.level, noise=sky.noise)
    quality = measure_quality(field.image, field.no_mask, sky, stars, None)
    assert quality.sky_level == pytest.approx(400, rel=0.01)
    assert quality.noise == pytest.approx(20, rel=0.03)
    assert quality.structure == pytest.approx(1.0, abs=0.05)
    assert quality.depth_flux == pytest.approx(5 * 20 * np.sqrt(noise_pixels(None, stars.fwhm_px)), rel=0.03)


def test_stray_light_with_structure_shows_in_the_noise():
    field = star_field(53)
    stripes = 60 * np.sin(np.arange(400) / 5.0, dtype=np.float32)[None, :]
    image = (field.image + stripes).astype(np.float32)
    sky = estimate_background(image, field.no_mask)
    stars = find_stars(image, field.no_mask, background=sky.level, noise=sky.noise)
    failure = gate(measure_quality(image, field.no_mask, sky, stars, None))
    assert failure is not None
    assert failure.code == "spoilt"
