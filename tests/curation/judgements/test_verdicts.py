"""Judgements: appended once, weighed, taken back; a client that sends twice does one thing."""

from __future__ import annotations

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from django.db import connection, transaction
from django.utils import timezone

from catalog.ids import uuid7
from catalog.models import AuditLog, ProcessingJob
from catalog.people import audit
from catalog.work import jobs
from curation.judgements.verdicts import EventRefused, Judgement, OtherEvent, record_group, record_validation
from curation.models import Lease, ValidationEvent
from detection.models import Detection
from tests.factories import DetectionFactory, LeaseFactory, SourceFactory, UserFactory
from tests.waiting import PATIENCE_SECONDS

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


def test_to_take_back_a_change_of_mind_brings_back_the_answer_before_it(detection):
    user = UserFactory()
    first = say(detection, user, True, label="asteroid")
    second = say(detection, user, False, supersedes_id=first.pk)
    assert detection.status == "rejected"
    undo = say(detection, user, None, kind="withdrawal", supersedes_id=second.pk)
    assert (detection.status, detection.human_label) == ("validated", "asteroid")
    say(detection, user, None, kind="withdrawal", supersedes_id=undo.pk)
    assert (detection.status, detection.human_label) == ("rejected", ""), "the undo was undone"


def test_nobody_takes_back_the_answer_of_another(detection):
    event = say(detection, UserFactory(), True)
    with pytest.raises(EventRefused, match="own answer"):
        say(detection, UserFactory(), None, kind="withdrawal", supersedes_id=event.pk)
    assert ValidationEvent.objects.count() == 1


def test_a_label_that_nobody_defined_is_refused(detection):
    with pytest.raises(EventRefused, match="no label"):
        say(detection, UserFactory(), True, label="ufo")


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"label": "satellite"}, "is not astrophysical; the verdict says otherwise"),
        ({"is_valid": False, "label": "asteroid"}, "is astrophysical; the verdict says otherwise"),
        ({"confidence_level": "certain"}, "certain"),
        ({"image_quality": "awful"}, "awful"),
        ({"is_valid": None}, "give `is_valid`"),
        ({"notes": "a\0b"}, "cannot be stored"),
        ({"tags": ("\ud800",)}, "cannot be stored"),
        ({"visible_context": {"zoom": float("nan")}}, "cannot be stored"),
        ({"tags": ("x" * 65,)}, "at most 64"),
        ({"seconds_taken": float("nan")}, "seconds_taken"),
        ({"kind": "withdrawal", "is_valid": None}, "names in `supersedes`"),
    ],
    ids=str,
)
def test_what_cannot_be_kept_is_refused_with_the_reason_and_leaves_nothing(detection, given, reason):
    with pytest.raises(EventRefused, match=reason):
        say(detection, UserFactory(), **{"is_valid": True, **given})
    assert not ValidationEvent.objects.exists()
    assert not ProcessingJob.objects.exists()


def test_a_withdrawal_says_nothing_of_its_own(detection):
    user = UserFactory()
    event = say(detection, user, True)
    with pytest.raises(EventRefused, match="omits `is_valid`"):
        say(detection, user, True, kind="withdrawal", supersedes_id=event.pk)


def test_a_backslash_in_a_note_is_kept_as_it_is(detection):
    assert say(detection, UserFactory(), notes=r"C:\u0000 and \\u0000").notes == r"C:\u0000 and \\u0000"


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
    assert (detection.status, detection.is_validated) == ("confirmed", True)


def test_a_detection_that_another_looks_at_stays_leased_while_nothing_is_decided(detection):
    first = UserFactory()
    event = say(detection, first, True)
    assert detection.status == "validated"
    lease = LeaseFactory(detection=detection)
    say(detection, first, None, kind="withdrawal", supersedes_id=event.pk)
    assert detection.status == "validating"
    say(detection, lease.holder, True)
    assert detection.status == "validated"
    assert not Lease.objects.exists(), "an answer ends its person's lease"


def test_a_lease_that_has_lapsed_holds_nothing(detection):
    first = UserFactory()
    event = say(detection, first, True)
    LeaseFactory(detection=detection, expires_at=timezone.now() - dt.timedelta(seconds=1))
    say(detection, first, None, kind="withdrawal", supersedes_id=event.pk)
    assert detection.status == "pending"


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


@pytest.mark.django_db(transaction=True)
def test_one_id_for_two_detections_at_once_is_taken_for_one_and_refused_for_the_other():
    user, key = UserFactory(), uuid7()
    detections = [DetectionFactory() for _ in range(2)]
    meeting = threading.Barrier(2)

    def send(detection):
        try:
            meeting.wait(timeout=PATIENCE_SECONDS)
            return record_validation(Judgement(key, detection.pk, True), user, audit.Actor(user))[1]
        except OtherEvent:
            return False
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(send, detections)) == [False, True]
    assert ValidationEvent.objects.count() == 1
    assert Detection.objects.filter(status="validated").count() == 1


@pytest.mark.django_db(transaction=True)
def test_an_order_that_waits_is_not_carried_out_before_the_judgement_can_be_read():
    detection, user = DetectionFactory(), UserFactory()
    waiting = jobs.enqueue("alerts", "source", detection.source_id)

    def claim():
        try:
            return jobs.claim_next(["alerts"], "worker")
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            record_validation(Judgement(uuid7(), detection.pk, True), user, audit.Actor(user))
            assert pool.submit(claim).result(timeout=PATIENCE_SECONDS) is None
        assert pool.submit(claim).result(timeout=PATIENCE_SECONDS) == waiting


def test_an_answer_about_many_epochs_asks_the_database_as_often_as_one_about_a_single_one(django_assert_num_queries):
    user, source = UserFactory(), SourceFactory()
    user.get_all_permissions()
    for count in (1, 12):
        epochs = DetectionFactory.create_batch(count, source=source)
        group = [Judgement(id=uuid7(), detection_id=row.pk, is_valid=True, label="asteroid") for row in epochs]
        ProcessingJob.objects.all().delete()
        with django_assert_num_queries(13):
            record_group(group, user, audit.Actor(user))
        states = {(row.status, row.human_label, row.is_validated) for row in source.detections.all()}
        assert states == {("validated", "asteroid", True)}
    lines = AuditLog.objects.filter(action="validation_verdict")
    assert {line.entity_id for line in lines} == {str(row.pk) for row in source.detections.all()}
    assert all((line.old_values["status"], line.new_values["status"]) == ("pending", "validated") for line in lines)


def test_what_was_derived_is_written_with_the_time_of_its_change(detection):
    before = detection.updated_at
    say(detection, UserFactory())
    assert detection.updated_at > before
