"""Where something that moves is expected."""

from __future__ import annotations

import numpy as np
import pytest

from detection.numerics.motion import predicted
from observations.numerics.sphere import separation_deg

HOURS = np.array([0.0, 0.5, 1.5]) / 24.0


@pytest.mark.parametrize("dec", [0.0, 60.0, -89.5])
@pytest.mark.parametrize("ra", [0.0, 150.0, 359.999])
def test_a_uniform_motion_goes_on_before_between_and_after_its_positions(ra, dec):
    # A tenth of a degree a day towards the north-east, as an asteroid of the main belt has.
    def at(days):
        return (ra + 0.07 * days / np.cos(np.radians(dec))) % 360.0, dec + 0.07 * days

    places = np.array([at(hours) for hours in HOURS])
    for hours in (-1.0, 0.25, 1.0, 3.0):
        found = predicted(places[:, 0], places[:, 1], 60000.0 + HOURS, 60000.0 + hours / 24.0, 0.0)
        apart = 3600.0 * float(separation_deg(found[0], found[1], *at(hours / 24.0)))
        # Lines of constant declination curve near the pole: 0.3" in so short a time.
        assert apart < (0.5 if dec < -80.0 else 0.02)
        assert found[2] == 0.0


def test_the_prediction_is_best_amid_the_positions_and_worse_far_from_them():
    ra, dec = np.full(3, 150.0), np.full(3, 2.0)
    times = 60000.0 + np.array([0.0, 0.5, 1.0])
    errors = [predicted(ra, dec, times, 60000.0 + day, 0.3)[2] for day in (0.5, 1.0, 2.0)]
    # Of a straight line through three points: sigma² (1/3 + (t - 0.5)²/0.5).
    assert errors == pytest.approx([0.3 / np.sqrt(3.0), 0.3 * np.sqrt(1 / 3 + 0.5), 0.3 * np.sqrt(1 / 3 + 4.5)])


def test_predictions_scatter_as_their_error_says():
    random = np.random.default_rng(2)
    times = 60000.0 + HOURS
    errors = random.normal(0.0, 0.3, (1000, 2, 3)) / 3600.0
    found = [predicted(150.0 + east, north, times, times[2] + 0.02, 0.3) for east, north in errors]
    scatter = 3600.0 * np.std([place[0] for place in found])
    # Of a thousand the scatter is known to 2 %.
    assert scatter == pytest.approx(found[0][2], rel=0.08)
