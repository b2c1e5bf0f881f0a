"""The bases of every model: a key, the times of its making and last change, and who may read it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any, ClassVar, Self
from uuid import UUID

from django.contrib.auth.models import AbstractUser, AnonymousUser
from django.db import models
from django.db.models.base import ModelState
from django.utils import timezone

from catalog import constraints
from catalog.failures import failure_code_choices
from catalog.hiding import Asking, hidden_from
from catalog.ids import uuid7

# Who sends a request: somebody with an account, or anybody.
Visitor = AbstractUser | AnonymousUser
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class RecordQuerySet(models.QuerySet[Any]):
    """Questions that every model answers."""

    def visible_to(self, user: Asking) -> Self:
        """Return what this person may read: nothing for roles that may not view the model, else all that is of a survey
        which is not hidden from them, and what is of none.

        Every door asks here: pages, clients, exports and the admin.
        """
        names = self.model._meta
        if not user.has_perm(f"{names.app_label}.view_{names.model_name}"):
            return self.none()
        return self.not_hidden_from(user)

    def not_hidden_from(self, user: Asking) -> Self:
        """Return what is of no survey that is hidden from a person, whatever their role: for what they own or ask by
        another row that they may read."""
        hidden = hidden_from(user)
        # Where no survey names groups the query is the one that it always was.
        return self.outside(hidden) if hidden else self

    def outside(self, surveys: Collection[UUID]) -> Self:
        """Return what is not hidden with some surveys, by the model's way to its survey; all that is of none."""
        way = self.model.way_to_survey
        return self.exclude(**{f"{way}__in": surveys}) if way else self

    def update(self, **values: object) -> int:
        """Update rows and their `updated_at`, which would otherwise state a time before the change."""
        if "updated_at" not in values:
            values["updated_at"] = timezone.now()
        return super().update(**values)


class Record(models.Model):
    """A row with a time-ordered key and the times of its making and last change."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = RecordQuerySet.as_manager()

    # Where the key of the survey stands that a row is of, as a filter names it; "" where it is of none.
    way_to_survey: ClassVar[str] = ""

    class Meta:
        abstract = True

    @classmethod
    def from_db(cls, db: str | None, field_names: Collection[str], values: Collection[object], **_: object) -> Self:
        """Return a row that was read, without the setting of its fields one by one: a third of what a list costs.

        Nothing here listens to the making of rows, and no field wants more than its value among those of the row.
        """
        state = ModelState()
        state.adding, state.db = False, db
        row = cls.__new__(cls)
        vars(row).update(zip(field_names, values, strict=True), _state=state)
        return row

    @property
    def revision(self) -> str:
        """Return a text that is another one after each change of the row."""
        return f"{(self.updated_at - _EPOCH) // dt.timedelta(microseconds=1):x}"


class RunStatus(models.TextChoices):
    """States of one run of one stage."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


class RunQuerySet(RecordQuerySet):
    """Questions about the runs of a stage."""

    def completed(self) -> Self:
        return self.filter(status=RunStatus.COMPLETED)

    def open(self) -> Self:
        """Return what is at work or waits."""
        return self.filter(status__in=(RunStatus.PENDING, RunStatus.RUNNING))

    def newest_first(self) -> Self:
        """Order completed runs; later stages work with the first."""
        return self.order_by("-completed_at", "-id")

    def newest_of_each(self) -> Self:
        """Return the newest completed run of each observation that has one."""
        return self.completed().order_by("observation_id", "-completed_at", "-id").distinct("observation_id")

    def give_up(self, code: str, sentence: str) -> int:
        """Close what is open as failed, with the reason."""
        ended = timezone.now()
        return self.open().update(
            status=RunStatus.FAILED, completed_at=ended, failure_code=code, error_message=sentence
        )


class Run(Record):
    """One run of a stage on one unit of work."""

    status = models.CharField(max_length=16, choices=RunStatus, default=RunStatus.PENDING)
    started_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)
    failure_code = models.CharField(max_length=40, choices=failure_code_choices, blank=True)
    error_message = models.TextField(blank=True)
    config_hash = models.CharField(max_length=64, blank=True, help_text="Hash of the one configuration it used.")

    objects = RunQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        abstract = True
        constraints = [
            constraints.one_of("status", RunStatus),
            constraints.reason_when_failed(),
            constraints.no_reason_when_completed(),
        ]

    def begin(self) -> None:
        """Say, unsaved, that it is at work."""
        self.status, self.started_at, self.completed_at = RunStatus.RUNNING, timezone.now(), None
        self.failure_code = self.error_message = ""

    def complete(self) -> None:
        """Say, unsaved, that it is done."""
        self.status, self.completed_at = RunStatus.COMPLETED, timezone.now()
