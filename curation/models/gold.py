"""Items of which it is known what they are, by an expert or because they were injected, and how people answer."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from catalog import constraints
from catalog.models import Record
from curation.models.judgements import ConfidenceLevel
from detection.models import Detection


class InjectedKind(models.TextChoices):
    """Where in a frame a source was injected."""

    SKY = "sky", "on empty sky"
    STAR = "star", "beside a star"
    GALAXY = "galaxy", "in a galaxy"


class GoldItem(Record):
    """A detection of which it is known what it is; people are given it unmarked, to see how well they review.

    An expert says so, or it is a source that was injected into a real frame: then it has a kind.
    """

    detection = models.OneToOneField(Detection, on_delete=models.PROTECT, related_name="gold")
    is_valid = models.BooleanField(help_text="What it is known to be.")
    label = models.CharField(max_length=64, blank=True)
    marked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="gold_items"
    )
    is_active = models.BooleanField(default=True, help_text="Whether people are asked about it.")
    kind = models.CharField(
        max_length=8,
        choices=InjectedKind,
        blank=True,
        help_text="Where it was injected; empty where an expert says it.",
    )
    injected_snr = models.FloatField(null=True, blank=True, help_text="Injected flux / its expected error.")
    injected_flux = models.FloatField(null=True, blank=True, help_text="Science ADU, before its photon noise.")
    history = models.JSONField(
        default=list, blank=True, help_text="What other frames hold at the place of an injected source."
    )

    way_to_survey = "detection__observation__survey"

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            constraints.one_of("kind", InjectedKind, blank=True),
            constraints.positive("injected_snr"),
            constraints.positive("injected_flux"),
            models.CheckConstraint(
                condition=Q(kind="", marked_by__isnull=False, injected_snr__isnull=True, injected_flux__isnull=True)
                | (~Q(kind="") & Q(marked_by__isnull=True, injected_snr__isnull=False, injected_flux__isnull=False)),
                name="curation_golditem_marked_or_injected",
                violation_error_message="An expert has marked it, or it was injected with a known flux.",
            ),
        ]

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

    way_to_survey = "item__detection__observation__survey"

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["item", "person"], name="curation_goldanswer_once"),
            constraints.one_of("confidence_level", ConfidenceLevel, blank=True),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} about {self.item_id}"
