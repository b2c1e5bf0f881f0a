"""The rejection of a whole frame: one answer, with what it is about told before, and one way back."""

from __future__ import annotations

from uuid import uuid4

import pytest

from catalog.models import AuditLog
from catalog.people import audit
from curation.judgements import frames
from curation.judgements.batches import BatchAnswer
from curation.judgements.frames import reject_frame, rejection_of, take_back_frame
from curation.judgements.verdicts import EventRefused
from curation.models import ValidationEvent
from detection.models import Detection
from tests.clients import account
from tests.curation.looks import judge
from tests.factories import (
    CandidateFactory,
    DetectionFactory,
    DifferenceRunFactory,
    LabelDefinitionFactory,
    LeaseFactory,
    ModelRunFactory,
    SourceFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


def frame_of(count: int) -> list[Detection]:
    run, source = DifferenceRunFactory(), SourceFactory()
    model_run = ModelRunFactory(observation=run.observation)
    sources = [source, source, *(SourceFactory() for _ in range(count - 2))]
    return [
        DetectionFactory(candidate=CandidateFactory(difference_run=run), model_run=model_run, source=one)
        for one in sources
    ]


def states(rows: list[Detection]) -> list[str]:
    found = dict(Detection.objects.values_list("pk", "status"))
    return [found[row.pk] for row in rows]


def test_what_it_would_be_about_is_told_before():
    rows = frame_of(4)
    judge(rows[3], True)
    elsewhere = DetectionFactory()
    LeaseFactory(detection=rows[2], item=rows[2].pk)
    person = account("curator")
    found = rejection_of(rows[0].observation, person)
    assert set(found.detections) == {row.pk for row in rows[:3]}
    assert elsewhere.pk not in found.detections
    assert (found.objects, found.held_by_others, found.is_too_much) == (2, 1, False)


def test_all_that_waits_is_bogus_with_one_group_and_what_was_decided_stays():
    rows, person = frame_of(4), account("curator")
    judge(rows[3], True)
    label = LabelDefinitionFactory(is_valid=False).label
    said = BatchAnswer(uuid4(), False, label, "Clouds", {"stretch": "asinh"})
    done = reject_frame(rows[1], said, person, audit.Actor(person))
    assert set(done) == {row.pk for row in rows[:3]}
    assert states(rows) == ["rejected", "rejected", "rejected", "validated"]
    events = ValidationEvent.objects.filter(group=said.group)
    assert {(event.label, event.notes, event.is_valid) for event in events} == {(label, "Clouds", False)}
    assert {event.detection_id: event.shown for event in events} == {
        rows[0].pk: "unseen",
        rows[1].pk: "large",
        rows[2].pk: "unseen",
    }
    assert {event.visible_context["stretch"] for event in events} == {"asinh"}
    line = AuditLog.objects.get(action="reject_frame")
    assert (line.entity_id, line.new_values["detections"]) == (str(rows[0].observation_id), 3)


def test_sent_again_it_does_nothing_more_even_if_more_waits_by_then():
    rows, person = frame_of(3), account("curator")
    said = BatchAnswer(uuid4(), False)
    first = reject_frame(rows[0], said, person, audit.Actor(person))
    candidate = CandidateFactory(difference_run=rows[0].candidate.difference_run)
    DetectionFactory(candidate=candidate, model_run=rows[0].model_run)
    again = reject_frame(rows[0], said, person, audit.Actor(person))
    assert set(again) == set(first)
    assert ValidationEvent.objects.count() == 3


def test_one_way_back_brings_back_all_of_it_but_what_its_person_has_changed_since():
    rows, person = frame_of(3), account("curator")
    said = BatchAnswer(uuid4(), False)
    reject_frame(rows[0], said, person, audit.Actor(person))
    judge(rows[2], True, person=person)
    assert take_back_frame(said.group, UserFactory(), audit.Actor(None)) == 0, "only one's own"
    assert take_back_frame(said.group, person, audit.Actor(person)) == 2
    assert states(rows) == ["pending", "pending", "validated"]
    assert take_back_frame(said.group, person, audit.Actor(person)) == 0, "once"


def test_nothing_and_too_much_are_refused_with_what_to_do(monkeypatch):
    rows, person = frame_of(3), account("curator")
    monkeypatch.setattr(frames, "MOST_AT_ONCE", 2)
    assert rejection_of(rows[0].observation, person).is_too_much
    with pytest.raises(EventRefused, match="archive the frame"):
        reject_frame(rows[0], BatchAnswer(uuid4(), False), person, audit.Actor(person))
    for row in rows:
        judge(row, True)
    with pytest.raises(EventRefused, match="nothing left to answer about"):
        reject_frame(rows[0], BatchAnswer(uuid4(), False), person, audit.Actor(person))
