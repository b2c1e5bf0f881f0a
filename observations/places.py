"""Where a telescope stands, for what is computed of the sky as seen from there."""

from __future__ import annotations

from observations.models import Telescope
from observations.numerics.barycentre import Place


def place_of(telescope: Telescope | None) -> Place | None:
    """Return the place of a telescope; None where it is not known."""
    if telescope is None or telescope.latitude_deg is None or telescope.longitude_deg is None:
        return None
    return Place(telescope.latitude_deg, telescope.longitude_deg, telescope.height_m or 0.0)
