"""Judgements sent twice, at once and too late; alerts acknowledged; the feed page by page."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.test import Client

from catalog.ids import uuid7
from catalog.models import AuditLog, ProcessingJob
from curation.alerts.publishing import publish_pending
from curation.models import Alert, AlertPublication, ValidationEvent
from tests.clients import account, client_of, token_of
from tests.factories import AlertFactory, DetectionFactory, ValidationEventFactory

pytestmark = pytest.mark.django_db
EVENTS, FEED, STREAM = "/api/v1/validation-events/", "/api/v1/alerts/feed/", "/api/v1/alerts/stream"


def judge(client: Client, row, *, headers=None, **said):
    body = {"id": str(uuid7()), "detection": str(row.pk), "is_valid": True, **said}
    body = {name: value for name, value in body.items() if value is not ...}
    return client.post(EVENTS, body, content_type="application/json", headers=headers or {})


# --- Judgements ---
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
            together.wait(timeout=30)
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
        ({"detection": "00000000-0000-0000-0000-000000000000"}, "detection"),
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


# --- Alerts ---
def test_an_alert_is_acknowledged_once_and_a_second_time_changes_nothing():
    client, alert = client_of("curator"), AlertFactory()
    address = f"/api/v1/alerts/{alert.pk}/acknowledge/"
    answer = client.post(address)
    assert (answer.status_code, answer.json()["code"]) == (409, "not_possible"), "nobody was told of it yet"
    publish_pending()
    first, second = client.post(address), client.post(address)
    assert (first.status_code, first.json()["status"]) == (200, "delivered")
    assert second.json() == first.json()
    assert AuditLog.objects.filter(action="acknowledge_alert").count() == 1


def test_an_alert_that_was_cancelled_is_not_acknowledged():
    alert = AlertFactory(status="cancelled")
    assert client_of("curator").post(f"/api/v1/alerts/{alert.pk}/acknowledge/").status_code == 409
    alert.refresh_from_db()
    assert alert.status == "cancelled"


def test_an_alert_is_sent_when_a_client_first_pulls_it():
    delivered, pending = AlertFactory(), AlertFactory()
    publish_pending()
    Alert.objects.filter(pk=delivered.pk).update(status="delivered")
    client = client_of("viewer")
    for _ in range(2):
        client.get(FEED)
    pending.refresh_from_db()
    delivered.refresh_from_db()
    assert (pending.status, delivered.status) == ("sent", "delivered")
    assert pending.sent_at is not None
    assert AuditLog.objects.get(action="send_alert").entity_id == str(pending.pk)


# --- The feed ---
def test_the_feed_is_read_page_by_page_and_from_any_point_again():
    detection = DetectionFactory()
    for number in range(5):
        AlertFactory(detection=detection, title=f"{number}", alert_type="update" if number else "new")
    publish_pending()
    client, since, pages = client_of("viewer"), "", []
    while True:
        page = client.get(FEED, {"since": since, "page_size": 2}).json()
        if not page["results"]:
            break
        pages.append((since, page))
        since = page["next_since"]
    assert page == {"results": [], "next_since": since}
    rows = [row for _, page in pages for row in page["results"]]
    assert [row["sequence"] for row in rows] == [1, 2, 3, 4, 5]
    assert [(row["version"], row["kind"]) for row in rows] == [(1, "new"), *((n, "update") for n in range(2, 6))]
    assert rows[0].keys() == {"sequence", "alert", "version", "kind", "published_at", "payload"}
    assert rows[0]["payload"]["title"] == "0" and rows[0]["alert"] == rows[0]["payload"]["alert"]
    for cursor, page in pages:
        assert client.get(FEED, {"since": cursor, "page_size": 2}).json() == page


def test_the_feed_does_not_hold_a_client_that_does_not_wait():
    assert client_of("viewer").get(FEED).json() == {"results": [], "next_since": ""}


@pytest.mark.parametrize(
    "query",
    [
        "since=x",
        "since=%00",
        "since=czE%3D%3D%3D%3Dé",
        "page_size=1001",
        "page_size=0",
        "wait=61",
        "wait=-1",
        "wait=1.5",
        "wait=²",
        "format=csv",
        "cursor=",
        "since=czE&since=czI",
    ],
)
def test_what_the_feed_cannot_read_is_refused(query):
    answer = client_of("viewer").get(f"{FEED}?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


def test_the_feed_needs_the_scope_of_alerts():
    client = client_of("viewer", ["detections:read"])
    assert client.get(FEED).json()["code"] == client.get(STREAM).json()["code"] == "scope_lacks"


def test_the_stream_goes_on_after_the_last_event_that_came():
    AlertFactory(title="a\nb")
    AlertFactory(title="é\u2028")
    publish_pending()
    client = client_of("viewer")
    events = client.get(STREAM).content.decode().split("\n\n")
    assert len(events) == 3 and events[-1] == ""
    cursor = events[0].splitlines()[0].removeprefix("id: ")
    rest = client.get(STREAM, headers={"Last-Event-ID": cursor}).content.decode()
    assert rest == events[1] + "\n\n"
    assert client.get(STREAM, {"since": cursor}).content.decode() == rest
    assert client.get(STREAM, headers={"Last-Event-ID": "x"}).status_code == 400


def test_a_page_of_the_feed_asks_the_database_as_often_for_many_as_for_one(django_assert_max_num_queries):
    client = client_of("viewer")
    for _ in range(2):
        for _ in range(10):
            AlertFactory()
        publish_pending()
        client.get(FEED)
        with django_assert_max_num_queries(6):
            assert client.get(FEED).json()["results"]
    assert AlertPublication.objects.count() == 20
