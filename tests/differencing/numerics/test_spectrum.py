import numpy as np
import pytest
import torch

from differencing.numerics.spectrum import colour_of, ring_powers

SIDE, TILES = 192, 16


def _lines(images, empty=None):
    tiles = torch.from_numpy(np.stack(images).astype(np.float32))
    white = torch.ones((len(images), 1, 1))
    return ring_powers(tiles, white, torch.ones(tiles.shape) if empty is None else empty)


def _noise(seed):
    return np.random.default_rng(seed).normal(size=(SIDE, SIDE))


def test_white_noise_has_no_colour():
    lines = _lines([_noise(k) for k in range(TILES)])
    # Sixteen tiles know the power of a ring of a thousand elements to 1 %.
    assert lines.median(0).values[-3:].mean() == pytest.approx(1.0, abs=0.03)
    assert colour_of(lines, (SIDE, SIDE)) is None


def test_structure_of_the_sky_is_measured_where_it_has_its_power():
    f = np.hypot(np.fft.fftfreq(SIDE)[:, None], np.fft.rfftfreq(SIDE))
    truth = 1.0 + 4.0 / (1.0 + (f / 0.05) ** 2)
    images = [np.fft.irfft2(np.fft.rfft2(_noise(k)) * np.sqrt(truth), (SIDE, SIDE)) for k in range(TILES)]
    colour = colour_of(_lines(images), (SIDE, SIDE))
    assert colour is not None
    # A corner is one of fifteen, a fifth apart; of the slowest frequencies the tile's own sky takes a part.
    seen = f > 0.04
    np.testing.assert_allclose(colour.numpy()[seen], truth[seen], rtol=0.2)


def test_a_tilted_sky_is_no_noise():
    y, x = np.indices((SIDE, SIDE)) / SIDE
    assert colour_of(_lines([_noise(k) + 8.0 * x - 5.0 * y + 3.0 * x * y for k in range(TILES)]), (SIDE, SIDE)) is None


def test_tiles_full_of_sources_have_no_say():
    empty = torch.ones((TILES, SIDE, SIDE))
    empty[4:, :, : SIDE // 2 + 8] = 0
    lines = _lines([_noise(k) for k in range(TILES)], empty)
    assert len(lines) == 4
    assert colour_of(lines, (SIDE, SIDE)) is None
