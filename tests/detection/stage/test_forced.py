"""Known places are measured in every difference that shows them, and again when that has changed."""

from __future__ import annotations

import numpy as np
import pytest

from detection.models import ForcedPhotometry, Source
from detection.stage import forced
from differencing.ids import field_night
from differencing.models import DifferenceRun


def rows_of(source: Source) -> dict[str, ForcedPhotometry]:
    return {row.observation.original_name: row for row in source.forced_photometry.select_related("observation")}


def test_look(night):
    for row in ForcedPhotometry.objects.select_related("observation", "source"):
        print(
            row.observation.original_name,
            row.source,
            row.tracklet,
            row.flux,
            row.flux_error,
            row.reason,
            row.limiting_flux,
            row.total_flux,
            row.total_flux_error,
            row.bjd_tdb - row.mjd_utc,
            row.is_geocentric,
            row.position_error_arcsec,
            row.zero_point_system,
        )
    assert 0
