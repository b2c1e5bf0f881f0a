"""Jobs for clients."""

from __future__ import annotations

import pytest

from catalog.models import AuditLog, ProcessingJob
from tests.clients import client_of, refused
from tests.factories import ProcessingJobFactory

pytestmark = pytest.mark.django_db
JOBS = "/api/v1/processing-jobs/"


def test_a_failed_job_is_tried_again_and_the_line_says_by_whom():
    client = client_of("operator")
    job = ProcessingJobFactory(status="failed", failure_code="clouded", error_message="Too little light.")
    answer = client.post(f"{JOBS}{job.pk}/retry/")
    assert (answer.status_code, answer.json()["status"]) == (200, "pending")
    assert AuditLog.objects.get(action="retry_job").user
    assert "pending: only a failed" in refused(client.post(f"{JOBS}{job.pk}/retry/"), 409, "not_possible")


def test_a_waiting_job_is_cancelled_once():
    client = client_of("operator")
    job = ProcessingJobFactory()
    assert client.post(f"{JOBS}{job.pk}/cancel/").json()["status"] == "cancelled"
    refused(client.post(f"{JOBS}{job.pk}/cancel/"), 409, "not_possible")
    assert ProcessingJob.objects.get().status == "cancelled"


def test_processes_and_tracebacks_are_for_those_who_run_the_system():
    job = ProcessingJobFactory(owner="host:1", error_details={"traceback": "File /srv/astrid"})
    row = client_of("viewer").get(f"{JOBS}{job.pk}/").json()
    assert (row["owner"], row["error_details"]) == (None, None)
    row = client_of("operator").get(f"{JOBS}{job.pk}/").json()
    assert (row["owner"], row["error_details"]) == ("host:1", {"traceback": "File /srv/astrid"})
