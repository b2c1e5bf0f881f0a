from __future__ import annotations

import math

import pytest
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from detection.models import DetectionType
from tests.factories import (
    CandidateFactory,
    CandidateScoreFactory,
    DetectionFactory,
    ModelFactory,
    ModelRunFactory,
    SourceFactory,
    ValidationEventFactory,
)

pytestmark = pytest.mark.django_db


def test_name_and_version_name_one_model() -> None:
    first = ModelFactory()
    with pytest.raises(IntegrityError, match="name_version"):
        ModelFactory(version=first.version)


def test_one_model_of_a_type_is_active() -> None:
    ModelFactory(is_active=True)
    ModelFactory(is_active=True, model_type="unet")
    ModelFactory(is_active=False)
    with pytest.raises(IntegrityError, match="one_active_per_type"):
        ModelFactory(is_active=True)


def test_a_model_without_weights_cannot_be_active() -> None:
    with pytest.raises(IntegrityError, match="active_has_weights"):
        ModelFactory(is_active=True, weights_sha256="")


@pytest.mark.parametrize("name", ["precision", "recall", "f1_score", "accuracy"])
@pytest.mark.parametrize("value", [-0.01, 1.01, math.nan])
def test_a_measure_of_a_model_is_a_share(name: str, value: float) -> None:
    with pytest.raises(IntegrityError, match=name):
        ModelFactory(**{name: value})


@pytest.mark.parametrize("score", [-0.01, 1.01, math.nan])
def test_a_score_is_a_probability(score: float) -> None:
    with pytest.raises(IntegrityError, match="score_range"), transaction.atomic():
        CandidateScoreFactory(score=score)
    with pytest.raises(IntegrityError, match="confidence_score_range"):
        DetectionFactory(confidence_score=score)


def test_a_model_scores_a_candidate_once_and_names_its_weights() -> None:
    first = CandidateScoreFactory()
    with pytest.raises(IntegrityError, match="candidatescore_once"), transaction.atomic():
        CandidateScoreFactory(candidate=first.candidate, model_run=first.model_run)
    with pytest.raises(IntegrityError, match="has_weights"):
        CandidateScoreFactory(weights_sha256="")


def test_a_run_over_the_same_image_is_the_same_run() -> None:
    run = ModelRunFactory()
    with pytest.raises(IntegrityError, match="modelrun_once"):
        ModelRunFactory(model=run.model, observation=run.observation)


def test_only_an_imported_detection_has_no_candidate() -> None:
    detection = DetectionFactory()
    values = {
        name: getattr(detection, name) for name in ("model_run", "observation", "ra", "dec", "pixel_x", "pixel_y")
    }
    DetectionFactory(candidate=None, origin="imported", **values)
    with pytest.raises(IntegrityError, match="origin_and_candidate"), transaction.atomic():
        DetectionFactory(candidate=None, **values)
    with pytest.raises(IntegrityError, match="origin_and_candidate"):
        DetectionFactory(origin="imported")


def test_a_candidate_becomes_one_detection() -> None:
    candidate = CandidateFactory()
    DetectionFactory(candidate=candidate)
    with pytest.raises(IntegrityError, match="one_per_candidate"):
        DetectionFactory(candidate=candidate)


def test_a_candidate_with_a_detection_is_not_deleted_beneath_it() -> None:
    detection = DetectionFactory()
    with pytest.raises(ProtectedError):
        detection.candidate.delete()


def test_a_judged_detection_is_not_deleted() -> None:
    event = ValidationEventFactory()
    with pytest.raises(ProtectedError):
        event.detection.delete()


def test_a_supernova_is_shown_as_a_candidate() -> None:
    assert DetectionType.SUPERNOVA.label == "supernova candidate"


@pytest.mark.parametrize("value", [0.0, math.nan])
def test_a_source_has_a_position_error(value: float) -> None:
    with pytest.raises(IntegrityError, match="position_error_arcsec"):
        SourceFactory(position_error_arcsec=value)
