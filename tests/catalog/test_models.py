from __future__ import annotations

import math

import pytest
from django.contrib.auth.models import AnonymousUser, Group
from django.core.exceptions import ValidationError
from django.db import DatabaseError, IntegrityError, transaction

from catalog.failures import FailureCode, StageFailure
from catalog.models import AuditLog, JobStatus, ProcessingJob, SystemConfig, User
from catalog.people import audit
from tests.factories import ProcessingJobFactory, SurveyFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_an_account_has_a_time_ordered_key() -> None:
    user = User.objects.create_user("ada", password="a long enough phrase")
    assert user.pk.version == 7
    assert user.check_password("a long enough phrase")


def test_only_an_active_account_with_a_role_sees_rows() -> None:
    SurveyFactory()
    rows = SurveyFactory._meta.model.objects
    viewer, gone = UserFactory(), UserFactory(is_active=False)
    for account in (viewer, gone):
        account.groups.add(Group.objects.get(name="viewer"))
    assert rows.visible_to(viewer).count() == 1
    assert rows.visible_to(gone).count() == 0
    assert rows.visible_to(UserFactory()).count() == 0
    assert rows.visible_to(AnonymousUser()).count() == 0
    ProcessingJobFactory()
    assert AuditLog.objects.visible_to(viewer).count() == 0


def test_update_moves_the_time_of_the_last_change() -> None:
    job = ProcessingJobFactory()
    before = job.updated_at
    ProcessingJob.objects.filter(pk=job.pk).update(priority=3)
    job.refresh_from_db()
    assert job.updated_at > before


def test_the_same_work_waits_once_but_may_be_ordered_again_while_it_runs() -> None:
    job = ProcessingJobFactory(entity_id="1")
    with pytest.raises(IntegrityError, match="one_waiting"), transaction.atomic():
        ProcessingJobFactory(entity_id="1")
    ProcessingJob.objects.filter(pk=job.pk).update(status=JobStatus.RUNNING, owner="x", heartbeat_at=job.created_at)
    ProcessingJobFactory(entity_id="1")


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"status": "lost"}, "status_known"),
        ({"status": "running"}, "running_is_held"),
        ({"status": "failed"}, "status_reason"),
        ({"status": "failed", "failure_code": "clouded"}, "status_reason"),
        ({"status": "completed", "failure_code": "clouded"}, "status_clean"),
        ({"retry_count": 4, "max_retries": 3}, "retries"),
        ({"retry_count": -1}, "retry_count"),
        ({"max_retries": -1}, "max_retries"),
    ],
)
def test_the_database_refuses_an_impossible_job(values: dict[str, object], constraint: str) -> None:
    with pytest.raises(IntegrityError, match=constraint):
        ProcessingJobFactory(**values)


def test_an_audit_row_can_be_neither_changed_nor_deleted() -> None:
    row = audit.record(("observation", "1"), "retry")
    for change in (lambda: AuditLog.objects.update(action="other"), lambda: AuditLog.objects.all().delete()):
        with pytest.raises(DatabaseError, match="only ever added"), transaction.atomic():
            change()
    row.refresh_from_db()
    assert row.action == "retry"


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("detection.no_such_key", 1, "no configuration key"),
        ("detection.confidence_threshold", 1.5, "at most 1"),
        ("detection.confidence_threshold", "high", "must be a number"),
        ("detection.confidence_threshold", True, "must be a number"),
        ("detection.confidence_threshold", math.nan, "must be a number"),
        ("preprocessing.min_stars", 10.5, "whole number"),
        ("preprocessing.clip_cosmic_rays", 1, "true or false"),
    ],
)
def test_a_configuration_row_is_refused_with_its_reason(key: str, value: object, reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        SystemConfig(key=key, value=value).full_clean()


def test_a_failure_needs_a_sentence() -> None:
    with pytest.raises(ValueError, match="sentence"):
        StageFailure(FailureCode.CLOUDED, "")
