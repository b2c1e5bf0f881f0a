"""The file of labels: what people have decided, how they saw it, and what the model had said."""

from __future__ import annotations

import json

import pytest
from django.core.management import call_command

from curation.labels.export import decided, decided_since, keep_labels, labels
from curation.models import Shown
from detection.models import DetectionOrigin, DetectionStatus
from tests.factories import DetectionFactory, UserFactory, ValidationEventFactory

pytestmark = pytest.mark.django_db

VALIDATED = {"status": DetectionStatus.VALIDATED, "is_validated": True}


def test_a_line_says_what_people_decided_and_what_they_and_the_model_saw(tmp_path):
    row = DetectionFactory(**VALIDATED, confidence_score=0.71, prediction_metadata={"weights_sha256": "ab" * 32})
    seen = {"answers_shown": 0, "score_shown": True}
    ValidationEventFactory(detection=row, label="supernova", confidence_level="high", visible_context=seen)
    ValidationEventFactory(detection=row, is_valid=False, confidence_level="low", visible_context=seen)
    call_command("export_labels", str(tmp_path / "labels.jsonl"))
    [line] = [json.loads(text) for text in (tmp_path / "labels.jsonl").read_text().splitlines()]
    assert line["detection"] == str(row.pk)
    assert (line["is_valid"], line["label"], line["people"], line["confidence"]) == (True, "supernova", 1, "high")
    assert line["agreement"] == 0.75
    assert (line["model_version"], line["model_sha256"], line["score"]) == (row.model_version, "ab" * 32, 0.71)
    assert (line["look"], line["score_shown"], line["inclusion_probability"]) == ("blind", True, 1.0)
    assert (line["exposure"], line["night"]) == (str(row.observation_id), row.observation.night.isoformat())
    assert line["snr"] == row.candidate.significance


def test_answers_given_unseen_teach_nothing():
    unseen = DetectionFactory(**VALIDATED)
    ValidationEventFactory(detection=unseen, shown=Shown.UNSEEN)
    both = DetectionFactory(**VALIDATED)
    ValidationEventFactory(detection=both, shown=Shown.UNSEEN, is_valid=False, confidence_level="expert")
    ValidationEventFactory(detection=both, shown=Shown.LARGE)
    [line] = labels()
    assert (line.detection, line.is_valid, line.people) == (str(both.pk), True, 1)


def test_what_is_not_decided_is_not_told():
    waiting = DetectionFactory()
    ValidationEventFactory(detection=waiting)
    DetectionFactory(**VALIDATED)  # by a rule, and no person
    assert list(labels()) == []


def test_what_was_drawn_from_the_hidden_tells_with_what_probability():
    row = DetectionFactory(**VALIDATED, origin=DetectionOrigin.SAMPLED, inclusion_probability=0.05, drawn_score=0.9)
    ValidationEventFactory(detection=row)
    [line] = labels()
    assert (line.origin, line.inclusion_probability, line.look) == ("sampled", 0.05, "unknown")


def test_answers_with_and_without_sight_of_others_are_mixed():
    row = DetectionFactory(**VALIDATED)
    for shown in (0, 2):
        ValidationEventFactory(detection=row, visible_context={"answers_shown": shown}, validator=UserFactory())
    assert next(labels()).look == "mixed"


def test_only_what_was_answered_since_is_new():
    row = DetectionFactory(**VALIDATED)
    event = ValidationEventFactory(detection=row)
    event.refresh_from_db()
    assert decided().count() == decided_since(None).count() == 1
    assert decided_since(event.created_at).count() == 0


def test_without_a_name_the_file_lies_under_the_data_root(empty_data_root):
    ValidationEventFactory(detection=DetectionFactory(**VALIDATED))
    path, count = keep_labels("7")
    assert count == 1
    assert len((empty_data_root / path).read_text().splitlines()) == 1
