"""What is in doubt about a frame: put down, settled, doubted again, and found again."""

from __future__ import annotations

import pytest

from catalog.failures import NotPossible
from catalog.models import AuditLog, ProcessingJob
from catalog.people.audit import MACHINE
from observations.claims.doubts import reopen, settle, settle_by_sky, store_doubts
from observations.models import Doubt, DoubtOrigin
from observations.numerics.doubts import Doubt as Found
from tests.factories import DoubtFactory, ObservationFactory, ProfileFactory

pytestmark = pytest.mark.django_db
CLOCK = Found("time_contradicted", "time", "MJD-OBS", 12.0, "Two clocks disagree by 12 s.", True)
WHERE = Found("pointing_off_wcs", "position", "RA", "1 2", "The pointing is another field's.", True)


def standing(row) -> list[str]:
    return [doubt.code for doubt in row.doubts.standing()]


def test_what_is_no_longer_found_goes_and_what_another_look_found_stays():
    row = ObservationFactory()
    store_doubts(row, DoubtOrigin.HEADER, [CLOCK, WHERE])
    store_doubts(row, DoubtOrigin.PIXELS, [Found("unit", "flux", "", None, "The unit is a guess.")])
    store_doubts(row, DoubtOrigin.HEADER, [WHERE])
    assert set(standing(row)) == {"pointing_off_wcs", "unit"}


def test_a_settled_doubt_that_is_found_again_stays_settled_until_its_value_changes():
    row = ObservationFactory()
    store_doubts(row, DoubtOrigin.HEADER, [CLOCK])
    settle(row.doubts.get(), "The mount's clock was slow.", MACHINE)
    store_doubts(row, DoubtOrigin.HEADER, [CLOCK])
    assert standing(row) == []
    store_doubts(row, DoubtOrigin.HEADER, [])
    assert row.doubts.count() == 1, "what somebody settled is not forgotten"
    other = Found("time_contradicted", "time", "MJD-OBS", 3600.0, "Two clocks disagree by an hour.", True)
    store_doubts(row, DoubtOrigin.HEADER, [other])
    assert standing(row) == ["time_contradicted"]


def test_settling_is_audited_and_what_was_held_back_is_looked_at_again():
    doubt = DoubtFactory(blocks_publication=True)
    settle(doubt, "Checked.", MACHINE)
    with pytest.raises(NotPossible, match="settled already"):
        settle(doubt, "Twice.", MACHINE)
    reopen(doubt, MACHINE)
    with pytest.raises(NotPossible, match="not settled"):
        reopen(doubt, MACHINE)
    assert set(AuditLog.objects.values_list("action", flat=True)) == {"settle_doubt", "reopen_doubt"}
    job = ProcessingJob.objects.get()
    assert (job.job_type, job.entity_id) == ("examine", str(doubt.observation_id))


def test_the_sky_settles_doubts_about_the_place_and_none_about_the_clock():
    row = ObservationFactory()
    store_doubts(row, DoubtOrigin.HEADER, [CLOCK, WHERE])
    settle_by_sky([row.pk])
    assert standing(row) == ["time_contradicted"]
    assert Doubt.objects.get(code="pointing_off_wcs").settled_by == "plate solution"


def test_one_doubt_that_is_raised_twice_is_one_row():
    row = ObservationFactory()
    store_doubts(row, DoubtOrigin.HEADER, [CLOCK, CLOCK])
    store_doubts(row, DoubtOrigin.HEADER, [CLOCK])
    assert row.doubts.count() == 1


def test_a_profile_settles_what_is_known_to_be_of_no_consequence_whichever_look_finds_it():
    profile = ProfileFactory(name="the ZWO", rules={"settles": ["gradient_without_flat"]})
    row = ObservationFactory(profile=profile)
    gradient = Found("gradient_without_flat", "flux", "", 0.08, "The sky is lopsided.", True)
    store_doubts(row, DoubtOrigin.PIXELS, [gradient, Found("unit", "flux", "", None, "The unit is a guess.")])
    assert standing(row) == ["unit"]
    assert Doubt.objects.get(code="gradient_without_flat").settled_by == "profile the ZWO"
