"""The bases of every model: a key, times, and who may see which rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any, ClassVar, Self
from uuid import UUID

from django.db import models
from django.utils import timezone

from catalog.hiding import Asking, hidden_from
from catalog.ids import uuid7

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

    @property
    def revision(self) -> str:
        """Return a text that is another one after each change of the row."""
        return f"{(self.updated_at - _EPOCH) // dt.timedelta(microseconds=1):x}"
