"""What people put off: offered to others, and to themselves when it is time or when it is seen again."""

from __future__ import annotations

import datetime as dt
from uuid import uuid4

import pytest
from django.utils import timezone

from catalog.models import AuditLog, User
from catalog.people import audit
from curation.judgements.deferrals import Deferment, defer, end_of_answered, resume
from curation.judgements.verdicts import EventRefused
from curation.models import Deferral
from curation.triage import queue
from curation.triage.queue import Holder, Part, Queue
from detection.models import Detection
from tests.curation.looks import judge
from tests.factories import DetectionFactory, SourceFactory, UserFactory

pytestmark = pytest.mark.django_db


def put_off(person: User, *rows: Detection, kind: str = "snooze", **more) -> Deferment:
    asked = Deferment(uuid4(), tuple(row.pk for row in rows), kind, **more)
    assert defer(asked, person, audit.Actor(person))
    return asked


def offered(person: User, part: Part | None = None) -> list:
    """Return what a person is given now, and give it back."""
    holder = Holder(person, uuid4())
    keys = queue.take(Queue("pending", Detection.objects.all(), part), holder, 9).keys
    queue.release(holder)
    return keys


def test_what_is_put_off_is_offered_to_others_only_and_counts_for_them_only():
    row, person, other = DetectionFactory(), UserFactory(), UserFactory()
    put_off(person, row)
    every = Queue("pending", Detection.objects.all())
    assert offered(person) == []
    assert offered(other) == [row.pk]
    assert [queue.remaining(every, user) for user in (person, other)] == [0, 1]
    assert queue.rest(every, Holder(person, uuid4()), Detection.objects.all()).put_off == 1
    assert offered(person, Part.PUT_OFF) == [row.pk]


def test_a_snooze_ends_at_its_time():
    row, person = DetectionFactory(), UserFactory()
    put_off(person, row, until=timezone.now() + dt.timedelta(hours=12))
    assert offered(person) == []
    Deferral.objects.update(until=timezone.now() - dt.timedelta(seconds=1))
    assert offered(person) == [row.pk]


def test_an_object_that_is_seen_again_comes_back():
    source, person = SourceFactory(), UserFactory()
    first = DetectionFactory(source=source, confidence_score=0.9)
    put_off(person, first)
    assert offered(person) == []
    again = DetectionFactory(source=source, confidence_score=0.8)
    assert offered(person) == [again.pk]


def test_taking_it_back_brings_it_back_and_leaves_a_line_in_the_audit_log():
    row, person = DetectionFactory(), UserFactory()
    asked = put_off(person, row)
    assert not resume(asked.group, UserFactory(), audit.Actor(None)), "only one's own"
    assert resume(asked.group, person, audit.Actor(person))
    assert not resume(asked.group, person, audit.Actor(person)), "once"
    assert offered(person) == [row.pk]
    actions = AuditLog.objects.filter(entity_id=str(row.pk)).values_list("action", flat=True)
    assert sorted(actions) == ["deferral_taken_back", "deferred"]


def test_the_same_again_is_stored_once_and_another_thing_with_its_key_is_refused():
    row, person = DetectionFactory(), UserFactory()
    asked = put_off(person, row)
    assert not defer(asked, person, audit.Actor(person))
    assert Deferral.objects.count() == 1
    with pytest.raises(EventRefused, match="already says something else"):
        defer(asked, UserFactory(), audit.Actor(None))


def test_a_second_opinion_is_asked_of_everybody_else():
    row, person, other = DetectionFactory(), UserFactory(), UserFactory()
    DetectionFactory()
    put_off(person, row, kind="opinion", note="Ghost?")
    assert offered(other, Part.ASKED) == [row.pk]
    assert offered(person, Part.ASKED) == []
    put_off(other, row, kind="opinion")
    assert offered(other, Part.ASKED) == [], "both have passed it on"
    assert offered(UserFactory(), Part.ASKED) == [row.pk]


def test_what_is_answered_after_all_is_put_off_no_more():
    row, person = DetectionFactory(), UserFactory()
    put_off(person, row)
    end_of_answered([row.pk], person)
    assert offered(person) == [row.pk]


def test_what_would_be_forgotten_or_is_gone_is_refused():
    row, person = DetectionFactory(), UserFactory()
    far = Deferment(uuid4(), (row.pk,), "snooze", timezone.now() + dt.timedelta(days=500))
    with pytest.raises(EventRefused, match="400 days"):
        defer(far, person, audit.Actor(person))
    with pytest.raises(EventRefused, match="no such detection"):
        defer(Deferment(uuid4(), (uuid4(),), "snooze"), person, audit.Actor(person))


def test_an_answer_whose_person_asks_for_another_opinion_is_not_enough_until_there_is_one():
    row, person, other = DetectionFactory(), UserFactory(), UserFactory()
    judge(row, True, person=person)
    asked = put_off(person, row, kind="opinion")
    assert Detection.objects.get().status == "pending"
    assert offered(other, Part.ASKED) == [row.pk]
    assert offered(person) == []
    judge(row, True, person=other)
    assert Detection.objects.get().status == "validated"
    resume(asked.group, person, audit.Actor(person))
    assert Detection.objects.get().status == "validated"


def test_taking_the_question_back_settles_what_was_settled_before():
    row, person = DetectionFactory(), UserFactory()
    judge(row, False, person=person)
    asked = put_off(person, row, kind="opinion")
    assert Detection.objects.get().status == "pending"
    resume(asked.group, person, audit.Actor(person))
    assert Detection.objects.get().status == "rejected"


def test_who_asks_without_an_answer_of_their_own_leaves_it_to_one_other():
    row, person = DetectionFactory(), UserFactory()
    put_off(person, row, kind="opinion")
    judge(row, True)
    assert Detection.objects.get().status == "validated"
