"""Where two versions of a model do not agree."""

from __future__ import annotations

import pytest

from detection.models import Detection
from detection.stage.disagreement import note_disagreement
from tests.factories import CandidateScoreFactory, DetectionFactory, ModelFactory, ModelRunFactory

pytestmark = pytest.mark.django_db


def noted(row: Detection) -> float | None:
    note_disagreement(row.observation)
    row.refresh_from_db()
    return row.disagreement


def by(row: Detection, score: float, **model) -> None:
    run = ModelRunFactory(observation=row.observation, model=ModelFactory(**model))
    CandidateScoreFactory(candidate=row.candidate, model_run=run, score=score)


def test_it_is_how_far_the_score_of_the_version_is_that_scored_last():
    row = DetectionFactory(confidence_score=0.9)
    CandidateScoreFactory(candidate=row.candidate, model_run=row.model_run, score=0.9)
    assert noted(row) is None, "its own score is no other's"
    by(row, 0.8)
    assert noted(row) == pytest.approx(0.1)
    by(row, 0.2)
    assert noted(row) == pytest.approx(0.7)


def test_a_model_of_another_type_is_no_other_version():
    row = DetectionFactory(confidence_score=0.9)
    by(row, 0.1, model_type="unet")
    assert noted(row) is None


def test_what_is_decided_keeps_what_was_noted_when_it_waited():
    row = DetectionFactory(confidence_score=0.9, status="validated")
    by(row, 0.2)
    assert noted(row) is None


def test_where_the_other_score_is_gone_nothing_is_known_again():
    row = DetectionFactory(confidence_score=0.9, disagreement=0.5)
    assert noted(row) is None
