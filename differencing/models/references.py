"""What frames are compared with."""

from __future__ import annotations

from collections.abc import Collection
from typing import Self
from uuid import UUID

from django.db import models
from django.db.models import Exists, OuterRef, Q

from catalog import constraints
from catalog.models import Record, RecordQuerySet
from observations.models import Field, Observation, shown_by


class ReferenceOrigin(models.TextChoices):
    """What a reference is made from."""

    FRAMES = "frames", "frames of its field"
    GIVEN = "given", "an image that was given"


class ReferenceQuerySet(RecordQuerySet):
    """Whose references are shown."""

    def outside(self, surveys: Collection[UUID]) -> Self:
        """Return those with a frame that is shown, those that such a frame was compared with, and, of fields that are
        shown, those without frames."""
        of_shown = Q(field__in=Field.objects.all().outside(surveys))
        members = Observation.objects.filter(references=OuterRef("pk"))
        compared = Observation.objects.filter(difference_runs__reference=OuterRef("pk"))
        return self.filter((of_shown & shown_by(members, surveys)) | Q(Exists(compared.outside(surveys))))


class Reference(Record):
    """What frames of one field and band are compared with, as a version; it never contains its science frame.

    One frame, a stack of several, or another telescope's image that was given and has no members.
    """

    field = models.ForeignKey(Field, on_delete=models.PROTECT, related_name="references")
    filter_band = models.CharField(max_length=32)
    version = models.PositiveIntegerField(default=1)
    members = models.ManyToManyField(Observation, related_name="references")
    best_member = models.ForeignKey(
        Observation,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="best_of_references",
        help_text="It sets grid and counts; null for an image that was given.",
    )
    file_path = models.CharField(max_length=500, help_text="Relative to the data root.")
    frame_count = models.PositiveIntegerField(default=1, help_text="Frames that entered it.")
    first_mjd_utc = models.FloatField(null=True, blank=True, help_text="Middle of its earliest exposure.")
    last_mjd_utc = models.FloatField(null=True, blank=True, help_text="Middle of its latest exposure.")
    fwhm_px = models.FloatField(null=True, blank=True, help_text="Of its own PSF, pixels of its own grid.")
    depth_mag = models.FloatField(null=True, blank=True, help_text="5 sigma point source.")
    deeper_by_mag = models.FloatField(
        null=True, blank=True, help_text="What a new reference of the frames that are there now is predicted to gain."
    )
    is_active = models.BooleanField(default=False, help_text="Promoted: the rules of choice do not apply.")
    is_automatic = models.BooleanField(
        default=False, help_text="Promoted by itself, as the first of its field and band."
    )
    excluded_night = models.DateField(null=True, blank=True, help_text="Night that it was made for, and leaves out.")
    inputs_hash = models.CharField(max_length=64)
    origin = models.CharField(max_length=8, choices=ReferenceOrigin, default=ReferenceOrigin.FRAMES)
    original_name = models.CharField(max_length=255, blank=True, help_text="File name of an image that was given.")
    survey_name = models.CharField(max_length=100, blank=True, help_text="Who made an image that was given.")
    delivered_band = models.CharField(max_length=32, blank=True, help_text="Filter of an image that was given.")

    objects = ReferenceQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        ordering = ["field", "filter_band", "-version"]
        constraints = [
            constraints.at_least("version", 1),
            constraints.finite("depth_mag"),
            constraints.finite("deeper_by_mag"),
            constraints.finite("first_mjd_utc"),
            constraints.finite("last_mjd_utc"),
            constraints.positive("fwhm_px"),
            constraints.one_of("origin", ReferenceOrigin),
            models.CheckConstraint(
                condition=Q(best_member__isnull=False) | Q(origin=ReferenceOrigin.GIVEN),
                name="differencing_reference_has_a_frame",
                violation_error_message="A reference made of frames has a best one.",
            ),
            models.CheckConstraint(
                condition=Q(is_active=False) | Q(excluded_night__isnull=True),
                name="differencing_reference_of_one_night_inactive",
                violation_error_message="A reference that was made for one night serves no other.",
            ),
            models.UniqueConstraint(fields=["field", "filter_band", "version"], name="differencing_reference_version"),
            models.UniqueConstraint(fields=["field", "filter_band", "inputs_hash"], name="differencing_reference_once"),
            models.UniqueConstraint(
                fields=["field", "filter_band"],
                condition=Q(is_active=True),
                name="differencing_reference_one_active",
            ),
        ]

    def __str__(self) -> str:
        return f"reference {self.version} in {self.filter_band}"
