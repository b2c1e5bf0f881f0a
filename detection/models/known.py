"""Orbits of what is known in the Solar System, and where it was in each frame."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Self

from django.db import models

from catalog import constraints
from catalog.models import Record, RecordQuerySet
from observations.models import Observation
from observations.sky import SkyRecord

_MJD_EPOCH = datetime(1858, 11, 17, tzinfo=UTC)


class OrbitSetQuerySet(RecordQuerySet):
    """Which orbits count."""

    def complete(self) -> Self:
        """Return those that were loaded to their end."""
        return self.filter(is_complete=True)


class OrbitSet(Record):
    """The orbits of one file; a newer one of the same name takes its place when it has been loaded to its end."""

    name = models.CharField(max_length=64, help_text="What it holds: asteroids, comets, or a name of one's own.")
    file_name = models.CharField(max_length=255)
    sha256 = models.CharField(max_length=64, help_text="Of the file as it came.")
    orbits_at = models.DateTimeField(help_text="How new the orbits are: the last observation that any of them used.")
    entries_read = models.PositiveIntegerField(default=0, help_text="Lines or entries of the file, refused ones too.")
    orbit_count = models.PositiveIntegerField(default=0)
    refused_count = models.PositiveIntegerField(default=0, help_text="Entries that could not be read.")
    first_refusal = models.CharField(max_length=300, blank=True)
    is_complete = models.BooleanField(default=False)

    objects = OrbitSetQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["name", "sha256"], name="detection_orbitset_once"),
            models.CheckConstraint(
                condition=~models.Q(name="") & ~models.Q(sha256=""),
                name="detection_orbitset_named",
                violation_error_message="Orbits have a name and the sha256 of their file.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} of {self.orbits_at:%Y-%m-%d}"


class Orbit(models.Model):
    """One orbit of a file: osculating elements about the Sun, ecliptic of J2000, dynamical time.

    There are more than a million, each loaded with its file and deleted with it: they carry no times of their own.
    """

    orbit_set = models.ForeignKey(OrbitSet, on_delete=models.CASCADE, related_name="orbits")
    designation = models.CharField(max_length=64)
    is_comet = models.BooleanField(default=False)
    perihelion_au = models.FloatField()
    eccentricity = models.FloatField()
    inclination_deg = models.FloatField()
    node_deg = models.FloatField()
    argument_deg = models.FloatField()
    perihelion_mjd = models.FloatField()
    epoch_mjd = models.FloatField()
    absolute_mag = models.FloatField(null=True, blank=True, help_text="H of an asteroid; total magnitude of a comet.")
    slope = models.FloatField(null=True, blank=True, help_text="G of an asteroid; K of a comet.")
    uncertainty_parameter = models.PositiveSmallIntegerField(null=True, blank=True, help_text="0 is best, 9 worst.")
    rms_arcsec = models.FloatField(null=True, blank=True, help_text="Residuals of the orbit.")
    last_observed_mjd = models.FloatField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        default_permissions = ()
        constraints = [
            constraints.positive("perihelion_au"),
            constraints.not_negative("eccentricity"),
            constraints.finite("perihelion_mjd"),
            constraints.finite("epoch_mjd"),
        ]

    def __str__(self) -> str:
        return self.designation


class SearchOutcome(models.TextChoices):
    """Whether known objects could be computed for a frame, and if not, why."""

    DONE = "done", "computed"
    NO_EPHEMERIDES = "no_ephemerides", "the ephemerides were not installed"
    NONE_USABLE = "none_usable", "no orbit told where its body was at the frame's time"
    NO_SIZE = "no_size", "it is not known how large the frame is on the sky"


class KnownObjectSearch(Record):
    """What was asked for one frame: where, when and by which orbits. What was found are its objects."""

    observation = models.OneToOneField(Observation, on_delete=models.CASCADE, related_name="known_object_search")
    outcome = models.CharField(max_length=16, choices=SearchOutcome, default=SearchOutcome.DONE)
    ra = models.FloatField(help_text="Centre, ICRS degrees.")
    dec = models.FloatField()
    radius_deg = models.FloatField()
    mjd_utc = models.FloatField(help_text="Middle of the exposure, as it was known then.")
    is_geocentric = models.BooleanField(
        help_text="The site is not known: places are those seen from the Earth's centre."
    )
    orbits_at = models.DateTimeField(help_text="How new the orbits were: the oldest of the sets.")
    orbit_count = models.PositiveIntegerField(help_text="Of all that were asked, those that say where a body is.")
    vague_count = models.PositiveIntegerField(help_text="Those too uncertain to say where a body is.")
    searched_at = models.DateTimeField()

    way_to_survey = "observation__survey"

    class Meta:
        ordering = ["-searched_at", "-id"]
        verbose_name_plural = "known object searches"
        constraints = [
            constraints.one_of("outcome", SearchOutcome),
            constraints.right_ascension(),
            constraints.declination(),
            constraints.not_negative("radius_deg"),
            constraints.finite("mjd_utc"),
        ]

    def __str__(self) -> str:
        return f"known objects in {self.observation_id}"


class KnownObject(SkyRecord):
    """Where a body of the Solar System was in the middle of an exposure, as seen from its site."""

    observation = models.ForeignKey(Observation, on_delete=models.CASCADE, related_name="known_objects", db_index=False)
    designation = models.CharField(max_length=64)
    is_comet = models.BooleanField(default=False)
    rate_arcsec_per_min = models.FloatField()
    position_angle_deg = models.FloatField(help_text="Of the motion, from north by east.")
    predicted_mag = models.FloatField(null=True, blank=True, help_text="V; null where no absolute magnitude is known.")
    along_error_arcsec = models.FloatField(help_text="1 sigma along the uncertainty's long axis.")
    across_error_arcsec = models.FloatField(help_text="1 sigma across it.")
    error_angle_deg = models.FloatField(help_text="Of the long axis, from north by east.")
    distance_au = models.FloatField(help_text="From the Earth.")
    sun_distance_au = models.FloatField()
    epoch_mjd = models.FloatField(help_text="Of the orbit.")
    uncertainty_parameter = models.PositiveSmallIntegerField(null=True, blank=True, help_text="0 is best, 9 worst.")

    way_to_survey = "observation__survey"

    class Meta:
        ordering = ["observation", "designation", "id"]
        constraints = [
            *SkyRecord.Meta.constraints,
            constraints.not_negative("rate_arcsec_per_min"),
            constraints.within("position_angle_deg", 0.0, 360.0),
            constraints.finite("predicted_mag"),
            constraints.positive("along_error_arcsec"),
            constraints.positive("across_error_arcsec"),
            constraints.within("error_angle_deg", 0.0, 360.0),
            constraints.positive("distance_au"),
            constraints.positive("sun_distance_au"),
            constraints.finite("epoch_mjd"),
            models.UniqueConstraint(fields=["observation", "designation"], name="detection_knownobject_once"),
        ]
        indexes = [*SkyRecord.Meta.indexes]

    def __str__(self) -> str:
        return self.designation

    @property
    def orbit_epoch(self) -> datetime:
        """The epoch of its orbit; dynamical time is a minute ahead of UTC, which does not matter here."""
        return _MJD_EPOCH + timedelta(days=self.epoch_mjd)
