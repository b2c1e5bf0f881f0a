"""The pages of jobs, and what jobs and lines of the audit log bring from outside."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from catalog.models import AuditLog, JobAttempt, JobStatus, ProcessingJob
from catalog.people import audit
from observations.delivery.incoming import submit_url
from observations.delivery.ingest import Overrides
from tests.browsers import client_of
from tests.factories import ObservationFactory, ProcessingJobFactory, UserFactory

pytestmark = pytest.mark.django_db
HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(2)>'
ESCAPED = "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&gt;&lt;img src=x onerror=alert(2)&gt;"


def failed_job(**values):
    return ProcessingJobFactory(
        status=JobStatus.FAILED, failure_code="clouded", error_message="Too little light.", attempt=1, **values
    )


def attempt_of(job, **values):
    return JobAttempt.objects.create(job=job, attempt=1, owner="vm:1", started_at=timezone.now(), **values)


def text_of(client, name, *keys, **query):
    return client.get(reverse(name, args=keys), query).content.decode()


def test_jobs_are_narrowed_by_state_stage_queue_and_reason():
    client = client_of("viewer")
    failed_job(job_type="preprocess")
    ProcessingJobFactory(job_type="train")
    for query, shown in (
        ({"status": "failed"}, "preprocess"),
        ({"job_type": "train"}, "train"),
        ({"queue": "training"}, "train"),
        ({"failure_code": "clouded"}, "preprocess"),
    ):
        rows = client.get(reverse("catalog:jobs"), query).context["page"].rows
        assert [job.job_type for job in rows] == [shown]


def test_a_filter_that_cannot_be_read_shows_nothing_and_says_why():
    ProcessingJobFactory()
    answer = client_of("viewer").get(reverse("catalog:jobs"), {"status": "nonsense"})
    assert answer.context["page"].rows == []
    assert "nonsense is not one of the available choices" in answer.content.decode()


def test_a_list_of_jobs_takes_as_many_queries_for_fifty_as_for_two():
    client = client_of("operator")
    counts = []
    for number in (2, 48):
        for _ in range(number):
            ProcessingJobFactory(entity_id=str(ObservationFactory().pk))
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client.get(reverse("catalog:jobs"))
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_the_list_keeps_itself_up_to_date_on_its_first_page_only():
    client = client_of("viewer")
    for number in range(60):
        ProcessingJobFactory(entity_id=f"n{number}", status=JobStatus.COMPLETED)
    first = client.get(reverse("catalog:jobs"))
    assert "every 15s" in first.content.decode()
    second = client.get(reverse("catalog:jobs"), {"cursor": first.context["page"].next_cursor})
    assert "hx-get" not in second.content.decode()
    ProcessingJobFactory()
    assert "every 3s" in text_of(client, "catalog:jobs")


def test_what_asks_for_the_list_anew_gets_the_list_alone():
    text = client_of("viewer").get(reverse("catalog:jobs"), headers={"HX-Request": "true"}).content.decode()
    assert text.lstrip().startswith('<div id="jobs"')
    assert "<html" not in text


def test_logs_are_for_those_who_run_the_system():
    job = failed_job()
    attempt_of(job, log="the secret of the log")
    assert "the secret of the log" in text_of(client_of("operator"), "catalog:job", job.pk)
    viewed = text_of(client_of("viewer"), "catalog:job", job.pk)
    assert "the secret of the log" not in viewed
    assert "Too little light." in viewed
    assert "Try again" not in viewed


def test_an_operator_tries_a_job_again_and_the_audit_log_says_who():
    job = failed_job()
    client = client_of("operator", username="olga")
    answer = client.post(reverse("catalog:retry_job", args=[job.pk]), follow=True)
    assert "The job is waiting for a worker again." in answer.content.decode()
    assert ProcessingJob.objects.get().status == JobStatus.PENDING
    assert AuditLog.objects.filter(action="retry_job").values_list("user", flat=True)[0] == "olga"
    again = client.post(reverse("catalog:retry_job", args=[job.pk]), follow=True)
    assert "only a failed or cancelled job can be retried" in again.content.decode()


def test_an_operator_cancels_a_job_and_a_get_cancels_nothing():
    job = ProcessingJobFactory()
    client = client_of("operator")
    assert client.get(reverse("catalog:cancel_job", args=[job.pk])).status_code == 405
    assert ProcessingJob.objects.get().status == JobStatus.PENDING
    client.post(reverse("catalog:cancel_job", args=[job.pk]))
    assert ProcessingJob.objects.get().status == JobStatus.CANCELLED


def test_a_page_that_asks_anew_is_answered_only_when_something_changed():
    client, job = client_of("operator"), ProcessingJobFactory()
    revision = client.get(reverse("catalog:job", args=[job.pk])).context["revision"]
    ask = {"path": reverse("catalog:job", args=[job.pk]), "data": {"seen": revision}, "headers": {"HX-Request": "true"}}
    assert client.get(**ask).status_code == 204
    attempt = attempt_of(job)
    answer = client.get(**ask)
    assert "Attempt 1" in answer.content.decode()
    ask["data"]["seen"] = answer.context["revision"]
    assert client.get(**ask).status_code == 204
    JobAttempt.objects.filter(pk=attempt.pk).update(log="aligning")
    assert "aligning" in client.get(**ask).content.decode()


def test_a_job_says_which_jobs_of_its_workflow_it_waits_for():
    earlier = ProcessingJobFactory(job_type="register", workflow_id="night")
    job = ProcessingJobFactory(job_type="difference", workflow_id="night")
    ProcessingJobFactory(job_type="preprocess", workflow_id="another")
    client = client_of("viewer")
    assert client.get(reverse("catalog:job", args=[job.pk])).context["waits_for"] == ["register"]
    ProcessingJob.objects.filter(pk=earlier.pk).update(status=JobStatus.COMPLETED)
    assert client.get(reverse("catalog:job", args=[job.pk])).context["waits_for"] == []


def test_what_a_job_is_about_has_its_kind_and_name():
    row, job = submit_url("https://example.org/m31.fits", Overrides())
    text = text_of(client_of("viewer"), "catalog:job", job.pk)
    assert '<span class="quiet">incoming file</span>' in text
    assert "m31.fits" in text
    assert str(row.pk) not in text.partition("All its jobs")[0].rpartition("Target")[2].partition("<a ")[0]


def test_a_failure_that_tells_only_what_happened_comes_with_what_to_do():
    job = ProcessingJobFactory(status=JobStatus.FAILED, failure_code="out_of_memory", error_message="Killed.")
    assert "on a machine with more memory" in text_of(client_of("viewer"), "catalog:job", job.pk)


def test_text_that_came_from_outside_shows_as_text():
    frame = ObservationFactory(observation_id=HOSTILE[:60])
    job = failed_job(entity_type="observation", entity_id=str(frame.pk))
    ProcessingJob.objects.update(error_message=HOSTILE)
    attempt_of(job, log=HOSTILE + "\x1b[31m", error_message=HOSTILE)
    audit.record(frame, "reprocess", actor=audit.Actor(UserFactory()), new={"note": HOSTILE}, summary=HOSTILE)
    client = client_of("administrator")
    for text in (
        text_of(client, "catalog:jobs"),
        text_of(client, "catalog:job", job.pk),
        text_of(client, "catalog:audit"),
    ):
        assert ESCAPED in text
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert "\x1b" not in text
