"""Judgements: appended once, weighed, taken back; a client that sends twice does one thing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from django.db import connection

from catalog import audit
from catalog.ids import uuid7
from catalog.models import AuditLog, ProcessingJob
from curation.models import ValidationEvent
from curation.services import CursorRefused, EventRefused, Judgement, OtherEvent, feed_page, record_validation
from tests.factories import DetectionFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def detection():
    return DetectionFactory()


def say(detection, user, is_valid: bool | None = True, **more) -> ValidationEvent:
    judgement = Judgement(id=uuid7(), detection_id=detection.pk, is_valid=is_valid, **more)
    event, is_new = record_validation(judgement, user, audit.Actor(user))
    assert is_new
    detection.refresh_from_db()
    return event


def test_a_verdict_is_kept_derived_audited_and_orders_a_look_at_the_alert_rule(detection):
    user = UserFactory()
    say(detection, user, label="supernova_candidate", confidence_level="high")
    assert (detection.status, detection.is_validated) == ("validated", True)
    assert (detection.human_label, detection.detection_type) == ("supernova_candidate", "supernova")
    assert detection.validation_confidence == 1.0
    entry = AuditLog.objects.get(action="validation_verdict")
    assert (entry.user, entry.old_values["status"], entry.new_values["status"]) == (
        user.username,
        "pending",
        "validated",
    )
    assert ProcessingJob.objects.get(job_type="alerts").entity_id == str(detection.source_id)


def test_only_the_latest_verdict_of_each_person_counts(detection):
    first, second = UserFactory(), UserFactory()
    say(detection, first, True)
    say(detection, second, False)
    assert (detection.status, detection.validation_confidence) == ("pending", None), "one against one"
    say(detection, first, False)
    assert (detection.status, detection.validation_confidence) == ("rejected", 1.0)
    assert ValidationEvent.objects.count() == 3, "nothing is edited"


def test_an_undo_is_an_event_and_brings_back_what_was(detection):
    user = UserFactory()
    event = say(detection, user, True, label="asteroid")
    say(detection, user, None, kind="withdrawal", supersedes_id=event.pk)
    assert (detection.status, detection.is_validated, detection.human_label) == ("pending", False, "")
    assert ValidationEvent.objects.count() == 2


def test_nobody_takes_back_the_answer_of_another(detection):
    event = say(detection, UserFactory(), True)
    with pytest.raises(EventRefused, match="own answer"):
        say(detection, UserFactory(), None, kind="withdrawal", supersedes_id=event.pk)
    assert ValidationEvent.objects.count() == 1


def test_a_label_that_nobody_defined_is_refused(detection):
    with pytest.raises(EventRefused, match="no label"):
        say(detection, UserFactory(), True, label="ufo")


def test_the_same_event_sent_again_is_the_stored_one_and_another_with_its_key_is_refused(detection):
    user = UserFactory()
    judgement = Judgement(id=uuid7(), detection_id=detection.pk, is_valid=True, tags=("a",))
    event, _ = record_validation(judgement, user, audit.Actor(user))
    again, is_new = record_validation(judgement, user, audit.Actor(user))
    assert (again.pk, is_new) == (event.pk, False)
    with pytest.raises(OtherEvent):
        record_validation(replace(judgement, is_valid=False), user, audit.Actor(user))
    with pytest.raises(OtherEvent):
        record_validation(judgement, UserFactory(), audit.MACHINE)
    assert AuditLog.objects.filter(action="validation_verdict").count() == 1


def test_a_confirmed_detection_keeps_its_state_whatever_is_said(detection):
    detection.status = "confirmed"
    detection.save()
    say(detection, UserFactory(), False)
    assert detection.status == "confirmed"


@pytest.mark.django_db(transaction=True)
def test_sixteen_sendings_of_one_event_at_once_are_one_row_and_one_answer():
    detection, user = DetectionFactory(), UserFactory()
    judgement = Judgement(id=uuid7(), detection_id=detection.pk, is_valid=True)

    def send(_: int):
        try:
            event, is_new = record_validation(judgement, user, audit.Actor(user))
            return event.pk, is_new
        finally:
            connection.close()

    with ThreadPoolExecutor(16) as pool:
        ended = list(pool.map(send, range(16)))
    assert {key for key, _ in ended} == {judgement.id}
    assert sum(is_new for _, is_new in ended) == 1
    assert ValidationEvent.objects.count() == 1


@pytest.mark.parametrize("cursor", ["x", "!!!!", "c2", "czEyMzQ1Njc4OTAxMjM0NTY3ODkw", "ü"])
def test_what_is_no_cursor_is_refused(cursor):
    with pytest.raises(CursorRefused, match="next_since"):
        feed_page(cursor, 10)
