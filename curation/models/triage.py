"""The queue of triage: who looks at what, what is put off, and how each person works."""

from __future__ import annotations

from typing import Self
from urllib.parse import urlencode

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from catalog import constraints
from catalog.hiding import Asking, hidden_from
from catalog.models import Record, RecordQuerySet
from detection.models import Detection
from observations.models import Survey


class Lease(Record):
    """An item that one person looks at just now, in one window, so that nobody else is given it."""

    item = models.UUIDField(
        unique=True, help_text="Key of the mover, tracklet or source that is judged, or of the detection alone."
    )
    detection = models.OneToOneField(
        Detection, on_delete=models.CASCADE, related_name="lease", help_text="Of the item the one that is shown first."
    )
    holder = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="leases")
    window = models.UUIDField(help_text="Chosen by the page in the browser: two windows of one person differ.")
    expires_at = models.DateTimeField(help_text="By the database's clock.")
    seen_at = models.DateTimeField(db_default=Now(), help_text="When the window last said that it is open.")

    way_to_survey = "detection__observation__survey"

    class Meta:
        ordering = ["expires_at", "id"]
        indexes = [
            models.Index(fields=["expires_at"], name="lease_expiring"),
            models.Index(fields=["holder", "window"], name="lease_of_window"),
        ]

    def __str__(self) -> str:
        return f"{self.detection_id} held by {self.holder_id}"


class DeferralKind(models.TextChoices):
    """Why somebody has put a detection off."""

    SNOOZE = "snooze", "put off"
    OPINION = "opinion", "second opinion asked for"


class Deferral(Record):
    """A detection that somebody puts off: it is not offered to them again until then; to others it is.

    What is found of the same object later was not put off, and brings it back.
    """

    created_at = models.DateTimeField(db_default=Now(), editable=False)
    detection = models.ForeignKey(Detection, on_delete=models.CASCADE, related_name="deferrals")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="deferrals")
    kind = models.CharField(max_length=8, choices=DeferralKind)
    until = models.DateTimeField(
        null=True, blank=True, help_text="When a snooze ends; without it, with the next detection of its object."
    )
    note = models.TextField(blank=True, help_text="What is asked, for whoever is asked for a second opinion.")
    group = models.UUIDField(help_text="Made by the client: what was put off with one key has one.")
    ended_at = models.DateTimeField(null=True, blank=True, help_text="When it was taken back, or answered after all.")

    way_to_survey = "detection__observation__survey"

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            constraints.one_of("kind", DeferralKind),
            models.UniqueConstraint(fields=["group", "detection"], name="curation_deferral_once"),
            models.CheckConstraint(
                condition=Q(kind=DeferralKind.SNOOZE) | Q(until__isnull=True),
                name="curation_deferral_only_a_snooze_ends",
                violation_error_message="Only a snooze has a time at which it ends.",
            ),
        ]
        indexes = [
            models.Index(
                fields=["detection", "person"], name="deferral_of_detection", condition=Q(ended_at__isnull=True)
            ),
            models.Index(fields=["person"], name="deferral_of_person", condition=Q(ended_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.detection_id}"


class TriageSettings(Record):
    """How one person works in triage."""

    person = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="triage_settings")
    keys = models.JSONField(default=dict, blank=True, help_text="Action to key, where it is not the usual one.")
    asks_for_reason = models.BooleanField(
        "Ask why after “bogus”", default=False, help_text="A second key then names the label; Enter leaves it out."
    )

    class Meta:
        ordering = ["person"]

    def __str__(self) -> str:
        return f"triage of {self.person_id}"


class SavedFilterQuerySet(RecordQuerySet):
    """Everybody sees their own filters, and those that others share."""

    def visible_to(self, user: Asking) -> Self:
        """Return the filters that a person may use."""
        rows = self.filter(Q(person=user.pk) | Q(is_shared=True)) if user.pk else self.none()
        for name in Survey.objects.filter(pk__in=hidden_from(user)).values_list("name", flat=True) if user.pk else ():
            # Its name would tell that there is such a survey.
            rows = rows.exclude(~Q(person=user.pk), query__icontains=urlencode({"survey": name}))
        return rows


class SavedFilter(Record):
    """What narrows detections and their queue, under a name."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_filters")
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=1000, blank=True, help_text="As in the address of the page.")
    is_shared = models.BooleanField(default=False, help_text="Others may use it.")
    is_default = models.BooleanField(default=False, help_text="Triage begins with it for its person.")

    objects = SavedFilterQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["person", "name"], name="curation_savedfilter_name_once"),
            models.UniqueConstraint(
                fields=["person"], name="curation_savedfilter_one_default", condition=Q(is_default=True)
            ),
        ]

    def __str__(self) -> str:
        return self.name
