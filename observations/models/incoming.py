"""Files on their way in."""

from __future__ import annotations

from collections.abc import Collection
from typing import Self
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import Exists, Q

from catalog import constraints
from catalog.models import Record, RecordQuerySet
from observations.models.surveys import LOCAL_SURVEY, Survey


class IncomingRoute(models.TextChoices):
    """How a file comes in by itself or by a client; what a command takes in needs no row of these."""

    URL = "url", "address"
    UPLOAD = "upload"
    DIRECTORY = "directory", "watched folder"


class IncomingQuerySet(RecordQuerySet):
    """Whose files are shown."""

    def outside(self, surveys: Collection[UUID]) -> Self:
        """Return those for surveys that are shown; a file for none is one of this computer's own survey."""
        is_local_hidden = Exists(Survey.objects.filter(name=LOCAL_SURVEY, pk__in=surveys))
        return self.exclude(survey__in=surveys).exclude(Q(survey__isnull=True) & is_local_hidden)


class IncomingFile(Record):
    """A file on its way in. Its state is that of its job: `download` where it is fetched first, else `receive`."""

    route = models.CharField(max_length=10, choices=IncomingRoute)
    name = models.CharField(max_length=255)
    address = models.TextField(blank=True, help_text="URL, or path in the watched folder.")
    survey = models.ForeignKey(Survey, on_delete=models.PROTECT, null=True, blank=True)
    stored_path = models.CharField(
        max_length=500, blank=True, help_text="Relative to the data root, until it is ingested."
    )
    size_bytes = models.BigIntegerField(null=True, blank=True, help_text="Null until it is known.")
    received_bytes = models.BigIntegerField(default=0)
    modified_ns = models.BigIntegerField(null=True, blank=True, help_text="Of a file in a watched folder.")
    overrides = models.JSONField(default=dict, blank=True, help_text="Values given along with the file.")
    submitted_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True)
    request_key = models.UUIDField(
        null=True, blank=True, editable=False, help_text="Chosen by the sender: a file sent twice is ingested once."
    )
    workflow_id = models.CharField(max_length=64, blank=True)
    results = models.JSONField(default=list, blank=True, help_text="What became of each image in it.")

    objects = IncomingQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            constraints.one_of("route", IncomingRoute),
            constraints.at_least("size_bytes", 0),
            models.UniqueConstraint(
                fields=["address"], condition=Q(route=IncomingRoute.DIRECTORY), name="observations_incoming_once"
            ),
            models.UniqueConstraint(fields=["submitted_by", "request_key"], name="observations_incoming_request_once"),
        ]

    def __str__(self) -> str:
        return self.name
