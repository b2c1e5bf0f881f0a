from __future__ import annotations

import datetime as dt
import math

import pytest
from django.db import IntegrityError, transaction

from catalog.models import RunStatus
from differencing.models import Candidate
from tests.factories import (
    CandidateFactory,
    DifferenceRunFactory,
    ObservationFactory,
    ReferenceFactory,
    TrackletFactory,
)

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("flux", math.nan),
        ("flux_error", 0.0),
        ("significance", math.inf),
        ("snr", math.nan),
        ("fwhm", 0.0),
        ("ellipticity", 1.5),
        ("position_angle", 361.0),
        ("masked_share", 1.1),
        ("pixel_x", math.nan),
        ("status", "maybe"),
    ],
)
def test_the_database_refuses_an_impossible_candidate(name: str, value: object) -> None:
    with pytest.raises(IntegrityError, match=name):
        CandidateFactory(**{name: value})


def test_both_signs_are_candidates() -> None:
    CandidateFactory(flux=-100.0, significance=-9.0, snr=-8.0, is_negative=True)


def test_a_run_waits_without_a_reference_but_does_not_complete() -> None:
    waiting = DifferenceRunFactory(
        status="pending", reference_observation=None, candidates_found=None, failure_code="waiting_for_reference"
    )
    waiting.status, waiting.failure_code, waiting.candidates_found = RunStatus.COMPLETED, "", 0
    with pytest.raises(IntegrityError, match="completed_has_reference"):
        waiting.save()


def test_a_completed_run_knows_its_number_of_candidates() -> None:
    with pytest.raises(IntegrityError, match="completed_has_reference"):
        DifferenceRunFactory(candidates_found=None)


def test_an_observation_is_not_its_own_reference() -> None:
    observation = ObservationFactory()
    with pytest.raises(IntegrityError, match="not_itself"):
        DifferenceRunFactory(observation=observation, reference_observation=observation)


def test_other_parameters_are_another_run_and_the_same_are_not() -> None:
    run = DifferenceRunFactory()
    same = {"observation": run.observation, "reference_observation": run.reference_observation}
    DifferenceRunFactory(**same, parameters_hash="other")
    DifferenceRunFactory(**same, reference=ReferenceFactory())
    with pytest.raises(IntegrityError, match="differencerun_once"):
        DifferenceRunFactory(**same)


def test_one_reference_is_active_for_a_field_and_a_band() -> None:
    first = ReferenceFactory(is_active=True)
    ReferenceFactory(field=first.field)
    ReferenceFactory(field=first.field, is_active=True, filter_band="V")
    with pytest.raises(IntegrityError, match="one_active"):
        ReferenceFactory(field=first.field, is_active=True)


def test_a_reference_made_for_one_night_is_never_active() -> None:
    with pytest.raises(IntegrityError, match="of_one_night_inactive"):
        ReferenceFactory(is_active=True, excluded_night=dt.date(2024, 3, 1))


def test_only_an_image_that_was_given_has_no_best_frame() -> None:
    ReferenceFactory(best_member=None, origin="given")
    with pytest.raises(IntegrityError, match="has_a_frame"):
        ReferenceFactory(best_member=None)


def test_candidates_go_with_their_run() -> None:
    candidate = CandidateFactory()
    candidate.difference_run.delete()
    assert not Candidate.objects.exists()


def test_a_tracklet_has_a_finite_rate() -> None:
    for rate in (math.nan, -1.0):
        with pytest.raises(IntegrityError, match="rate_arcsec_per_min"), transaction.atomic():
            TrackletFactory(rate_arcsec_per_min=rate)
