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
    ForcedPhotometryFactory,
    ModelFactory,
    ModelRunFactory,
    ReferenceFactory,
    SourceFactory,
    TrackletFactory,
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


BELOW, ABOVE = {"flux": 149.0, "limiting_flux": 250.0}, {"flux": -150.0, "limiting_flux": None}
NOTHING = {"flux": None, "flux_error": None, "limiting_flux": None}


def test_forced_photometry_has_a_value_or_a_reason() -> None:
    ForcedPhotometryFactory(**NOTHING, reason="masked")
    for wrong in (NOTHING, {**NOTHING, "flux": 3.0, "reason": "masked"}, {"reason": "outside"}, {"flux_error": None}):
        with pytest.raises(IntegrityError, match=r"value_or_reason|limit_below_3_sigma"), transaction.atomic():
            ForcedPhotometryFactory(**wrong)
    with pytest.raises(IntegrityError, match="reason_known"):
        ForcedPhotometryFactory(**NOTHING, reason="cloudy")


def test_a_forced_limit_stands_below_3_sigma_and_nowhere_else() -> None:
    ForcedPhotometryFactory(**BELOW), ForcedPhotometryFactory(**ABOVE)
    for wrong in ({**BELOW, "limiting_flux": None}, {**ABOVE, "limiting_flux": 250.0}):
        with pytest.raises(IntegrityError, match="limit_below_3_sigma"), transaction.atomic():
            ForcedPhotometryFactory(**wrong)


def test_forced_photometry_is_of_a_source_or_of_a_tracklet_once_a_frame_and_reference() -> None:
    first = ForcedPhotometryFactory()
    moving = ForcedPhotometryFactory(source=None, tracklet=TrackletFactory(), difference_run=first.difference_run)
    for wrong in ({"tracklet": TrackletFactory()}, {"source": None}):
        with pytest.raises(IntegrityError, match="of_one"), transaction.atomic():
            ForcedPhotometryFactory(**wrong)
    run = first.difference_run
    with pytest.raises(IntegrityError, match="source_once"), transaction.atomic():
        ForcedPhotometryFactory(source=first.source, difference_run=run)
    with pytest.raises(IntegrityError, match="tracklet_once"), transaction.atomic():
        ForcedPhotometryFactory(source=None, tracklet=moving.tracklet, difference_run=run)
    ForcedPhotometryFactory(source=first.source, difference_run=run, reference=ReferenceFactory())


def test_a_total_flux_has_an_error() -> None:
    ForcedPhotometryFactory(total_flux=3000.0, total_flux_error=40.0)
    with pytest.raises(IntegrityError, match="total_with_error"):
        ForcedPhotometryFactory(total_flux=3000.0)


def test_nanojanskys_need_an_ab_catalogue() -> None:
    # AB: 23.9 mag are 1 microjansky (Oke & Gunn 1983; 31.4 mag are 1 nanojansky).
    row = ForcedPhotometryFactory(flux=-200.0, limiting_flux=None, zero_point_mag=23.9, zero_point_system="AB")
    assert (row.flux_njy, row.flux_error_njy) == pytest.approx((-2e5, 5e4), rel=2e-3)
    row.zero_point_system = "Vega"
    assert (row.flux_njy, row.flux_error_njy) == (None, None)
    row.zero_point_mag, row.zero_point_system = None, "AB"
    assert (row.flux_njy, row.limiting_mag) == (None, None)


def test_only_an_imported_detection_may_have_no_candidate() -> None:
    detection = DetectionFactory()
    values = {
        name: getattr(detection, name) for name in ("model_run", "observation", "ra", "dec", "pixel_x", "pixel_y")
    }
    DetectionFactory(candidate=None, origin="imported", **values)
    DetectionFactory(origin="imported")
    with pytest.raises(IntegrityError, match="origin_and_candidate"):
        DetectionFactory(candidate=None, **values)


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
