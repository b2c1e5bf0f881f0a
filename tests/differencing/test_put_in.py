"""Sources that are put into what is drawn: at any resolution as if they stood in the image, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

from differencing.numerics.display import block_mean
from differencing.numerics.pyramid import Plane
from differencing.pictures.put_in import Put, put_into

NY, NX = 90, 110


def plane() -> Plane:
    values = np.random.default_rng(3).normal(0.0, 1.0, (NY, NX)).astype(np.float32)
    causes = np.zeros((NY, NX), np.uint8)
    causes[40, 50:70] = 1
    return Plane(values, causes)


def put(x: float, y: float, side: int = 21, significance: float = 12.0) -> Put:
    square = np.full((side, side), 7.0, np.float32)
    square[0] = np.nan
    return Put("one", x, y, {"science": square}, significance, 3.0)


@pytest.mark.parametrize("step", [1, 4, 8, 64])
@pytest.mark.parametrize(("x", "y"), [(55.3, 44.8), (2.0, 3.0), (108.6, 88.0)])
def test_means_are_those_of_an_image_that_holds_it(step: int, x: float, y: float):
    stored = plane()
    held = stored.values.copy()
    for row in range(21):
        for column in range(21):
            at_y, at_x = round(y) - 10 + row, round(x) - 10 + column
            if row and 0 <= at_y < NY and 0 <= at_x < NX:
                held[at_y, at_x] = 7.0
    expected, _ = block_mean(held, stored.causes, step)
    shown, _ = block_mean(stored.values, stored.causes, step)
    put_into(shown, stored, "science", [put(x, y)], step, (0, 0))
    # Sums of up to 4096 numbers near 7 in single precision.
    np.testing.assert_allclose(shown, expected, atol=1e-5)


def test_a_tile_that_begins_elsewhere_holds_its_part():
    stored = plane()
    whole = stored.values.copy()
    put_into(whole, stored, "science", [put(55.0, 44.0)], 1, (0, 0))
    part = stored.values[40:60, 50:80].copy()
    put_into(part, stored, "science", [put(55.0, 44.0)], 1, (40, 50))
    np.testing.assert_array_equal(part, whole[40:60, 50:80])
    beside = stored.values[:20, :20].copy()
    put_into(beside, stored, "science", [put(55.0, 44.0)], 1, (0, 0))
    np.testing.assert_array_equal(beside, stored.values[:20, :20])


def test_the_score_has_its_significance_in_the_middle_and_falls_as_a_matched_gaussian():
    stored = plane()
    shown = stored.values.copy()
    put_into(shown, stored, "score", [put(55.0, 44.0)], 1, (0, 0))
    assert shown[44, 55] == pytest.approx(12.0, abs=1e-4)
    added = shown - stored.values
    # At half of sqrt(2) times 3 px from the middle half of it is left.
    assert np.interp(1.5 * np.sqrt(2.0), np.arange(6), added[44, 55:61] / added[44, 55]) == pytest.approx(0.5, abs=0.02)
    assert np.abs(added[20:30]).max() == 0.0
