"""Items of which an expert says what they are, and how people answer about them."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from catalog import constraints
from catalog.models import Record
from curation.models.judgements import ConfidenceLevel
from detection.models import Detection


class GoldItem(Record):
    """A detection of which an expert says what it is; people are given it unmarked, to see how well they review."""

    detection = models.OneToOneField(Detection, on_delete=models.PROTECT, related_name="gold")
    is_valid = models.BooleanField(help_text="What it is known to be.")
    label = models.CharField(max_length=64, blank=True)
    marked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="gold_items")
    is_active = models.BooleanField(default=True, help_text="Whether people are asked about it.")

    class Meta:
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return f"known: {self.detection_id}"


class GoldAnswer(Record):
    """A gold item that a person was given, and the first answer that they gave; it is no judgement of the detection."""

    item = models.ForeignKey(GoldItem, on_delete=models.PROTECT, related_name="answers")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="gold_answers")
    window = models.UUIDField(help_text="Where it was given last.")
    after = models.UUIDField(null=True, blank=True, help_text="The detection before it in the queue.")
    event = models.UUIDField(null=True, blank=True, help_text="The key that the browser gave the answer.")
    is_valid = models.BooleanField(null=True, blank=True, help_text="Null until it is answered.")
    label = models.CharField(max_length=64, blank=True)
    confidence_level = models.CharField(max_length=8, choices=ConfidenceLevel, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["item", "person"], name="curation_goldanswer_once"),
            constraints.one_of("confidence_level", ConfidenceLevel, blank=True),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} about {self.item_id}"
