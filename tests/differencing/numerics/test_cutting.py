from dataclasses import replace

import numpy as np
import pytest

from differencing.numerics.cutting import grid_of
from differencing.numerics.kernel import Kernel
from differencing.numerics.pair import prepare
from differencing.numerics.tie import Surface
from tests.differencing.numerics.scenes import gaussian_stamp, pair_of, subtract
from tests.parameters import ZOGY

SHAPE = (256, 384)
FINE, WIDE = (8, 12), (4, 6)
SMALL_TILES = replace(ZOGY, tile_px=32, overlap_px=16)


@pytest.fixture(scope="module")
def pair():
    simulated = pair_of(91, shape=SHAPE, n_stars=80)
    stamp = gaussian_stamp(1.5)
    return prepare(simulated.science, simulated.reference, (stamp, stamp), ZOGY)


def _with_psf(pair, widening):
    """The pair with a science PSF that widens along x by a share over the whole frame."""

    def psf(x, _y):
        return gaussian_stamp(1.5 * (1.0 + widening * x / SHAPE[1]))

    return pair._replace(new=pair.new._replace(psf=psf))


def _with_shift(pair, slope_px):
    """The pair with a reference that is stretched along x by so many px over the whole frame."""
    slope = Surface(np.array([0.0, 0.5 * slope_px, 0.0]), 1, SHAPE)
    return pair._replace(shift=(slope, Surface.constant(0.0, SHAPE)))


def _kernel(slope):
    """A kernel whose flux changes along x by this share over the whole frame."""
    coefficients = np.zeros((3, 7))
    coefficients[1, 0] = 0.5 * slope
    return Kernel(coefficients, 1, SHAPE, (1.0, 2.0), 80)


def test_tiles_are_wide_where_nothing_changes(pair):
    assert grid_of(pair, None, SMALL_TILES).count == WIDE


def test_small_frames_have_tiles_enough_to_tell_the_colour_of_their_noise(pair):
    assert grid_of(pair, None, replace(ZOGY, tile_px=64)).count == (4, 6)


def test_tiles_follow_a_psf_that_varies(pair):
    assert grid_of(_with_psf(pair, 0.01), None, SMALL_TILES).count == WIDE
    assert grid_of(_with_psf(pair, 0.1), None, SMALL_TILES).count == FINE


def test_tiles_follow_a_shift_that_varies(pair):
    assert grid_of(_with_shift(pair, 0.05), None, SMALL_TILES).count == WIDE
    assert grid_of(_with_shift(pair, 0.2), None, SMALL_TILES).count == FINE


def test_tiles_follow_a_kernel_that_varies(pair):
    assert grid_of(pair, _kernel(0.02), SMALL_TILES).count == WIDE
    assert grid_of(pair, _kernel(0.1), SMALL_TILES).count == FINE


def test_wide_tiles_show_what_fine_ones_do(monkeypatch):
    simulated = pair_of(91, shape=SHAPE, n_stars=80)
    wide = subtract(simulated.science, simulated.reference, parameters=SMALL_TILES)
    monkeypatch.setattr("differencing.numerics.cutting.WIDE", 1)
    fine = subtract(simulated.science, simulated.reference, parameters=SMALL_TILES)
    inner = np.s_[16:-16, 16:-16]
    assert not np.array_equal(wide.score, fine.score, equal_nan=True)
    assert np.nanmax(np.abs(wide.score - fine.score)[inner]) < 0.3
