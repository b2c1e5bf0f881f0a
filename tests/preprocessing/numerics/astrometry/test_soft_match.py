import numpy as np
import pytest

from preprocessing.numerics.astrometry.matching import Transform
from preprocessing.numerics.astrometry.soft_match import align_softly

ERROR_PX = 10.0


def _moved(xy, turn, offset, flipped):
    z = xy[:, 0] + 1j * xy[:, 1]
    w = turn * (z.conj() if flipped else z) + offset
    return np.column_stack([w.real, w.imag])


@pytest.mark.parametrize("flipped", [False, True])
def test_lists_that_err_by_half_the_distance_of_their_stars_are_brought_together(flipped):
    rng = np.random.default_rng(4)
    source = rng.uniform(0, 900, (150, 2))
    turn, offset = 1.05 * np.exp(0.7j), 300 - 80j
    known = _moved(source[:90], turn, offset, flipped) + rng.normal(0, ERROR_PX, (90, 2))
    target = np.vstack([known, _moved(rng.uniform(0, 900, (60, 2)), turn, offset, flipped)])
    sign = -1.0 if flipped else 1.0
    wrong = turn * 1.03
    start = Transform(np.array([[325.0, wrong.real, -wrong.imag * sign], [-100.0, wrong.imag, wrong.real * sign]]))
    corners = np.array([[0.0, 0.0], [900.0, 0.0], [0.0, 900.0], [900.0, 900.0]])

    def miss(transform):
        return np.hypot(*(np.column_stack(transform(*corners.T)) - _moved(corners, turn, offset, flipped)).T).max()

    found = align_softly(source, target, start, error_px=ERROR_PX)
    assert miss(start) > 30
    # Ninety stars of ten pixels fix a corner to some three.
    assert miss(found) < 6
    assert found.is_flipped is flipped


def test_where_no_star_is_near_another_the_start_stays():
    start = Transform.shift(1e6, 0.0)
    xy = np.random.default_rng(1).uniform(0, 900, (20, 2))
    assert align_softly(xy, xy, start, error_px=2.0) is start
    assert align_softly(xy[:1], xy, start, error_px=2.0) is start
