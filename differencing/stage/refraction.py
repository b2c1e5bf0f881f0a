"""What refraction may shift between a frame and its reference, where sites and times of all of them are known."""

from __future__ import annotations

import numpy as np
from astropy.wcs import WCS
from numpy.typing import NDArray

from differencing.models import Reference
from differencing.numerics.refraction import Exposed, largest_shift_px
from observations.models import Observation


def refraction_between(observation: Observation, reference: Reference, wcs: WCS) -> NDArray[np.float64] | None:
    """Return the largest shift of a star, px in x and y; None where a site is unknown, or the reference was given."""
    own = _exposed(observation)
    members = [_exposed(member) for member in reference.members.select_related("telescope")]
    known = [member for member in members if member is not None]
    if own is None or not known or len(known) < len(members):
        return None
    return largest_shift_px(own, known, observation.filter_band, wcs)


def _exposed(observation: Observation) -> Exposed | None:
    site = observation.telescope
    if site is None or site.latitude_deg is None or site.longitude_deg is None:
        return None
    return Exposed(observation.mjd_utc, site.latitude_deg, site.longitude_deg, observation.ra, observation.dec)
