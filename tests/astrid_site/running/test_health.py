"""Health means that something was done lately."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from catalog.models import Probe, ProcessingJob
from catalog.work import jobs, sweeper
from tests.factories import ProcessingJobFactory

pytestmark = pytest.mark.django_db
QUEUES = ("pipeline", "light", "training")


def test_without_any_answer_of_workers_it_serves_pages_and_is_not_ready(client):
    assert client.get("/healthz").json() == {"ok": True, "database": "ok"}
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["light"] == "no answer for a minute"
    assert answer["Cache-Control"].startswith("max-age=0")


def test_it_is_ready_when_each_queue_answered_within_the_minute_and_not_longer(client):
    for queue in QUEUES:
        sweeper.answer(queue)
    assert client.get("/readyz").json() == {
        "ok": True, "database": "ok", "migrations": "ok", **dict.fromkeys(QUEUES, "ok"),
    }  # fmt: skip
    Probe.objects.filter(queue="light").update(answered_at=timezone.now() - dt.timedelta(seconds=61))
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["light"]) == (503, "no answer for a minute")


def test_workers_amid_a_long_job_are_well_while_its_heart_beats(client):
    for queue in ("light", "training"):
        sweeper.answer(queue)
    job = jobs.claim(ProcessingJobFactory(job_type="difference"), "me")
    assert client.get("/readyz").json()["pipeline"] == "ok"
    ProcessingJob.objects.filter(pk=job.pk).update(heartbeat_at=timezone.now() - dt.timedelta(seconds=61))
    assert client.get("/readyz").json()["pipeline"] == "no answer for a minute"


def test_health_is_asked_and_not_told(client):
    assert client.post("/healthz").status_code == 405
