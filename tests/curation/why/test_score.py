"""A score in words: of a hundred such ones how many were real, and how usual it is."""

from __future__ import annotations

import pytest

from curation.why.score import said_of
from detection.models import Detection
from tests.factories import CandidateScoreFactory, DetectionFactory, ModelFactory

pytestmark = pytest.mark.django_db


def row(**given) -> Detection:
    model = ModelFactory(name="realbogus", version="2", training_dataset="64 simulated pairs")
    return DetectionFactory(model_run__model=model, **given)


@pytest.mark.parametrize(
    ("score", "sentence"),
    [
        (0.97, "97 % sure that it is real: of 100 with such a score about 97 were."),
        (0.5, "50 % sure that it is real: of 100 with such a score about 50 were."),
        (
            0.12,
            "88 % sure that it is not real: of 100 with such a score about 12 were real.",
        ),
        (0.01, "99 % sure that it is not real: of 100 with such a score about 1 was real."),
        (
            0.9991,
            "more than 99 % sure that it is real: of 100 with such a score more than 99 were.",
        ),
        (
            0.0,
            "more than 99 % sure that it is not real: of 100 with such a score less than one was real.",
        ),
    ],
)
def test_a_score_is_told_as_a_share_of_a_hundred(score: float, sentence: str):
    said = said_of(row(confidence_score=score), None, [])
    assert said.sure == f"The model (realbogus 2) is {sentence}"
    assert "64 simulated pairs" in said.basis
    assert "not on this site’s own nights" in said.basis


@pytest.mark.parametrize(
    ("anomaly", "sentence", "is_unusual"),
    [
        (None, "", False),
        (0.0, "Not unusual: 0 % of what the model was trained with is more ordinary.", False),
        (0.9899, "Not unusual: 98 % of what the model was trained with is more ordinary.", False),
        (0.99, "Unlike 99 % of what the model was trained with: its score may say little.", True),
        (0.999, "Unlike 99.9 % of what the model was trained with: its score may say little.", True),
        (1.0, "Unlike everything that the model was trained with: its score may say little.", True),
    ],
)
def test_how_unusual_it_is_is_told_in_words(anomaly, sentence, is_unusual):
    detection = row(anomaly=anomaly)
    said = said_of(detection, CandidateScoreFactory(candidate=detection.candidate, anomaly=anomaly), [])
    assert (said.unusual, said.is_unusual) == (sentence, is_unusual)


def test_the_type_is_told_with_its_reason_and_what_the_stamp_alone_says():
    detection = row(
        predicted_type="supernova", prediction_metadata={"type_reason": "New at M31, and seen on 2 nights."}
    )
    scored = CandidateScoreFactory(candidate=detection.candidate, p_supernova=0.2, p_variable=0.1, p_transient=0.7)
    said = said_of(detection, scored, [])
    assert said.kind == "Taken for: supernova candidate. New at M31, and seen on 2 nights."
    assert said.stamp == "By its stamp alone, if it is real: transient 70 %, supernova candidate 20 %, variable 10 %."


def test_what_another_version_says_is_told_beside_it():
    detection = row()
    other = CandidateScoreFactory(candidate=detection.candidate, model_run__model__version="1", score=0.41)
    assert said_of(detection, None, [other]).others == f"{other.model} gives it 0.410"


def test_why_it_is_there_against_its_score_is_told():
    assert said_of(row(prediction_metadata={"reason": "It is bright."}), None, []).reason == "It is bright."
