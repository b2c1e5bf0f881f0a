from dataclasses import replace

import numpy as np
import pytest

from differencing.numerics.uneven import Uneven
from tests.differencing.numerics.scenes import far_from, find, frame_of, pair_of, subtract

SHAPE = (600, 256)
NO_SOURCE = np.zeros(SHAPE, dtype=bool)
# They lie in two of the strips that the frame is looked at in.
ROWS = slice(240, 290)


def _widened(declared, light=None, gain=None, mask=NO_SOURCE):
    """The variance of some rows, 100 everywhere, after what the frame says of its pixels."""
    light = np.zeros(SHAPE, dtype=np.float32) if light is None else light
    uneven = Uneven.of(frame_of(light, variance=declared.astype(np.float32), gain=gain), NO_SOURCE, mask)
    out = np.full((ROWS.stop - ROWS.start, SHAPE[1]), 100.0, dtype=np.float32)
    if uneven is not None:
        uneven.widen(out, ROWS)
    return out


def test_a_pixel_that_is_known_worse_than_its_surroundings_counts_less():
    declared = np.full(SHAPE, 7.0)
    declared[[250, 280], [100, 31]] = 70.0
    found = _widened(declared)
    assert found[[10, 40], [100, 31]] == pytest.approx([1000.0, 1000.0])
    found[[10, 40], [100, 31]] = 100.0
    np.testing.assert_array_equal(found, 100.0)


def test_a_masked_pixel_has_the_error_of_its_fill():
    declared = np.full(SHAPE, 7.0)
    declared[250, 100] = 70.0
    np.testing.assert_array_equal(_widened(declared, mask=declared > 50.0), 100.0)


def test_a_level_of_noise_that_rises_over_the_frame_is_what_the_sky_shows_already():
    declared = np.broadcast_to(np.linspace(7.0, 14.0, SHAPE[1]), SHAPE)
    np.testing.assert_array_equal(_widened(declared), 100.0)


@pytest.mark.parametrize("sky", [0.0, 3000.0])
def test_the_light_of_a_source_explains_its_own_photon_noise(sky):
    light = np.zeros(SHAPE, dtype=np.float32)
    light[255:275, 90:110] = 500.0
    np.testing.assert_array_equal(_widened(7.0 + light / 2.5, light + sky, gain=2.5), 100.0)


def test_a_frame_that_says_nothing_of_its_pixels_changes_nothing():
    assert Uneven.of(frame_of(np.zeros(SHAPE)), NO_SOURCE, NO_SOURCE) is None


def test_a_patch_of_a_stack_that_only_its_worst_frame_holds_makes_no_candidates():
    pair = pair_of(33, n_stars=60)
    rng = np.random.default_rng(33)
    noise = float(np.median(np.abs(np.diff(pair.reference.data[::7], axis=1)))) / 0.6745 / np.sqrt(2.0)
    patch = np.zeros(pair.reference.shape, dtype=bool)
    patch[120:160, 30:70] = True
    patch &= far_from(patch.shape, pair.star_x, pair.star_y, 8.0)
    data = pair.reference.data + np.where(patch, rng.normal(0.0, 6.0 * noise, patch.shape), 0.0)
    variance = np.where(patch, 37.0, 1.0) * noise**2
    silent = frame_of(data, pair.reference.mask, gain=pair.reference.gain, psf=pair.psf_reference)
    telling = replace(silent, variance=variance.astype(np.float32))
    assert len(find(subtract(pair.science, silent))) > 3
    found = subtract(pair.science, telling)
    assert len(find(found)) == 0
    assert np.nanstd(found.score[125:155, 35:65]) < 1.4
