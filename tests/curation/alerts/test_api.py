"""Alerts acknowledged; the feed page by page, and as a stream."""

from __future__ import annotations

import pytest

from catalog.models import AuditLog
from curation.alerts.publishing import publish_pending
from curation.models import Alert, AlertPublication
from tests.clients import client_of
from tests.factories import AlertFactory, DetectionFactory

pytestmark = pytest.mark.django_db
FEED, STREAM = "/api/v1/alerts/feed/", "/api/v1/alerts/stream"


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
