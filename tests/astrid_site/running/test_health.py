"""Health means that alerts go out, jobs are taken up and workers answer; not that processes are up."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from astrid_site.running.health import health
from catalog.failures import FailureCode
from catalog.models import Probe, ProcessingJob
from catalog.work import jobs, sweeper
from curation.alerts.publishing import publish_pending
from curation.models import Alert
from tests.factories import AlertFactory, ProcessingJobFactory

pytestmark = pytest.mark.django_db
QUEUES = ("pipeline", "light", "downloads", "deliveries", "training")


@pytest.fixture
def answering() -> None:
    """Let the workers of every queue have answered just now."""
    for queue in QUEUES:
        sweeper.answer(queue)


def ago(seconds: float) -> dt.datetime:
    return timezone.now() - dt.timedelta(seconds=seconds)


def ready(client: Any, name: str) -> tuple[int, str]:
    answer = client.get("/readyz")
    return answer.status_code, answer.json()[name]


def test_without_any_answer_of_workers_it_serves_pages_and_is_not_ready(client):
    assert client.get("/healthz").json() == {"ok": True, "database": "ok"}
    assert ready(client, "light") == (503, "no worker has ever responded")
    assert client.get("/readyz")["Cache-Control"].startswith("max-age=0")


@pytest.mark.usefixtures("answering")
def test_it_is_ready_while_every_queue_answers_and_says_how_long_ago(client):
    answer = client.get("/readyz").json()
    ages = answer.pop("ages_s")
    assert answer.pop("paused") == {"ingest": None, "publishing": None}
    assert answer == {
        "ok": True, "database": "ok", "migrations": "ok", "alerts": "ok", **dict.fromkeys(QUEUES, "ok"),
    }  # fmt: skip
    assert ages["oldest_unpublished_alert"] is None
    assert [ages[queue]["oldest_waiting_job"] for queue in QUEUES] == [None] * len(QUEUES)
    assert all(ages[queue]["last_probe"] >= 0.0 for queue in QUEUES)


@pytest.mark.usefixtures("answering")
def test_a_queue_that_was_last_heard_of_before_the_limit_is_not_well(client, settings):
    Probe.objects.filter(queue="light").update(answered_at=ago(settings.HEALTH_PROBE_SECONDS + 3600))
    assert ready(client, "light") == (503, "no response for 1 h")
    settings.HEALTH_PROBE_SECONDS = 86400.0
    assert ready(client, "light") == (200, "ok")


@pytest.mark.usefixtures("answering")
def test_workers_amid_a_long_job_are_well_while_its_heart_beats(client, settings):
    Probe.objects.filter(queue="pipeline").update(answered_at=ago(7200))
    job = jobs.claim(ProcessingJobFactory(job_type="difference"), "me")
    assert ready(client, "pipeline") == (200, "ok")
    ProcessingJob.objects.filter(pk=job.pk).update(heartbeat_at=ago(settings.HEALTH_PROBE_SECONDS + 60))
    assert ready(client, "pipeline") == (503, "no response for 2 h")


@pytest.mark.usefixtures("answering")
def test_an_alert_that_nobody_publishes_is_told_while_all_workers_answer(client, settings):
    alert = AlertFactory()
    assert ready(client, "alerts") == (200, "ok")
    Alert.objects.filter(pk=alert.pk).update(created_at=ago(settings.HEALTH_ALERT_SECONDS + 240))
    assert ready(client, "alerts") == (503, "an alert has been waiting to be published for 4 min")
    assert client.get("/readyz").json()["ages_s"]["oldest_unpublished_alert"] >= settings.HEALTH_ALERT_SECONDS + 240
    publish_pending()
    assert ready(client, "alerts") == (200, "ok")


@pytest.mark.usefixtures("answering")
def test_an_alert_that_was_cancelled_is_not_waited_for(client):
    alert = AlertFactory(status="cancelled")
    Alert.objects.filter(pk=alert.pk).update(created_at=ago(7200))
    assert ready(client, "alerts") == (200, "ok")


@pytest.mark.usefixtures("answering")
@pytest.mark.parametrize(
    ("queue", "job_type"), [("pipeline", "preprocess"), ("light", "receive"), ("downloads", "download")]
)
def test_a_job_that_could_run_and_that_nobody_takes_up_is_told_of_its_queue(client, settings, queue, job_type):
    most = settings.HEALTH_WAIT_SECONDS[queue]
    job = ProcessingJobFactory(job_type=job_type, scheduled_at=ago(most / 2))
    assert ready(client, queue) == (200, "ok")
    ProcessingJob.objects.filter(pk=job.pk).update(scheduled_at=ago(most + 7200))
    status, state = ready(client, queue)
    assert status == 503
    assert state.startswith("a job has been waiting for ") and state.endswith(" h, and none is being picked up")
    assert {name for name in QUEUES if client.get("/readyz").json()[name] != "ok"} == {queue}


@pytest.mark.usefixtures("answering")
def test_a_long_line_that_gets_shorter_is_no_fault(client, settings):
    most = settings.HEALTH_WAIT_SECONDS["pipeline"]
    ProcessingJobFactory(job_type="preprocess", scheduled_at=ago(most + 7200))
    done = jobs.claim(ProcessingJobFactory(job_type="register"), "me")
    jobs.fail(done, FailureCode.CLOUDED, "Cloud.")
    assert ready(client, "pipeline") == (200, "ok")
    ProcessingJob.objects.filter(pk=done.pk).update(started_at=ago(most + 3600))
    assert ready(client, "pipeline")[0] == 503


@pytest.mark.usefixtures("answering")
def test_what_waits_for_its_time_or_for_earlier_stages_could_not_run(client):
    ProcessingJobFactory(job_type="preprocess", scheduled_at=timezone.now() + dt.timedelta(hours=1))
    jobs.claim(ProcessingJobFactory(job_type="masters", workflow_id="w"), "me")
    ProcessingJobFactory(job_type="preprocess", workflow_id="w", scheduled_at=ago(86400))
    assert ready(client, "pipeline") == (200, "ok")
    assert health().queues[0].waiting_s is None


@pytest.mark.usefixtures("answering")
def test_it_asks_the_same_few_questions_however_much_there_is(client, django_assert_max_num_queries):
    for _ in range(5):
        AlertFactory()
        ProcessingJobFactory(job_type="preprocess")
    with django_assert_max_num_queries(6):
        health()


def test_health_is_asked_and_not_told(client):
    assert client.post("/healthz").status_code == 405
