"""A frame is named as what it looks like where its header says otherwise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from observations.numerics.fits.facts import FrameFacts
from preprocessing.numerics.doubts import doubts_of_colours
from preprocessing.numerics.look_alike import is_like_a_mosaic, looks_like

FACTS = FrameFacts(kind="light", width=100, height=100, gain_e_per_adu=1.5, read_noise_e=8.0)


def exposed(electrons: float) -> np.ndarray:
    rng = np.random.default_rng(1)
    return ((rng.poisson(electrons, (100, 100)) + rng.normal(0, 8.0, (100, 100))) / 1.5 + 300.0).astype(np.float32)


@pytest.mark.parametrize(
    ("electrons", "stars", "word"),
    [(45_000.0, 2, "flat frame"), (1.0, 0, "dark or bias"), (700.0, 3, ""), (45_000.0, 300, ""), (1.0, 300, "")],
)
def test_a_light_without_stars_is_named_as_what_it_looks_like(electrons, stars, word):
    data = exposed(electrons)
    said = looks_like(data, FACTS, float(data.std()), stars, 10)
    assert (word in said) if word else said == ""


def test_pixels_from_0_to_1_without_a_gain_are_no_dark_frame():
    unknown = replace(FACTS, gain_e_per_adu=None, read_noise_e=None)
    dim, bright = (exposed(electrons) / np.float32(16383.0) for electrons in (700.0, 15_000.0))
    assert looks_like(dim, unknown, float(dim.std()), 3, 10) == ""
    assert "flat frame" in looks_like(bright, unknown, float(bright.std()), 3, 10)


def mosaic(red: float, green: float, blue: float, other_green: float | None = None) -> np.ndarray:
    data = np.empty((100, 100), dtype=np.float32)
    for (i, j), level in zip(((0, 0), (0, 1), (1, 0), (1, 1)), (red, green, other_green or green, blue), strict=True):
        data[i::2, j::2] = exposed(level)[i::2, j::2]
    return data


def test_a_mosaic_whose_header_names_no_colours_is_known_by_its_pixels():
    data = mosaic(500.0, 700.0, 350.0)
    assert is_like_a_mosaic(data, FACTS)
    assert "bayer_pattern" in looks_like(data, FACTS, float(data.std()), 2, 10)
    assert [doubt.code for doubt in doubts_of_colours(data, FACTS)] == ["looks_like_mosaic"]
    known = replace(FACTS, bayer_pattern="RGGB")
    assert not is_like_a_mosaic(data, known)
    assert doubts_of_colours(data, known) == ()


def test_one_colour_and_the_columns_of_two_amplifiers_are_no_mosaic():
    assert not is_like_a_mosaic(exposed(700.0), FACTS)
    columns = exposed(700.0)
    columns[:, ::2] += 40.0
    assert not is_like_a_mosaic(columns, FACTS)
