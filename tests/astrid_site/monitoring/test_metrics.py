"""What Prometheus reads, by its own parser, and who may ask for it."""

from __future__ import annotations

import datetime as dt
from ipaddress import ip_network
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from astrid_site.monitoring import figures
from catalog.chain import sealing
from catalog.failures import FailureCode
from catalog.models import ProcessingJob
from catalog.people import audit
from catalog.work import jobs, sweeper
from curation.alerts.publishing import publish_pending
from curation.models import Alert, AlertPublication, DeliveryStatus
from tests.factories import (
    AlertFactory,
    DeliveryFactory,
    DetectionFactory,
    ObservationFactory,
    ProcessingJobFactory,
)

pytestmark = pytest.mark.django_db
Samples = dict[tuple[str, str], float]


def scrape(client: Any) -> Samples:
    """Return the value of each sample by its name and its labels' values."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    families = list(text_string_to_metric_families(answer.content.decode()))
    assert all(family.name.startswith("astrid_") and family.documentation for family in families)
    return {(sample.name, " ".join(sample.labels.values())): sample.value for f in families for sample in f.samples}


def ago(seconds: float) -> dt.datetime:
    return timezone.now() - dt.timedelta(seconds=seconds)


def through(night: dt.date, seconds_ago: float, status: str = "differenced") -> ProcessingJob:
    """Return the last job of a frame that came through so long ago."""
    frame = ObservationFactory(night=night, status=status)
    return ProcessingJobFactory(
        job_type="difference", entity_type="observation", entity_id=str(frame.pk), status="completed",
        completed_at=ago(seconds_ago),
    )  # fmt: skip


def test_rows_are_told_as_they_are(client):
    AlertFactory()
    publish_pending()
    assert scrape(client)["astrid_alerts_published_total", ""] == AlertPublication.objects.count() == 1
    late = AlertFactory()
    Alert.objects.filter(pk=late.pk).update(created_at=ago(240))
    ProcessingJobFactory(job_type="preprocess", scheduled_at=ago(120))
    ProcessingJobFactory(job_type="preprocess", scheduled_at=ago(60))
    jobs.claim(ProcessingJobFactory(job_type="download"), "me")
    failed = jobs.claim(ProcessingJobFactory(job_type="train"), "me")
    jobs.fail(failed, FailureCode.TIMED_OUT, "Too long.")
    DeliveryFactory(status=DeliveryStatus.DEAD)
    sweeper.answer("light")
    before = scrape(client)["astrid_detections_awaiting_review", ""]
    DetectionFactory(status="pending")
    found = scrape(client)
    assert 240 <= found["astrid_alert_oldest_unpublished_seconds", ""] < 300
    assert (found["astrid_jobs", "pipeline pending"], found["astrid_jobs", "downloads running"]) == (2, 1)
    assert found["astrid_jobs", "training failed"] == 1
    assert 120 <= found["astrid_job_oldest_runnable_seconds", "pipeline"] < 180
    assert found["astrid_job_oldest_runnable_seconds", "light"] == 0
    assert (found["astrid_deliveries", "dead"], found["astrid_deliveries", "waiting"]) == (1, 0)
    assert found["astrid_detections_awaiting_review", ""] == before + 1
    assert found["astrid_database_size_bytes", ""] > 1e6
    assert found["astrid_data_root_free_bytes", ""] > 0
    assert found["astrid_probe_age_seconds", "light"] < 60


def test_what_is_not_known_has_no_sample(client):
    found = scrape(client)
    assert ("astrid_probe_age_seconds", "light") not in found
    assert ("astrid_night_frames_per_hour", "") not in found
    assert not [name for name, _ in found if name == "astrid_night_frames"]


def test_a_planted_fault_is_seen_and_its_end_too(client, settings):
    for queue in settings.QUEUES:
        sweeper.answer(queue)
    assert scrape(client)["astrid_healthy", ""] == 1
    job = ProcessingJobFactory(job_type="receive", scheduled_at=ago(settings.HEALTH_WAIT_SECONDS["light"] + 60))
    found = scrape(client)
    assert (found["astrid_healthy", ""], found["astrid_queue_healthy", "light"]) == (0, 0)
    assert found["astrid_queue_healthy", "pipeline"] == 1
    jobs.claim(job, "me")
    assert scrape(client)["astrid_healthy", ""] == 1


def test_the_throughput_is_that_of_the_time_at_work(client, settings):
    settings.HEALTH_WAIT_SECONDS = {**settings.HEALTH_WAIT_SECONDS, "pipeline": 900.0}
    night = dt.date(2031, 3, 1)
    through(dt.date(2031, 2, 1), 0)
    for seconds in (50_000, 49_940, 49_880):
        through(night, seconds)
    # After a pause of hours; one frame has yet to be detected on.
    busy = through(night, 60, "preprocessed")
    ProcessingJobFactory(job_type="detect", entity_type="observation", entity_id=busy.entity_id)
    found = scrape(client)
    assert found["astrid_night_frames_per_hour", ""] == pytest.approx(60.0, rel=1e-3)
    assert (found["astrid_night_frames", "differenced"], found["astrid_night_frames", "preprocessed"]) == (3, 1)


def test_lines_without_a_seal_are_counted_until_they_are_sealed(client):
    sealing.seal(everything=True)
    assert scrape(client)["astrid_audit_unsealed_lines", ""] == 0
    audit.record(ProcessingJobFactory(), "retry_job")
    assert scrape(client)["astrid_audit_unsealed_lines", ""] == 1
    sealing.seal()
    assert scrape(client)["astrid_audit_unsealed_lines", ""] == 0


def test_it_asks_the_same_few_questions_however_much_there_is(client, django_assert_max_num_queries):
    for number in range(5):
        AlertFactory()
        ProcessingJobFactory(job_type="preprocess")
        through(dt.date(2031, 3, 1), 60 * number)
    with django_assert_max_num_queries(12):
        client.get("/metrics")


@pytest.mark.parametrize(
    ("address", "forwarded", "proxies", "status"),
    [
        ("127.0.0.1", "", 0, 200),
        ("::1", "", 0, 200),
        ("::ffff:127.0.0.1", "", 0, 200),
        ("10.1.2.3", "", 0, 404),
        ("", "", 0, 404),
        # By a proxy on this machine that nobody trusts: from anywhere.
        ("127.0.0.1", "203.0.113.9", 0, 404),
        ("127.0.0.1", "203.0.113.9", 1, 404),
        ("127.0.0.1", "127.0.0.1, 203.0.113.9", 1, 404),
        ("127.0.0.1", "192.0.2.7", 1, 200),
        ("127.0.0.1", "192.0.2.7", 2, 404),
    ],
)
def test_only_addresses_that_are_allowed_are_answered(client, settings, address, forwarded, proxies, status):
    settings.ASTRID_TRUSTED_PROXIES = proxies
    settings.ASTRID_METRICS_FROM = [*settings.ASTRID_METRICS_FROM, ip_network("192.0.2.0/24")]
    told = {"HTTP_X_FORWARDED_FOR": forwarded} if forwarded else {}
    answer = client.get("/metrics", REMOTE_ADDR=address, **told)
    assert answer.status_code == status
    if status == 404:
        other = client.get("/no-such-page", REMOTE_ADDR=address, **told)
        assert [row.name for row in answer.templates] == [row.name for row in other.templates]
        assert b"etric" not in answer.content.replace(b"/metrics", b"")


def test_it_is_asked_without_https_and_by_any_name_of_the_host(client, settings):
    settings.SECURE_SSL_REDIRECT, settings.ALLOWED_HOSTS = True, ["astrid.example.org"]
    assert client.get("/metrics", HTTP_HOST="astrid.example.org").status_code == 200
    assert client.get("/healthz", HTTP_HOST="astrid.example.org").status_code == 301


def test_a_database_that_is_away_is_no_fault_of_the_program(client, monkeypatch):
    def refuse() -> None:
        raise OperationalError("gone")

    monkeypatch.setattr("astrid_site.monitoring.metrics.figures", refuse)
    assert client.get("/metrics").status_code == 503


def test_counts_of_a_state_end_at_the_most_that_is_told(client, monkeypatch):
    assert f"LIMIT {figures.MOST}" in figures._JOBS
    for name in ("_JOBS", "_SINGLE"):
        monkeypatch.setattr(figures, name, getattr(figures, name).replace(f"LIMIT {figures.MOST}", "LIMIT 2"))
    for _ in range(3):
        ProcessingJobFactory(job_type="preprocess")
        DetectionFactory(status="pending")
    found = scrape(client)
    assert (found["astrid_jobs", "pipeline pending"], found["astrid_detections_awaiting_review", ""]) == (2, 2)
