"""Values as pages write them."""

from __future__ import annotations

import pytest
from astropy import units
from astropy.coordinates import SkyCoord

from catalog.writing import duration, sexagesimal_dec, sexagesimal_ra


@pytest.mark.parametrize(
    ("ra", "dec"), [(150.0104166, 2.0100002), (0.0, -0.0001), (359.99, -89.999), (83.6331, 22.0145)]
)
def test_a_position_is_written_as_astropy_writes_it(ra: float, dec: float):
    place = SkyCoord(ra, dec, unit="deg")
    assert sexagesimal_ra(ra) == place.ra.to_string(unit=units.hourangle, sep=":", precision=2, pad=True)
    degrees = place.dec.to_string(sep=":", precision=1, pad=True, alwayssign=True)
    assert sexagesimal_dec(dec) == degrees.replace("-", "−")


def test_seconds_that_round_to_sixty_are_carried_over():
    assert (sexagesimal_ra(15.0 - 1e-6), sexagesimal_dec(60.0 - 1e-6)) == ("01:00:00.00", "+60:00:00.0")
    assert (sexagesimal_ra(360.0 - 1e-7), sexagesimal_dec(-1e-7)) == ("00:00:00.00", "+00:00:00.0")


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.4, "0 s"), (59.9, "59 s"), (60.0, "1 min"), (7199.0, "1 h"), (200_000.0, "2 d")]
)
def test_a_time_span_is_told_in_its_largest_unit(seconds: float, words: str):
    assert duration(seconds) == words
