"""What is known of instruments better than their headers say."""

from __future__ import annotations

from typing import Self

from django.db import models

from catalog import constraints
from catalog.models import Record, RecordQuerySet


class ProfileQuerySet(RecordQuerySet):
    """Which profiles count, and in which order."""

    def in_order(self) -> Self:
        """Return what is in use, first what counts first."""
        return self.filter(is_active=True).order_by("-precedence", "name")


class InstrumentProfile(Record):
    """Rules that give or correct facts of one instrument's frames; of those that fit, the first counts.

    Every change is a line in the audit log, and a revision; a frame knows by which it was read.
    """

    name = models.CharField(max_length=100, unique=True)
    description = models.TextField(blank=True, help_text="How it is known: a manual, a test, a letter.")
    is_active = models.BooleanField(default=True)
    precedence = models.SmallIntegerField(default=0, help_text="Of profiles that fit a frame, the highest counts.")
    matches = models.JSONField(
        default=dict, help_text='Header keywords and patterns that all must fit: {"INSTRUME": "ZWO*"}.'
    )
    rules = models.JSONField(default=dict, help_text="What it gives; see docs/frames.md for all rules.")
    rules_revision = models.PositiveIntegerField(default=1, editable=False)

    objects = ProfileQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        ordering = ["-precedence", "name"]
        constraints = [constraints.at_least("rules_revision", 1)]

    def __str__(self) -> str:
        return self.name
