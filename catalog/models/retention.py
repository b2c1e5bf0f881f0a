"""What retention took away: which files of which rows, and how far it has come."""

from __future__ import annotations

from collections.abc import Collection
from typing import Self
from uuid import UUID

from django.db import models
from django.db.models import Q

from catalog.hiding import files_outside
from catalog.models.records import Record, RecordQuerySet


class RemovedFileQuerySet(RecordQuerySet):
    """What is told of files that are gone."""

    def outside(self, surveys: Collection[UUID]) -> Self:
        """Return those of rows that are not hidden; what the keys mean others know."""
        return files_outside(self, surveys)


class RemovedFile(Record):
    """That the files of a row were removed by the retention that an administrator set; written before they go."""

    entity_type = models.CharField(max_length=32, help_text="Kind of the row whose files they were.")
    entity_id = models.UUIDField(help_text="Its key.")
    kept_days = models.PositiveIntegerField(help_text="How long they were to be kept.")
    size_bytes = models.PositiveBigIntegerField(null=True, blank=True, help_text="Of all of them; null if unknown.")
    removed_at = models.DateTimeField(null=True, blank=True, help_text="Null while they are being removed.")

    objects = RemovedFileQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["entity_type", "entity_id"], name="catalog_removedfile_once"),
        ]
        indexes = [
            models.Index(fields=["entity_type"], name="removedfile_begun", condition=Q(removed_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"files of {self.entity_type} {self.entity_id}"


class RetentionPass(Record):
    """How far one rule of retention has come with all rows, from the oldest to the newest."""

    rule = models.CharField(max_length=64, unique=True)
    begun_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True, help_text="Null while it is at work.")
    reached = models.UUIDField(null=True, blank=True, help_text="Key of the last row that was looked at.")
    removed_count = models.PositiveBigIntegerField(default=0, help_text="Rows or files that it removed.")
    removed_bytes = models.PositiveBigIntegerField(default=0)

    class Meta:
        ordering = ["rule"]
        verbose_name = "pass of retention"
        verbose_name_plural = "retention"

    def __str__(self) -> str:
        return self.rule
