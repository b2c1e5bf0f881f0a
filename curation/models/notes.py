"""What people write about objects in the sky, and whom they name."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from catalog.models import Record
from detection.models import Detection


class Note(Record):
    """What somebody writes about an object in the sky; it hangs on one of its detections, since sources come and go."""

    detection = models.ForeignKey(Detection, on_delete=models.PROTECT, related_name="people_notes")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="notes")
    text = models.TextField(max_length=5000)
    withdrawn_at = models.DateTimeField(null=True, blank=True, help_text="When its author took it back.")

    way_to_survey = "detection__observation__survey"

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [models.Index(fields=["detection", "created_at"], name="note_of_detection")]

    def __str__(self) -> str:
        return f"note of {self.author_id} on {self.detection_id}"


class Mention(Record):
    """Somebody whom a note names, until they have seen it."""

    note = models.ForeignKey(Note, on_delete=models.CASCADE, related_name="mentions")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="mentions")
    seen_at = models.DateTimeField(null=True, blank=True)

    way_to_survey = "note__detection__observation__survey"

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["note", "person"], name="curation_mention_once")]
        indexes = [models.Index(fields=["person"], name="mention_unseen", condition=Q(seen_at__isnull=True))]

    def __str__(self) -> str:
        return f"{self.person_id} in {self.note_id}"
