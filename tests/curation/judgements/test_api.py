"""Judgements sent twice, at once and too late."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.test import Client

from catalog.ids import uuid7
from catalog.models import AuditLog, ProcessingJob
from curation.models import ValidationEvent
from tests.clients import account, client_of, refused, token_of
from tests.factories import DetectionFactory, ValidationEventFactory
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.django_db
EVENTS = "/api/v1/validation-events/"


def judge(client: Client, row, *, headers=None, **said):
    body = {"id": str(uuid7()), "detection": str(row.pk), "is_valid": True, **said}
    body = {name: value for name, value in body.items() if value is not ...}
    return client.post(EVENTS, body, content_type="application/json", headers=headers or {})


def test_a_judgement_is_kept_with_all_that_was_said():
    user, detection = account("curator"), DetectionFactory()
    said = {
        "label": "asteroid", "confidence_level": "expert", "notes": "<script>alert(1)</script>", "tags": ["a b", "<i>"],
        "image_quality": "good", "detection_quality": "poor", "seconds_taken": 2.5,
    }  # fmt: skip
    answer = judge(client_of(user), detection, **said)
    assert answer.status_code == 201
    event = ValidationEvent.objects.get()
    assert (event.validator, event.detection, event.is_valid) == (user, detection, True)
    row = answer.json()
    assert {name: row[name] for name in said} == said
    assert (row["id"], row["validator"], row["kind"], row["conflicts"]) == (str(event.pk), str(user.pk), "verdict", [])
    assert row["created_at"] and "nosniff" in answer["X-Content-Type-Options"]
    detection.refresh_from_db()
    assert (detection.status, detection.human_label) == ("validated", "asteroid")
    assert AuditLog.objects.get(action="validation_verdict").user == user.username
    assert ProcessingJob.objects.get(job_type="alerts").entity_id == str(detection.source_id)


def test_the_same_again_is_the_stored_row_and_other_words_with_its_key_are_refused():
    user, detection, key = account("curator"), DetectionFactory(), str(uuid7())
    client = client_of(user)
    first = judge(client, detection, id=key, notes="once")
    again = judge(client, detection, id=key, notes="once")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    for changed in ({"notes": "twice"}, {"is_valid": False, "notes": "once"}, {"tags": ["x"], "notes": "once"}):
        answer = judge(client, detection, id=key, **changed)
        assert (answer.status_code, answer.json()["code"]) == (422, "id_taken")
    assert judge(client, DetectionFactory(), id=key, notes="once").status_code == 422
    assert judge(client_of("curator"), detection, id=key, notes="once").status_code == 422, "of somebody else"
    assert ValidationEvent.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_sixteen_posts_of_one_event_at_once_are_one_row_and_one_answer():
    detection, token, key = DetectionFactory(), token_of(account("curator")), str(uuid7())
    together = threading.Barrier(16)

    def post(_: int):
        try:
            together.wait(timeout=PATIENCE_SECONDS)
            answer = judge(Client(headers={"Authorization": f"Token {token}"}), detection, id=key, label="asteroid")
            return answer.status_code, answer.json()
        finally:
            connection.close()

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(post, range(16)))
    assert sorted(status for status, _ in answers) == [200] * 15 + [201]
    assert all(row == answers[0][1] for _, row in answers)
    assert ValidationEvent.objects.count() == 1
    assert AuditLog.objects.filter(action="validation_verdict").count() == 1


def test_who_answers_what_has_moved_on_is_shown_the_others_answers_and_is_kept():
    detection, slow, quick = DetectionFactory(), client_of("curator"), account("curator")
    seen = slow.get(f"/api/v1/detections/{detection.pk}/")["ETag"]
    first = judge(client_of(quick), detection, is_valid=False, headers={"If-Match": seen})
    assert first.json()["conflicts"] == []
    key = str(uuid7())
    second = judge(slow, detection, id=key, headers={"If-Match": seen})
    (other,) = second.json()["conflicts"]
    assert (second.status_code, other["id"], other["is_valid"]) == (201, first.json()["id"], False)
    assert other["validator"] == str(quick.pk)
    again = judge(slow, detection, id=key, headers={"If-Match": seen})
    assert (again.status_code, again.json()) == (200, second.json())
    assert ValidationEvent.objects.count() == 2


def test_who_saw_the_others_answer_is_not_shown_it_as_a_conflict():
    detection, client = DetectionFactory(), client_of("curator")
    judge(client_of("curator"), detection, is_valid=False)
    seen = client.get(f"/api/v1/detections/{detection.pk}/")["ETag"]
    key = str(uuid7())
    answers = [judge(client, detection, id=key, headers={"If-Match": seen}).json() for _ in range(2)]
    assert answers[0]["conflicts"] == [] and answers[0] == answers[1]
    assert judge(client, detection).json()["conflicts"] == [], "without If-Match nothing is known of what was seen"


def test_an_answer_is_taken_back_by_another_event():
    detection, client = DetectionFactory(), client_of("curator")
    key = judge(client, detection).json()["id"]
    answer = judge(client, detection, kind="withdrawal", is_valid=..., supersedes=key)
    assert (answer.status_code, answer.json()["supersedes"], answer.json()["is_valid"]) == (201, key, None)
    detection.refresh_from_db()
    assert detection.status == "pending"
    answer = judge(client_of("curator"), detection, kind="withdrawal", is_valid=..., supersedes=key)
    assert (answer.status_code, answer.json()["code"]) == (400, "refused"), "nobody takes back the answer of another"


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"id": 5}, "id"),
        ({"id": "x"}, "id"),
        ({"id": ...}, "id"),
        ({"is_valid": "no"}, "is_valid"),
        ({"is_valid": 0}, "is_valid"),
        ({"confidence_level": "certain"}, "confidence_level"),
        ({"confidence_level": None}, "confidence_level"),
        ({"notes": 5}, "notes"),
        ({"notes": "a\0b"}, "notes"),
        ({"notes": "x" * 20_001}, "notes"),
        ({"tags": "a"}, "tags"),
        ({"tags": ["x" * 65]}, "tags.0"),
        ({"tags": [["a"]]}, "tags.0"),
        ({"tags": ["a"] * 101}, "tags"),
        ({"image_quality": "awful"}, "image_quality"),
        ({"supersedes": "x"}, "supersedes"),
        ({"seconds_taken": -1}, "seconds_taken"),
        ({"validator": "x"}, "validator"),
        ({"created_at": "2020-01-01T00:00:00Z"}, "created_at"),
    ],
    ids=str,
)
def test_what_cannot_be_taken_is_told_by_field_and_leaves_nothing(said, field):
    answer = judge(client_of("curator"), DetectionFactory(), **said)
    assert answer.status_code == 400 and field in answer.json()["errors"]
    assert not ValidationEvent.objects.exists()


def test_a_detection_that_is_not_there_cannot_be_judged():
    answer = judge(client_of("curator"), DetectionFactory(), detection="00000000-0000-0000-0000-000000000000")
    assert "detection: There is no such detection." in refused(answer, 404, "not_found")


@pytest.mark.parametrize(
    "said", [{"is_valid": ...}, {"label": "ufo"}, {"label": "satellite"}, {"kind": "withdrawal"}], ids=str
)
def test_a_judgement_that_does_not_fit_is_refused_in_words(said):
    answer = judge(client_of("curator"), DetectionFactory(), **said)
    assert (answer.status_code, answer.json()["code"]) == (400, "refused")
    assert len(answer.json()["detail"]) > 20


def test_the_path_of_a_product_is_set_by_no_client():
    detection = DetectionFactory()
    assert "cutouts_path" in judge(client_of("curator"), detection, cutouts_path="/etc/passwd").json()["errors"]


def test_judgements_are_read_by_detection():
    event, _ = ValidationEventFactory(), ValidationEventFactory()
    rows = client_of("viewer").get(f"{EVENTS}?detection={event.detection_id}").json()["results"]
    assert [row["id"] for row in rows] == [str(event.pk)]
