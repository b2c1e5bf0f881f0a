"""Tiles of large images: what comes back of a value, and what halving makes of pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from differencing.numerics import pyramid
from differencing.numerics.pyramid import MASKED, MIDDLE, NO_DATA, SATURATED, TILE_PX, Packed, Plane
from observations.numerics.fits.mapped import map_images
from observations.numerics.fits.products import encode_image
from observations.numerics.frame import MaskBit

SIGMA = 7.0


def unpacked(packed: Packed, shape: tuple[int, int] = (TILE_PX, TILE_PX)) -> np.ndarray:
    """Return the values of a tile as a page reads them."""
    planes = np.frombuffer(packed.planes, np.uint8).reshape(4, -1).astype(np.uint32)
    codes = sum(plane << np.uint32(8 * number) for number, plane in enumerate(planes))
    values = packed.zero + (codes.astype(np.float64) - MIDDLE) * packed.step
    return np.where(codes == NO_DATA, np.nan, values).reshape(shape)


def sky(shape: tuple[int, int], seed: int) -> np.ndarray:
    """Return noise about a slope with saturated stars, a negative one, and a row without data."""
    random = np.random.default_rng(seed)
    y, x = np.indices(shape)
    image = random.normal(800.0, SIGMA, shape) + 0.5 * x - 0.2 * y
    for star_x, star_y, peak in ((60, 40, 64000.0), (200, 120, -3e4), (300, 20, 2500.0)):
        image += peak * np.exp(-((x - star_x) ** 2 + (y - star_y) ** 2) / 8.0)
    image[-1] = np.nan
    return image.astype(np.float32)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_values_of_the_finest_tiles_are_those_of_the_file_within_a_hundredth_of_the_noise(tmp_path: Path, seed: int):
    path = tmp_path / "image.fits"
    path.write_bytes(encode_image(sky((300, 400), seed), extra=[("MASK", np.zeros((300, 400), dtype=bool))]))
    mapped = map_images(path)
    plane = Plane(mapped.images["SCI"], mapped.images["MASK"])
    with fits.open(path) as hdus:
        told = np.array(hdus[0].data, dtype=np.float64)
    for column, row in ((0, 0), (1, 0), (0, 1), (1, 1)):
        expected = told[256 * row : 256 * (row + 1), 256 * column : 256 * (column + 1)]
        ny, nx = expected.shape
        values = unpacked(pyramid.pack(pyramid.tile(plane, 0, column, row)[0]))
        assert np.isnan(values[ny:]).all()
        assert np.isnan(values[:, nx:]).all()
        assert (np.isnan(values[:ny, :nx]) == np.isnan(expected)).all()
        assert np.nanmax(np.abs(values[:ny, :nx] - expected)) < 0.01 * SIGMA


@pytest.mark.parametrize(
    "values",
    [
        np.full((4, 4), np.nan),
        np.full((4, 4), 3.25),
        np.array([[2.0, 2.0, 2.0], [2.0, 65535.0, np.inf], [2.0, 2.0, 2.5]]),
        np.array([[0.0] * 8, [0.0, 0.0, 0.0, -1e30, 1e-3, 0.0, 0.0, 0.0]]),
        np.array([[1e-30, np.nan]]),
    ],
)
def test_images_without_noise_come_back_as_fine_as_their_range(values: np.ndarray):
    values = values.astype(np.float32)
    found = unpacked(pyramid.pack(values), values.shape)
    known = np.isfinite(values)
    assert (np.isfinite(found) == known).all()
    away = np.ptp(values[known].astype(np.float64)) if known.any() else 0.0
    assert np.abs(found[known] - values[known]).max(initial=0.0) <= 2.0**-23 * away


@pytest.mark.parametrize("level", [1, 2, 3])
def test_a_halved_pixel_is_the_mean_of_its_good_pixels_and_has_no_data_only_where_none_has(level: int):
    random = np.random.default_rng(level)
    values = random.normal(100.0, 5.0, (150, 203)).astype(np.float32)
    bits = np.where(random.random(values.shape) < 0.2, MaskBit.COSMIC_RAY, 0).astype(np.uint16)
    values[random.random(values.shape) < 0.1] = np.nan
    values[:32, :32] = np.nan
    bits[64:96, 64:96] = MaskBit.BAD
    bits[70, 70] = MaskBit.SATURATED
    found, causes = pyramid.halved(Plane(values, bits), level)
    factor = 2**level
    assert found.shape == tuple(-(-side // factor) for side in values.shape)
    for row, column in np.ndindex(found.shape):
        window = np.s_[factor * row : factor * (row + 1), factor * column : factor * (column + 1)]
        known = np.isfinite(values[window])
        good = known & (bits[window] == 0)
        taken = good if good.any() else known
        if not taken.any():
            assert np.isnan(found[row, column])
            assert causes[row, column] == 0
            continue
        assert found[row, column] == pytest.approx(values[window][taken].mean(dtype=np.float64), rel=1e-6)
        assert bool(causes[row, column] & MASKED) == (2 * good.sum() < known.sum())
    assert causes[70 // factor, 70 // factor] == MASKED | SATURATED
    assert causes[80 // factor, 80 // factor] == MASKED


def test_tiles_of_any_level_lie_beside_each_other_without_gap_or_overlap():
    values = np.random.default_rng(5).normal(0.0, 1.0, (700, 1100)).astype(np.float32)
    plane = Plane(values, np.zeros(values.shape, np.uint8))
    assert pyramid.top_level(values.shape) == 3
    for level in range(4):
        whole, _ = pyramid.halved(plane, level)
        rows, columns = (-(-side // TILE_PX) for side in whole.shape)
        joined = np.block([[pyramid.tile(plane, level, x, y)[0] for x in range(columns)] for y in range(rows)])
        assert np.array_equal(joined[: whole.shape[0], : whole.shape[1]], whole)
        assert np.isnan(joined[whole.shape[0] :]).all()
        for column, row in ((columns, 0), (0, rows), (-1, 0)):
            with pytest.raises(IndexError):
                pyramid.tile(plane, level, column, row)


@pytest.mark.parametrize(("shape", "top"), [((1, 1), 0), ((256, 256), 0), ((256, 257), 1), ((6388, 9576), 6)])
def test_the_highest_level_is_one_tile(shape: tuple[int, int], top: int):
    assert pyramid.top_level(shape) == top


def test_the_sample_is_of_good_pixels_and_has_the_noise_of_its_level():
    values = np.random.default_rng(6).normal(50.0, 8.0, (900, 1400)).astype(np.float32)
    bits = np.zeros(values.shape, np.uint8)
    values[:, 700:], bits[:, 700:] = 1e6, MaskBit.SATURATED
    for level in range(3):
        found = pyramid.sample(Plane(values, bits), level)
        assert found.size > 1000
        assert found.max() < 100.0
        assert found.std() == pytest.approx(8.0 / 2**level, rel=0.05)
    assert pyramid.sample(Plane(values[:9, :9], bits[:9, :9]), 0).size == 11
    assert pyramid.sample(Plane(values[:9, 800:900], bits[:9, 800:900]), 0).size == 0
