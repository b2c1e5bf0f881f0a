"""With what headers are read: what was given, the profiles in use, and today."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from observations.claims.inspecting import inspect_file
from observations.claims.profiles import tried_on_file
from observations.models import Observation
from observations.numerics.fits.facts import Overrides
from observations.numerics.fits.profile import profile_of
from tests.observations.delivery.test_ingest import ingest, write

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_data_root")]


@pytest.fixture
def of_the_day_after(tmp_path):
    soon = timezone.now() + dt.timedelta(hours=36)
    return write(tmp_path / "a.fits", DATE_OBS=f"{soon:%Y-%m-%dT%H:%M:%S}")


def test_a_frame_of_the_day_after_tomorrow_is_doubted_before_and_after_it_is_taken_in(of_the_day_after):
    (told,) = inspect_file(of_the_day_after, Overrides())
    assert "time_in_future" in [doubt.code for doubt in told.doubts]
    ingest(of_the_day_after)
    (row,) = Observation.objects.all()
    (doubt,) = row.doubts.filter(code="time_in_future")
    assert doubt.blocks_publication


def test_a_profile_that_is_tried_is_told_of_the_future_as_well(of_the_day_after):
    trial = tried_on_file(
        profile_of("CAM", {"FILTER": "*"}, {"time_shift_s": -86400.0, "time_keyword": "DATE-OBS"}), of_the_day_after
    )
    assert [change.after for change in trial.changes if "time_in_future" in change.fact] == [""]
