import numpy as np
import pytest

from observations.numerics.frame import Stars
from preprocessing.numerics.psf_stamps import Field

SIZE, HALF = 80, 12


def _field(x, y, flux):
    n = len(x)
    columns = {name: np.zeros(n) for name in ("flux_error", "fwhm", "ellipticity")}
    flags = {name: np.zeros(n, dtype=bool) for name in ("is_saturated", "is_isolated")}
    stars = Stars.of({"x": x, "y": y, "flux": flux, **columns, **flags}, 3.0)
    bad = np.zeros((SIZE, SIZE), dtype=bool)
    return Field(np.ones((SIZE, SIZE), np.float32), bad, np.ones((SIZE, SIZE), np.float32), stars)


@pytest.mark.parametrize("neighbour", [(46.3, 38.9), (29.6, 51.2), (56.0, 40.0)])
def test_the_pixels_within_reach_of_a_neighbour_are_unusable_and_no_others(neighbour):
    # A tenth of the light is masked out to 1.5 FWHM.
    field = _field(np.array([40.2, neighbour[0]]), np.array([39.7, neighbour[1]]), np.array([1e4, 1e3]))
    usable = field.stamps(np.array([0]), HALF).weight[0] > 0
    rows, columns = np.mgrid[40 - HALF : 40 + HALF + 1, 40 - HALF : 40 + HALF + 1]
    near = np.hypot(columns - neighbour[0], rows - neighbour[1]) < 4.5
    assert near.any()
    np.testing.assert_array_equal(usable, ~near)


def test_a_source_does_not_mask_itself_and_what_is_outside_of_the_frame_is_unusable():
    usable = _field(np.array([5.0]), np.array([70.0]), np.array([1e4])).stamps(np.array([0]), HALF).weight[0] > 0
    assert usable[HALF, HALF]
    assert not usable[:, : HALF - 5].any()
    assert not usable[HALF + 10 :].any()
    assert usable[: HALF + 10, HALF - 5 :].all()
