"""What differences hold at places that were known before."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Self
from uuid import UUID

from django.db import models
from django.db.models import F, Q

from catalog import constraints
from catalog.models import Record, RecordQuerySet
from detection.models.detections import Source
from differencing.models import DifferenceRun, Reference, Tracklet
from observations.models import Observation


class ForcedReason(models.TextChoices):
    """Why nothing could be measured at a place that is known."""

    MASKED = "masked", "too many pixels are masked there"
    SATURATED = "saturated", "saturated pixels are there"
    OUTSIDE = "outside", "outside the frame, or cut by its edge"
    NO_DIFFERENCE = "no_difference", "the images of the difference are gone, or were made by an earlier version"


class ForcedPhotometryQuerySet(RecordQuerySet):
    """Which measurements count."""

    def outside(self, surveys: Collection[UUID]) -> Self:
        """Return those in frames that are shown, of sources and tracklets that are."""
        return self.exclude(observation__survey__in=surveys).filter(
            Q(source__isnull=True) | Q(source__in=Source.objects.all().outside(surveys)),
            Q(tracklet__isnull=True) | Q(tracklet__in=Tracklet.objects.all().outside(surveys)),
        )

    def measured(self) -> Self:
        """Return those that have a value."""
        return self.filter(flux__isnull=False)

    def newest_of_each(self) -> Self:
        """Return the newest of each source or tracklet in each observation: by the newest difference."""
        of_each = ("source_id", "tracklet_id", "observation_id")
        return self.order_by(*of_each, "-difference_run__completed_at", "-id").distinct(*of_each)


class ForcedPhotometry(Record):
    """The flux beyond a reference at a place that was known before: a source's, or a moving object's predicted one."""

    source = models.ForeignKey(
        Source, on_delete=models.CASCADE, null=True, blank=True, related_name="forced_photometry", db_index=False
    )
    tracklet = models.ForeignKey(
        Tracklet, on_delete=models.CASCADE, null=True, blank=True, related_name="forced_photometry", db_index=False
    )
    observation = models.ForeignKey(Observation, on_delete=models.PROTECT, related_name="forced_photometry")
    difference_run = models.ForeignKey(DifferenceRun, on_delete=models.CASCADE, related_name="forced_photometry")
    reference = models.ForeignKey(Reference, on_delete=models.PROTECT, related_name="forced_photometry")
    ra = models.FloatField(help_text="Where it was measured, ICRS degrees.")
    dec = models.FloatField(help_text="Where it was measured, ICRS degrees.")
    position_error_arcsec = models.FloatField(help_text="Of the place and of the frame's WCS, 1 sigma in each axis.")
    flux = models.FloatField(null=True, blank=True, help_text="Beyond the reference, signed, science ADU.")
    flux_error = models.FloatField(null=True, blank=True, help_text="Science ADU.")
    limiting_flux = models.FloatField(
        null=True, blank=True, help_text="5 sigma, science ADU; null where the flux is 3 sigma or more."
    )
    total_flux = models.FloatField(
        null=True, blank=True, help_text="Together with the star that the reference holds there, science ADU."
    )
    total_flux_error = models.FloatField(null=True, blank=True, help_text="Science ADU.")
    reason = models.CharField(
        max_length=16, choices=ForcedReason, blank=True, help_text="Why there is no value; empty where there is one."
    )
    mjd_utc = models.FloatField(help_text="Middle of the exposure.")
    bjd_tdb = models.FloatField(help_text="The same as Barycentric Julian Date, dynamical time.")
    is_geocentric = models.BooleanField(
        help_text="The site is not known: the barycentric time is the Earth's centre's, up to 21 ms off."
    )
    zero_point_mag = models.FloatField(null=True, blank=True, help_text="Magnitude of one ADU of this frame.")
    zero_point_error = models.FloatField(null=True, blank=True)
    zero_point_system = models.CharField(max_length=16, blank=True, help_text="AB, Vega or instrumental.")

    objects = ForcedPhotometryQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        ordering = ["-id"]
        verbose_name = verbose_name_plural = "forced photometry"
        constraints = [
            constraints.right_ascension(),
            constraints.declination(),
            constraints.not_negative("position_error_arcsec"),
            constraints.finite("flux"),
            constraints.positive("flux_error"),
            constraints.positive("limiting_flux"),
            constraints.finite("total_flux"),
            constraints.positive("total_flux_error"),
            constraints.one_of("reason", ForcedReason, blank=True),
            constraints.finite("mjd_utc"),
            constraints.finite("bjd_tdb"),
            constraints.finite("zero_point_mag"),
            constraints.not_negative("zero_point_error"),
            models.CheckConstraint(
                condition=Q(source__isnull=False, tracklet__isnull=True)
                | Q(source__isnull=True, tracklet__isnull=False),
                name="detection_forcedphotometry_of_one",
                violation_error_message="It is of a source or of a tracklet.",
            ),
            models.CheckConstraint(
                condition=Q(reason="", flux__isnull=False, flux_error__isnull=False)
                | (~Q(reason="") & Q(flux__isnull=True, flux_error__isnull=True, total_flux__isnull=True)),
                name="detection_forcedphotometry_value_or_reason",
                violation_error_message="It has a flux with its error, or the reason why there is none.",
            ),
            models.CheckConstraint(
                condition=Q(flux__isnull=True, limiting_flux__isnull=True)
                | Q(flux__lt=3 * F("flux_error"), flux__gt=-3 * F("flux_error"), limiting_flux__isnull=False)
                | (
                    Q(limiting_flux__isnull=True)
                    & (Q(flux__gte=3 * F("flux_error")) | Q(flux__lte=-3 * F("flux_error")))
                ),
                name="detection_forcedphotometry_limit_below_3_sigma",
                violation_error_message="A limit stands where the flux is below 3 sigma, and nowhere else.",
            ),
            models.CheckConstraint(
                condition=Q(total_flux__isnull=True, total_flux_error__isnull=True)
                | Q(total_flux__isnull=False, total_flux_error__isnull=False),
                name="detection_forcedphotometry_total_with_error",
                violation_error_message="A total flux has an error.",
            ),
            models.UniqueConstraint(
                fields=["source", "observation", "reference"], name="detection_forcedphotometry_source_once"
            ),
            models.UniqueConstraint(
                fields=["tracklet", "observation", "reference"], name="detection_forcedphotometry_tracklet_once"
            ),
        ]
        # The latest of a light curve, of which there may be a hundred thousand.
        indexes = [
            models.Index(fields=[name, "-mjd_utc"], name=f"forced_of_{name}", condition=Q(**{f"{name}__isnull": False}))
            for name in ("source", "tracklet")
        ]

    def __str__(self) -> str:
        if self.flux is None or self.flux_error is None:
            return self.get_reason_display()
        return f"{self.flux:+.0f} ± {self.flux_error:.0f} ADU"

    @property
    def snr(self) -> float | None:
        """Return the flux over its error."""
        return None if self.flux is None or self.flux_error is None else self.flux / self.flux_error

    @property
    def limiting_mag(self) -> float | None:
        """Return the limit as a magnitude; None without a limit or a zero point."""
        if self.zero_point_mag is None or self.limiting_flux is None:
            return None
        return self.zero_point_mag - 2.5 * math.log10(self.limiting_flux)

    @property
    def flux_njy(self) -> float | None:
        """Return the flux in nanojanskys; None unless the zero point is against an AB catalogue."""
        return self._njy(self.flux)

    @property
    def flux_error_njy(self) -> float | None:
        """Return the error of the flux alone, as `flux_njy`: the zero point's own stands beside it."""
        return self._njy(self.flux_error)

    def _njy(self, adu: float | None) -> float | None:
        return nanojanskys(adu, self.zero_point_mag, self.zero_point_system)


def nanojanskys(adu: float | None, zero_point_mag: float | None, system: str) -> float | None:
    """Return counts in nanojanskys; None where they or their zero point are not known, or it is none of AB."""
    if adu is None or zero_point_mag is None or system != "AB":
        return None
    # 0 mag (AB) are 3631 Jy.
    return 3631e9 * adu * 10.0 ** (-0.4 * zero_point_mag)
