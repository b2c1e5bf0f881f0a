"""Where a telescope stands, and how much of the sky a frame shows."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from observations.models import Observation, Telescope
from observations.numerics.barycentre import Place
from observations.numerics.site import time_of


def place_of(telescope: Telescope | None) -> Place | None:
    """Return the place of a telescope; None where it is not known."""
    if telescope is None or telescope.latitude_deg is None or telescope.longitude_deg is None:
        return None
    return Place(telescope.latitude_deg, telescope.longitude_deg, telescope.height_m or 0.0)


def frame_reach_deg(observation: Observation) -> float | None:
    """Return half the diagonal of a frame on the sky by its claimed scale."""
    scale, width, height = observation.pixel_scale, observation.image_width, observation.image_height
    if scale is None or width is None or height is None:
        return None
    return math.hypot(width, height) / 2 * scale / 3600.0


def middle_of(observation: Observation) -> datetime:
    """Return the middle of an exposure, UTC; as good as `mjd_utc` where an alert did not tell how long it was."""
    if observation.exposure_time is None:
        return time_of(observation.mjd_utc)
    return observation.observation_time + timedelta(seconds=observation.exposure_time / 2)
