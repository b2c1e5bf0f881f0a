"""Alerts acknowledged; the feed page by page, and as a stream."""

from __future__ import annotations

import pytest

from catalog.configuration.values import set_value
from catalog.cursors import packed
from catalog.ids import uuid7
from catalog.models import AuditLog
from catalog.people.audit import MACHINE
from curation.alerts import feed
from curation.alerts.publishing import publish_pending
from curation.models import Alert, AlertPublication
from tests.clients import client_of, refused
from tests.curation.looks import consider, judge, seen
from tests.factories import (
    AlertFactory,
    CandidateFactory,
    DetectionFactory,
    ObservationFactory,
    SavedFilterFactory,
    SourceFactory,
)

pytestmark = pytest.mark.django_db
ALERTS, FEED, STREAM = "/api/v1/alerts/", "/api/v1/alerts/feed/", "/api/v1/alerts/stream"


def publish_alerts() -> None:
    AlertFactory()
    publish_pending()


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


def test_one_answer_holds_everything_about_an_alert_for_whose_token_includes_it():
    row = DetectionFactory()
    alert, other = AlertFactory(detection=row), AlertFactory()
    address = f"{ALERTS}{alert.pk}/"
    client = client_of("viewer")
    plain, told = client.get(address).json(), client.get(f"{address}?expand=all").json()
    assert plain["expanded"] is None and {**told, "expanded": None} == plain
    assert told["expanded"]["measurement"]["detection_uuid"] == str(row.pk)
    assert [one["detection"] for one in told["expanded"]["light_curve"]["epochs"]] == [str(row.pk)]
    assert told["expanded"]["alerts"] == [str(alert.pk)] != [str(other.pk)]
    assert client.get(f"{address}?expand=colour").status_code == 400
    assert client.get(f"{ALERTS}?expand=all").status_code == 400
    narrow = client_of("viewer", ["alerts:read"])
    refused(narrow.get(f"{address}?expand=alerts"), 403, "scope_lacks")


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
    numbering = str(AlertPublication.objects.get(sequence=1).pk)
    assert page == {"results": [], "next_since": since, "numbering": numbering, "latest": 5, "lag": 0}
    rows = [row for _, page in pages for row in page["results"]]
    assert [row["sequence"] for row in rows] == [1, 2, 3, 4, 5]
    assert [(row["version"], row["kind"]) for row in rows] == [(1, "new"), *((n, "update") for n in range(2, 6))]
    assert rows[0].keys() == {"sequence", "alert", "version", "kind", "published_at", "payload"}
    assert rows[0]["payload"]["title"] == "0" and rows[0]["alert"] == rows[0]["payload"]["alert"]
    for cursor, page in pages:
        assert client.get(FEED, {"since": cursor, "page_size": 2}).json() == page


def test_the_feed_does_not_hold_a_client_that_does_not_wait():
    assert client_of("viewer").get(FEED).json() == {
        "results": [],
        "next_since": "",
        "numbering": None,
        "latest": 0,
        "lag": 0,
    }


@pytest.mark.parametrize(
    "query",
    [
        "page_size=1001",
        "page_size=0",
        "wait=61",
        "wait=-1",
        "wait=1.5",
        "wait=²",
        "format=csv",
        "cursor=",
        "since=czE&since=czI",
        "since=czE&published_from=2024-03-01T20:00:00Z",
        "published_from=yesterday",
        "published_from=",
    ],
)
def test_what_the_feed_cannot_read_is_refused(query):
    answer = client_of("viewer").get(f"{FEED}?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


@pytest.mark.parametrize("cursor", ["x", "\0", "czE====é"])
def test_what_is_no_cursor_of_the_feed_is_told(cursor):
    assert "use `next_since`" in refused(client_of("viewer").get(FEED, {"since": cursor}), 404, "not_found")


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
    assert client.get(STREAM, headers={"Last-Event-ID": "x"}).status_code == 404


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


def test_a_cursor_of_another_numbering_is_409_with_what_to_do_for_every_way_of_reading():
    publish_alerts()
    client = client_of("viewer")
    end = packed(f"p1.{uuid7()}")
    for answer in (
        client.get(FEED, {"since": end}),
        client.get(FEED, {"since": end, "wait": 5}),
        client.get(FEED, {"since": packed("s2")}),
        client.get(STREAM, {"since": end}),
        client.get(STREAM, headers={"Last-Event-ID": end}),
    ):
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (409, "other_numbering")
        assert answer["Content-Type"] == "application/problem+json" and "X-Astrid-Hold" not in answer
        assert "published_from" in problem["detail"] and "skip the alerts that you have" in problem["detail"]


def test_the_stream_begins_at_a_time_and_goes_on_after_its_last_event():
    publish_alerts()
    publish_alerts()
    moment = AlertPublication.objects.get(sequence=2).published_at.isoformat()
    client = client_of("viewer")
    (event, _) = client.get(STREAM, {"published_from": moment}).content.decode().split("\n\n")
    assert '"sequence":2' in event
    cursor = event.splitlines()[0].removeprefix("id: ")
    assert client.get(STREAM, {"published_from": moment}, headers={"Last-Event-ID": cursor}).content == b""


def test_a_page_of_the_feed_that_has_not_changed_is_304_and_one_that_has_is_not():
    publish_alerts()
    client = client_of("viewer")
    first = client.get(FEED)
    again = client.get(FEED, headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    publish_alerts()
    after = client.get(FEED, headers={"If-None-Match": first["ETag"]})
    assert (after.status_code, len(after.json()["results"])) == (200, 2)
    end = {"since": after.json()["next_since"], "wait": 5}
    empty = client.get(FEED, end)
    held = client.get(FEED, end, headers={"If-None-Match": empty["ETag"]})
    assert (held.status_code, held["X-Astrid-Hold"]) == (304, "5"), "who waits for more is held all the same"


def test_who_judges_blind_reads_no_publication_that_tells_what_others_judged():
    set_value("curation.blind", True, MACHINE)
    told, silent = seen(), seen()
    judge(told, True)
    for row in (told, silent):
        consider(row.source)
    publish_pending()
    curator = [row["alert"] for row in client_of("curator").get("/api/v1/publications/").json()["results"]]
    viewer = [row["alert"] for row in client_of("viewer").get("/api/v1/publications/").json()["results"]]
    assert (len(curator), len(viewer)) == (1, 2)
    assert Alert.objects.get(pk=curator[0]).detection == silent


@pytest.mark.parametrize("name", ["source", "candidate", "cone", "mjd_utc__gte", "band"])
def test_alerts_are_found_by_what_they_tell_of(name):
    AlertFactory()
    frame = ObservationFactory(mjd_utc=80200.0, filter_band="g")
    candidate = CandidateFactory(difference_run__observation=frame)
    source = SourceFactory()
    detection = DetectionFactory(candidate=candidate, observation=frame, ra=10.0, dec=20.0, source=source)
    wanted = AlertFactory(detection=detection)
    given = {
        "source": source.pk, "candidate": candidate.pk, "cone": "10,20,5", "mjd_utc__gte": 80100, "band": "g",
    }[name]  # fmt: skip
    rows = client_of("viewer").get(ALERTS, {name: given}).json()["results"]
    assert [row["id"] for row in rows] == [str(wanted.pk)]


# --- A feed that is narrowed ---
def told_of(score: float, *, basis: str = "human", ra: float = 150.0, **more: object) -> Alert:
    facts = {"score": score, "basis": basis, "ra_deg": ra, "dec_deg": 2.0, "snr": -12.0, "mag": 17.0}
    return AlertFactory(alert_metadata=facts, **more)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [1, 2, 3, 4]),
        ("kind=update", [2]),
        ("priority=critical,high", [3]),
        ("score_min=0.5", [1, 3]),
        ("score_min=0.0", [1, 2, 3, 4]),
        ("cone=150,2,10", [1, 2, 3]),
        ("basis=human", [1, 2, 3]),
        ("snr_min=10&mag_max=18", [1, 2, 3, 4]),
        ("mag_max=16", []),
        ("score_min=0.5&priority=high", [3]),
    ],
)
def test_the_feed_is_narrowed_by_what_was_published(query: str, expected: list[int]):
    told_of(0.9)
    told_of(0.2, alert_type="update")
    told_of(0.8, priority="high")
    told_of(0.4, basis="automatic", ra=10.0)
    publish_pending()
    page = client_of("viewer").get(f"{FEED}?{query}").json()
    assert [row["sequence"] for row in page["results"]] == expected
    assert (page["latest"], page["lag"]) == (4, 0)


def test_who_narrows_the_feed_reads_on_where_little_fits(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(feed, "_MOST_LOOKED_AT", 2)
    for number in range(5):
        told_of(0.9 if number == 4 else 0.1)
    publish_pending()
    seen: list[int] = []
    client, since = client_of("viewer"), ""
    for _ in range(3):
        page = client.get(FEED, {"score_min": 0.5, "since": since, "wait": 30}).json()
        since, seen = page["next_since"], [*seen, *(row["sequence"] for row in page["results"])]
    assert (seen, page["lag"]) == ([5], 0)
    # A page that is full ends behind its last row, whatever was looked at.
    monkeypatch.setattr(feed, "_MOST_LOOKED_AT", 10)
    first = client.get(FEED, {"page_size": 2}).json()
    narrowed = client.get(FEED, {"page_size": 2, "mag_max": 20}).json()
    assert narrowed == first


def test_a_saved_filter_narrows_the_feed_where_alerts_tell_what_it_asks():
    told_of(0.9)
    told_of(0.2)
    publish_pending()
    own = SavedFilterFactory(query="score_min=0.5", is_shared=True)
    other = SavedFilterFactory(query="score_min=0.5&night_from=2024-01-01", is_shared=True)
    client = client_of("viewer")
    assert [row["sequence"] for row in client.get(FEED, {"filter": own.pk}).json()["results"]] == [1]
    answer = client.get(FEED, {"filter": other.pk})
    assert answer.status_code == 400 and "night from" in answer.json()["detail"]


@pytest.mark.parametrize("query", ["kind=other", "priority=", "cone=1,2", "score_min=2", "filter=x", "basis=automatic"])
def test_what_the_feed_cannot_be_narrowed_by_is_refused(query: str):
    assert client_of("viewer").get(f"{FEED}?{query}").status_code == 400


def test_the_versions_of_alerts_that_are_published_together_follow_each_other():
    source = SourceFactory()
    for _ in range(3):
        AlertFactory(detection=DetectionFactory(source=source))
    alone = AlertFactory(detection=DetectionFactory(source=None))
    publish_pending()
    AlertFactory(detection=DetectionFactory(source=source))
    publish_pending()
    versions = AlertPublication.objects.order_by("sequence").values_list("version", flat=True)
    assert list(versions) == [1, 2, 3, 1, 4]
    assert AuditLog.objects.get(action="publish_alert", entity_id=str(alone.pk)).new_values["version"] == 1
