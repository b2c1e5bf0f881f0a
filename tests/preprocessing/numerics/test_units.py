"""What the pixels count decides whether a gain means anything."""

from __future__ import annotations

import numpy as np
import pytest

from observations.numerics.fits.facts import FrameFacts
from preprocessing.numerics.units import scale_of

GAIN, READ_NOISE, SKY_E = 1.5, 8.0, 720.0


def pixels(seed: int = 1, bias: float = 300.0) -> np.ndarray:
    """A raw sky in ADU, as a camera of 16 bits writes it."""
    rng = np.random.default_rng(seed)
    electrons = rng.poisson(SKY_E, (120, 140)) + rng.normal(0.0, READ_NOISE, (120, 140))
    return np.rint(electrons / GAIN + bias).astype(np.float32)


def facts(**more: object) -> FrameFacts:
    values = {"gain_e_per_adu": GAIN, "read_noise_e": READ_NOISE, "exposure_s": 60.0}
    return FrameFacts(kind="light", width=140, height=120, **(values | more))


def scale(data: np.ndarray, **more: object):
    return scale_of(data.astype(np.float32), facts(**more), float(np.std(data)))


def test_counts_of_a_camera_keep_their_gain():
    found = scale(pixels())
    assert (found.gain, found.read_noise_e, found.doubts) == (GAIN, READ_NOISE, ())


def test_numbers_from_0_to_1_on_the_grid_of_16_bits_are_counts_divided():
    found = scale(pixels() / np.float32(65535.0))
    assert found.gain == pytest.approx(GAIN * 65535.0)
    assert [doubt.code for doubt in found.doubts] == ["pixels_were_divided"]


@pytest.mark.parametrize("full", [4095.0, 4096.0, 16383.0, 65536.0])
def test_counts_are_known_by_their_steps_whatever_the_camera_counts_to(full):
    found = scale(pixels() / np.float32(full))
    # Dim pixels do not tell 65536 from 65535, and need not.
    assert found.gain == pytest.approx(GAIN * full, rel=1e-4)
    assert [doubt.value for doubt in found.doubts] == pytest.approx([full], rel=1e-4)


def test_the_colours_of_an_unnamed_mosaic_contradict_no_gain():
    data = pixels()
    data[::2, ::2] += 3000.0
    data[1::2, 1::2] += 1200.0
    assert scale(data).doubts == ()


@pytest.mark.parametrize("factor", [1 / 65535.0, 1 / 50_000.0])
def test_numbers_from_0_to_1_off_that_grid_have_no_gain_and_say_so(factor):
    averaged = np.mean([pixels(seed) for seed in range(3)], axis=0) * factor
    found = scale(averaged)
    assert found.gain is None
    assert [doubt.code for doubt in found.doubts] == ["pixels_between_0_and_1"]


@pytest.mark.parametrize("factor", [100 / 65535.0, 1 / 16.0, 65535.0 / 16.0])
def test_a_gain_that_the_noise_contradicts_is_not_used(factor):
    found = scale(pixels() * factor)
    assert found.gain is None
    assert [doubt.code for doubt in found.doubts] == ["gain_contradicted"]
    assert not found.doubts[0].blocks_publication


@pytest.mark.parametrize(
    ("unit", "gain"), [("electron", 1.0), ("electron/s", 60.0), ("adu/s", GAIN * 60.0), ("adu", GAIN)]
)
def test_a_stated_unit_says_what_a_number_is_worth(unit, gain):
    assert scale(pixels(), pixel_unit=unit).gain == pytest.approx(gain)


def test_without_a_gain_there_is_nothing_to_doubt():
    assert scale(pixels() / np.float32(65535.0), gain_e_per_adu=None).doubts == ()


def test_an_uneven_response_makes_no_gain_doubtful():
    response = 1.0 + 0.02 * np.random.default_rng(5).normal(size=(120, 140))
    assert scale(pixels(bias=0.0) * response).doubts == ()
