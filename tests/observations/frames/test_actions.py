from __future__ import annotations

import pytest

from catalog.failures import NotPossible
from catalog.models import AuditLog, JobStatus, ProcessingJob
from catalog.people import audit
from catalog.work import jobs
from observations.frames import actions
from observations.models import Observation
from tests.factories import ObservationFactory, ProcessingJobFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def actor() -> audit.Actor:
    return audit.Actor(UserFactory(username="ada"), "192.0.2.7", "browser")


def status_of(frame: Observation) -> str:
    return Observation.objects.values_list("status", flat=True).get(pk=frame.pk)


def test_reprocessing_orders_the_first_stage_in_a_workflow_of_its_own(actor: audit.Actor):
    frame = ObservationFactory(status="differenced")
    job = actions.reprocess(frame, actor)
    other = actions.reprocess(ObservationFactory(), actor)
    assert (job.job_type, job.entity_type, job.entity_id) == ("preprocess", "observation", str(frame.pk))
    assert job.workflow_id and job.workflow_id != other.workflow_id
    line = AuditLog.objects.get(entity_id=str(frame.pk))
    assert (line.user, line.action, line.new_values) == ("ada", "reprocess_observation", {"job": str(job.pk)})


def test_an_archived_frame_returns_to_the_status_that_it_had(actor: audit.Actor):
    frame = ObservationFactory(status="failed", failure_code="clouded", error_message="Too little light.")
    actions.archive(frame, actor)
    assert status_of(frame) == "archived"
    actions.take_back(frame, actor)
    frame.refresh_from_db()
    assert (frame.status, frame.failure_code) == ("failed", "clouded")
    written = AuditLog.objects.order_by("id").values_list("action", "old_values", "new_values")
    assert list(written) == [
        ("archive_observation", {"status": "failed"}, {"status": "archived"}),
        ("take_back_observation", {"status": "archived"}, {"status": "failed"}),
    ]


def test_of_several_times_in_the_archive_the_last_one_decides(actor: audit.Actor):
    frame = ObservationFactory(status="ingested")
    actions.archive(frame, actor)
    actions.take_back(frame, actor)
    Observation.objects.filter(pk=frame.pk).update(status="differenced")
    actions.archive(frame, actor)
    assert actions.take_back(frame, actor).status == "differenced"


@pytest.mark.parametrize("status", [JobStatus.PENDING, JobStatus.RUNNING])
def test_a_frame_that_is_worked_on_is_not_archived(actor: audit.Actor, status: str):
    frame = ObservationFactory()
    job = jobs.enqueue("preprocess", "observation", frame.pk)
    if status == JobStatus.RUNNING:
        jobs.claim(job, "worker")
    with pytest.raises(NotPossible, match="cancel"):
        actions.archive(frame, actor)
    assert status_of(frame) == "ingested"
    jobs.cancel(job, actor)
    actions.archive(frame, actor)
    assert status_of(frame) == "archived"


def test_work_on_another_frame_is_in_nobodys_way(actor: audit.Actor):
    frame = ObservationFactory()
    ProcessingJobFactory(entity_id=str(ObservationFactory().pk))
    assert actions.archive(frame, actor).status == "archived"


def test_what_the_state_does_not_allow_is_refused_and_leaves_nothing(actor: audit.Actor):
    frame, archived = ObservationFactory(), ObservationFactory(status="archived")
    for act, row in ((actions.take_back, frame), (actions.archive, archived), (actions.reprocess, archived)):
        with pytest.raises(NotPossible):
            act(row, actor)
    assert not ProcessingJob.objects.exists()
    assert not AuditLog.objects.exists()
