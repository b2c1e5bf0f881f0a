"""How likely a tracklet is a near-Earth object, by digest2 of the Minor Planet Center, where that is installed."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from curation.numerics.ades import AdesPosition
from observations.numerics.barycentre import Place, from_centre_au
from observations.numerics.site import mjd_of

LACK = "digest2 is not installed (make ephemerides)"
NO_PLACE = "where the telescope stands is not known"
# The program keeps its model in one place for the whole process.
_ONE_AT_A_TIME = threading.Lock()
_CODES = "<pre>\nCode  Long.   cos      sin    Name\n500   0.0000 0.000000 0.000000Geocentric\n</pre>\n"


def neo_score(positions: Sequence[AdesPosition], place: Place | None) -> tuple[float | None, str]:
    """Return digest2's score for a near-Earth object, 0 to 100, without known orbits (NoID); None, and why not.

    The observer's place is given by its coordinates, so that no list of observatory codes is needed. Magnitudes of
    other bands are taken for V's, which they are near.
    """
    if place is None:
        return None, NO_PLACE
    score = _scorer()
    if score is None:
        return None, LACK
    with _ONE_AT_A_TIME:
        return score(positions, place), ""


@cache
def _scorer() -> Callable[[Sequence[AdesPosition], Place], float] | None:
    """Return what scores; None where the program is not there."""
    try:
        from digest2 import Digest2, Observation
    except ImportError:
        return None
    with tempfile.TemporaryDirectory() as folder:
        codes = Path(folder) / "codes"
        codes.write_text(_CODES)
        program = Digest2(obscodes_path=str(codes))

    def score(positions: Sequence[AdesPosition], place: Place) -> float:
        seen = [
            Observation(
                mjd=mjd_of(row.obs_time),
                ra=row.ra,
                dec=row.dec,
                mag=row.mag or 0.0,
                obscode="500",
                rms_ra=row.rms_ra_arcsec,
                rms_dec=row.rms_dec_arcsec,
                spacebased=True,
                earth_obs=[float(part) for part in from_centre_au(place, mjd_of(row.obs_time))],
            )
            for row in positions
        ]
        return float(program.classify_tracklet(seen, classes=["NEO"], is_ades=True).noid.NEO)

    return score
