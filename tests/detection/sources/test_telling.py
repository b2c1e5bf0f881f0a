"""What the detections of a frame are taken for, from rows: their stamps' probabilities, nights and motion."""

from __future__ import annotations

import datetime as dt

import pytest

from detection.models import CandidateScore, Detection, DetectionType
from detection.sources.telling import tell_types
from tests.factories import CandidateScoreFactory, DetectionFactory, ObservationFactory, SourceFactory, TrackletFactory

pytestmark = pytest.mark.django_db
AT_A_GALAXY = {"p_supernova": 0.8, "p_variable": 0.1, "p_transient": 0.1}


def waiting(**more) -> Detection:
    row = DetectionFactory(status="pending", **more)
    CandidateScoreFactory(candidate=row.candidate, model_run=row.model_run, **AT_A_GALAXY)
    return row


def told(row: Detection) -> Detection:
    tell_types(row.observation)
    row.refresh_from_db()
    return row


def test_one_night_at_a_galaxy_is_a_transient_and_a_second_makes_it_a_supernova_candidate():
    source = SourceFactory()
    first = told(waiting(source=source))
    assert first.predicted_type == first.detection_type == DetectionType.TRANSIENT
    assert "one night cannot tell" in first.prediction_metadata["type_reason"]
    later = ObservationFactory(night=first.observation.night + dt.timedelta(days=3))
    second = told(waiting(source=source, candidate__observation=later))
    assert second.predicted_type == DetectionType.SUPERNOVA


def test_a_rejected_epoch_is_no_second_night():
    source = SourceFactory()
    before = DetectionFactory(source=source, status="rejected")
    later = ObservationFactory(night=before.observation.night + dt.timedelta(days=3))
    assert told(waiting(source=source, candidate__observation=later)).predicted_type == DetectionType.TRANSIENT


def test_what_moves_is_told_by_its_tracklet_and_a_model_without_types_tells_nothing():
    row = waiting()
    TrackletFactory(is_doubtful=False).members.add(row.candidate)
    assert told(row).prediction_metadata["type_reason"] == "It moves."
    other = waiting()
    CandidateScore.objects.filter(candidate=other.candidate).update(p_supernova=None, p_variable=None, p_transient=None)
    assert told(other).predicted_type == DetectionType.UNKNOWN


def test_what_people_have_judged_is_left_to_them():
    row = waiting()
    Detection.objects.filter(pk=row.pk).update(status="validated", human_label="variable_star")
    assert told(row).predicted_type == DetectionType.UNKNOWN
