"""The first page: tonight at a glance, for each role, kept up to date."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog import counting
from catalog.models import JobStatus, Probe, ProcessingJob
from catalog.work import sweeper
from detection.models import Detection
from tests.browsers import staff_of
from tests.factories import AlertFactory, DetectionFactory, ObservationFactory, ProcessingJobFactory, SourceFactory

pytestmark = pytest.mark.django_db
NIGHT = dt.date(2024, 3, 9)


def text_of(client: Client) -> str:
    body = client.get("/").content.decode().split("<main", 1)[1]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", body))


def asked_again(client: Client) -> Any:
    """Return what the page gets that asks with what it has."""
    html = client.get("/").content.decode()
    seen = dict(re.findall(r'<input type="hidden" name="(\w+)" value="(\w+)" data-version>', html))
    return lambda: client.get("/", seen, headers={"HX-Request": "true"})


def test_an_empty_site_says_what_to_do_first():
    assert "Upload FITS frames" in text_of(staff_of("operator"))
    assert "as soon as an operator uploads them" in text_of(staff_of("viewer"))


def test_the_newest_nights_frames_are_counted_by_state_with_a_way_to_them():
    for status, count in (("differenced", 3), ("ingested", 1)):
        for _ in range(count):
            ObservationFactory(night=NIGHT, status=status)
    ObservationFactory(night=NIGHT - dt.timedelta(days=1), status="archived")
    client = staff_of("viewer")
    assert "Night of 2024-03-09 1 ingested 3 differenced" in text_of(client)
    html = client.get("/").content.decode()
    assert "/observations/?night_from=2024-03-09&amp;night_to=2024-03-09&amp;status=differenced" in html


def test_each_role_is_shown_its_next_step():
    DetectionFactory()
    pages = {role: staff_of(role).get("/").content.decode() for role in ("viewer", "curator", "operator")}
    assert ["begin-triage" in pages[role] for role in ("viewer", "curator", "operator")] == [False, True, False]
    assert ["upload-frames" in pages[role] for role in ("viewer", "curator", "operator")] == [False, False, True]
    assert "the best detections" in pages["viewer"]
    assert "1 detection awaiting review" in text_of(staff_of("curator"))


def test_what_waits_is_told_by_detection_and_by_object_also_while_somebody_looks_at_it():
    source = SourceFactory()
    for status in ("pending", "validating"):
        DetectionFactory(source=source, status=status)
    assert "2 detections awaiting review (1 object)" in text_of(staff_of("curator"))


def test_a_long_backlog_is_told_as_more_and_never_counted(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(counting, "MOST_COUNTED", 2)
    for _ in range(2):
        DetectionFactory()
    client = staff_of("curator")
    assert "2 detections awaiting review" in text_of(client)
    DetectionFactory()
    assert "more than 2 detections awaiting review" in text_of(client)


def test_the_oldest_that_waits_is_told_and_nothing_where_all_was_looked_at():
    row = DetectionFactory()
    Detection.objects.filter(pk=row.pk).update(created_at=timezone.now() - dt.timedelta(days=3, hours=1))
    client = staff_of("viewer")
    assert "the oldest found 3 d ago" in text_of(client)
    Detection.objects.update(status="validated")
    assert "every detection has been reviewed" in text_of(client)


def test_failures_of_the_last_days_are_told_with_their_reason():
    ObservationFactory()
    failed = {"status": JobStatus.FAILED, "failure_code": "clouded"}
    ProcessingJobFactory(job_type="preprocess", error_message="Too <b>little</b> light.", **failed)
    old = ProcessingJobFactory(error_message="Long ago.", **failed)
    ProcessingJob.objects.filter(pk=old.pk).update(created_at=timezone.now() - dt.timedelta(days=9))
    client = staff_of("viewer")
    text = text_of(client)
    assert "1 failed in the last 3 days" in text
    assert "Long ago." not in text
    assert "Too &lt;b&gt;little&lt;/b&gt; light." in client.get("/").content.decode()


def test_whether_workers_answer_is_shown_to_those_who_run_them(settings):
    operator, viewer = staff_of("operator"), staff_of("viewer")
    for queue in settings.QUEUES:
        assert f"No {queue} worker has ever responded: its jobs will not run until" in text_of(operator)
        sweeper.answer(queue)
    assert " worker has " not in text_of(viewer)
    text = text_of(operator)
    assert " worker has " not in text
    assert "alerts are published, jobs are picked up, all workers respond" in text
    Probe.objects.update(answered_at=timezone.now() - dt.timedelta(hours=2))
    assert "No downloads worker has responded for 2 h" in text_of(operator)


def test_an_alert_and_a_job_that_wait_too_long_are_told_in_words_while_all_workers_answer(settings):
    operator, viewer = staff_of("operator"), staff_of("viewer")
    for queue in settings.QUEUES:
        sweeper.answer(queue)
    long_ago = timezone.now() - dt.timedelta(hours=30)
    alert = AlertFactory()
    type(alert).objects.filter(pk=alert.pk).update(created_at=long_ago)
    ProcessingJobFactory(job_type="download", scheduled_at=long_ago)
    text = text_of(operator)
    assert "An alert has been waiting to be published for 1 d" in text
    assert "A downloads job has been waiting for 1 d, and the workers are not picking up any" in text
    assert "all workers respond" not in text
    assert "has been waiting" not in text_of(viewer)


def test_the_latest_alerts_are_shown_and_a_fresh_one_is_marked():
    old = AlertFactory(title="An old one")
    type(old).objects.filter(pk=old.pk).update(created_at=timezone.now() - dt.timedelta(hours=3))
    AlertFactory(title="A fresh one")
    text = text_of(staff_of("viewer")).split("Latest alerts")[1]
    assert text.index("A fresh one just in New") < text.index("An old one New · medium · 3 h ago")


def test_the_page_asks_again_and_gets_only_what_changed():
    row = DetectionFactory(status="validated")
    ask = asked_again(staff_of("curator"))
    unchanged = ask()
    assert (unchanged.status_code, unchanged.content) == (204, b"")
    AlertFactory(title="A fresh one", detection=row)
    html = ask().content.decode()
    assert re.findall(r'id="(\w+)" hx-swap-oob', html) == ["alerts"]
    assert "A fresh one" in html
    assert "<main" not in html
    Detection.objects.update(status="pending")
    assert re.findall(r'id="(\w+)" hx-swap-oob', ask().content.decode()) == ["next", "backlog", "alerts"]


def test_a_stranger_who_asks_again_is_sent_to_the_log_in():
    answer = Client().get("/", headers={"HX-Request": "true"})
    assert (answer.status_code, answer["Location"].split("?")[0]) == (302, "/accounts/login/")


def test_the_page_is_never_kept_and_differs_for_its_own_script():
    answer = staff_of("viewer").get("/")
    assert "no-store" in answer["Cache-Control"]
    assert "HX-Request" in answer["Vary"]


def test_the_page_asks_little_and_counts_no_large_table_to_its_end():
    client = staff_of("operator")
    for _ in range(2):
        for _ in range(8):
            AlertFactory()
            ProcessingJobFactory(status=JobStatus.FAILED, failure_code="clouded", error_message="Clouds.")
        with CaptureQueriesContext(connection) as asked:
            client.get("/")
        assert len(asked) <= 20
        large = ("detection_detection", "catalog_processingjob", "curation_alert")
        counts = [query["sql"] for query in asked if "COUNT(" in query["sql"] and any(t in query["sql"] for t in large)]
        assert len(counts) == 3
        assert all("LIMIT" in sql for sql in counts)
