"""What may be wrong with a frame, and who settled it."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Exists, OuterRef, Q

from catalog import constraints
from catalog.models import Record, RecordQuerySet
from observations.models.frames import Observation


class DoubtOrigin(models.TextChoices):
    """Which look at a frame raised a doubt; a later look of the same kind replaces its doubts."""

    HEADER = "header", "its header"
    PIXELS = "pixels", "its pixels"
    SKY = "sky", "the stars in it"
    DIFFERENCE = "difference", "its difference image"


class DoubtQuerySet(RecordQuerySet):
    """Which doubts stand."""

    def standing(self) -> Self:
        """Return those that nobody has settled."""
        return self.filter(settled_at__isnull=True)

    def blocking(self) -> Self:
        """Return those that hold back what would be published."""
        return self.standing().filter(blocks_publication=True)


class Doubt(Record):
    """One claim about a frame that cannot be relied on; settled by a person, a profile, or the sky itself."""

    observation = models.ForeignKey(Observation, on_delete=models.CASCADE, related_name="doubts")
    origin = models.CharField(max_length=10, choices=DoubtOrigin)
    code = models.CharField(max_length=40)
    fact = models.CharField(max_length=40, help_text="What is in doubt: time, position, flux, ...")
    keyword = models.CharField(max_length=80, blank=True, help_text="Of the header, where it makes the claim.")
    value = models.JSONField(null=True, blank=True, help_text="The number or text that is doubted.")
    message = models.TextField()
    blocks_publication = models.BooleanField(default=False)
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.CharField(max_length=150, blank=True, help_text="A person, a profile, or what measured it.")
    settled_note = models.TextField(blank=True)

    objects = DoubtQuerySet.as_manager()  # type: ignore[misc]

    way_to_survey = "observation__survey"

    class Meta:
        ordering = ["-blocks_publication", "origin", "code", "id"]
        constraints = [
            constraints.one_of("origin", DoubtOrigin),
            models.CheckConstraint(
                condition=Q(settled_at__isnull=True, settled_by="") | (Q(settled_at__isnull=False) & ~Q(settled_by="")),
                name="observations_doubt_settled_by_somebody",
                violation_error_message="A doubt that is settled says by whom.",
            ),
            models.UniqueConstraint(
                fields=["observation", "origin", "code", "fact", "keyword"], name="observations_doubt_once"
            ),
        ]
        indexes = [
            models.Index(
                fields=["observation"],
                condition=Q(settled_at__isnull=True, blocks_publication=True),
                name="doubt_blocking",
            ),
            models.Index(fields=["code", "-created_at"], name="doubt_code"),
        ]

    def __str__(self) -> str:
        return self.message


def is_held(observation: str) -> Exists:
    """Return whether what a row's observation shows is held back; `observation` is the name of its column."""
    return Exists(Doubt.objects.blocking().filter(observation=OuterRef(observation)))
