"""What catalogues hold of the sky about detections, and for which part of it they were loaded."""

from __future__ import annotations

import math
from typing import Self

from django.db import models
from django.db.models import F

from catalog import constraints
from catalog.models import Record, RecordQuerySet
from observations.sky import SkyRecord

WHOLE_SKY_DEG = 180.0


class ContextKind(models.TextChoices):
    """What a catalogue lists."""

    STAR = "star", "stars"
    VARIABLE = "variable", "variable stars"
    GALAXY = "galaxy", "galaxies"


class ContextAreaQuerySet(RecordQuerySet):
    """Which part of the sky was loaded."""

    def reaching(self, south_deg: float, north_deg: float) -> Self:
        """Return the areas that reach into a strip of declination."""
        rows: Self = self.annotate(south=F("dec") - F("radius_deg"), north=F("dec") + F("radius_deg"))
        return rows.filter(south__lte=north_deg, north__gte=south_deg)


class ContextArea(Record):
    """One catalogue's part of the sky; loaded anew, it takes the place of what was loaded before."""

    kind = models.CharField(max_length=16, choices=ContextKind)
    catalogue = models.CharField(max_length=64)
    origin = models.CharField(max_length=500, help_text="File, or address of the service that was asked.")
    ra = models.FloatField(help_text="Of its middle, ICRS degrees.")
    dec = models.FloatField(help_text="Of its middle, ICRS degrees.")
    radius_deg = models.FloatField(help_text="180 is the whole sky.")
    epoch_year = models.FloatField(help_text="Julian year at which the positions hold.")
    is_complete = models.BooleanField(
        help_text="All that the catalogue has there was loaded: what is not among it is not in the catalogue."
    )
    source_count = models.PositiveIntegerField()
    fastest_mas_per_year = models.FloatField(default=0.0, help_text="The largest proper motion in it.")
    columns = models.JSONField(default=dict, help_text="Which column was taken for what.")
    sha256 = models.CharField(max_length=64, help_text="Of the file, or of what the service was asked.")
    loaded_at = models.DateTimeField()

    objects = ContextAreaQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        ordering = ["-loaded_at", "id"]
        constraints = [
            constraints.one_of("kind", ContextKind),
            constraints.within("ra", 0.0, 360.0),
            constraints.within("dec", -90.0, 90.0),
            constraints.within("radius_deg", 0.0, WHOLE_SKY_DEG),
            constraints.finite("epoch_year"),
            constraints.not_negative("fastest_mas_per_year"),
            models.UniqueConstraint(
                fields=["kind", "catalogue", "ra", "dec", "radius_deg"], name="detection_contextarea_once"
            ),
        ]

    def __str__(self) -> str:
        where = "the whole sky"
        if self.radius_deg < WHOLE_SKY_DEG:
            where = f"{self.radius_deg:.2f}° about {self.ra:.3f} {self.dec:+.3f}"
        return f"{self.catalogue} ({self.get_kind_display()}), {where}"

    def holds(self, ra_deg: float, dec_deg: float, radius_deg: float) -> bool:
        """Tell whether a circle on the sky lies within this one."""
        if self.radius_deg >= WHOLE_SKY_DEG:
            return True
        south, north = math.radians(self.dec), math.radians(dec_deg)
        turn = math.sin(math.radians(ra_deg - self.ra) / 2) ** 2
        haversine = math.sin((north - south) / 2) ** 2 + math.cos(south) * math.cos(north) * turn
        return math.degrees(2 * math.asin(min(1.0, math.sqrt(haversine)))) + radius_deg <= self.radius_deg


class ContextSource(SkyRecord):
    """Something that a catalogue lists, where it was at the epoch of its area."""

    area = models.ForeignKey(ContextArea, on_delete=models.CASCADE, related_name="sources")
    name = models.CharField(max_length=64, blank=True)
    mag = models.FloatField(null=True, blank=True)
    band = models.CharField(max_length=32, blank=True)
    parallax_mas = models.FloatField(null=True, blank=True)
    pm_ra_mas_per_year = models.FloatField(null=True, blank=True, help_text="Times the cosine of the declination.")
    pm_dec_mas_per_year = models.FloatField(null=True, blank=True)
    type_name = models.CharField(max_length=64, blank=True, help_text="Of a variable or a galaxy, as listed.")
    redshift = models.FloatField(null=True, blank=True)
    semi_major_arcsec = models.FloatField(null=True, blank=True, help_text="Of the ellipse that holds half its light.")
    axis_ratio = models.FloatField(null=True, blank=True)
    angle_deg = models.FloatField(null=True, blank=True, help_text="Of the long axis, from north by east.")

    class Meta:
        ordering = ["id"]
        constraints = [
            *SkyRecord.Meta.constraints,
            constraints.finite("mag"),
            constraints.finite("parallax_mas"),
            constraints.finite("pm_ra_mas_per_year"),
            constraints.finite("pm_dec_mas_per_year"),
            constraints.finite("redshift"),
            constraints.positive("semi_major_arcsec"),
            constraints.positive("axis_ratio"),
            constraints.finite("angle_deg"),
        ]
        indexes = [*SkyRecord.Meta.indexes]

    def __str__(self) -> str:
        return self.name or f"{self.ra:.5f} {self.dec:+.5f}"
