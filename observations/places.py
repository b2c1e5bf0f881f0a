"""Where a telescope stands, and how much of the sky a frame shows."""

from __future__ import annotations

import math

from observations.models import Observation, Telescope
from observations.numerics.barycentre import Place


def place_of(telescope: Telescope | None) -> Place | None:
    """Return the place of a telescope; None where it is not known."""
    if telescope is None or telescope.latitude_deg is None or telescope.longitude_deg is None:
        return None
    return Place(telescope.latitude_deg, telescope.longitude_deg, telescope.height_m or 0.0)


def frame_reach_deg(observation: Observation) -> float | None:
    """Return half the diagonal of a frame on the sky by its claimed scale."""
    scale, size = observation.pixel_scale, (observation.image_width, observation.image_height)
    if scale is None or None in size:
        return None
    return math.hypot(*size) / 2 * scale / 3600.0
