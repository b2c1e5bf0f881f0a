"""What calibration and measurement of one frame left behind."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from typing import Self
from uuid import UUID

from django.db import models
from django.db.models import OuterRef, Q

from catalog import constraints
from catalog.models import Record, RecordQuerySet, Run, RunQuerySet
from observations.models import CalibrationFrame, CameraSetting, Observation, Telescope, shown_by

# What a service may be asked for at once: a wider field has more stars than anybody needs to solve it.
MOST_RADIUS_DEG = 10.0


class MasterKind(models.TextChoices):
    """Kinds of masters; a sky flat is made of lights where no flat was delivered, and is recorded as such."""

    BIAS = "bias"
    DARK = "dark"
    FLAT = "flat"
    SKY_FLAT = "sky_flat"


class CalibrationMasterQuerySet(RecordQuerySet):
    """Whose masters are shown."""

    def outside(self, surveys: Collection[UUID]) -> Self:
        """Return those of telescopes that are shown; of what the sky itself gave, those of frames that are."""
        of_shown = Q(telescope__isnull=True) | Q(telescope__in=Telescope.objects.all().outside(surveys))
        return self.filter(of_shown, shown_by(Observation.objects.filter(sky_flats=OuterRef("pk")), surveys))


class CalibrationMaster(Record, CameraSetting):
    """Frames of one kind combined with outlier rejection; reused within its validity."""

    kind = models.CharField(max_length=8, choices=MasterKind)
    telescope = models.ForeignKey(Telescope, on_delete=models.PROTECT, null=True, blank=True)
    gain = models.FloatField(null=True, blank=True)
    filter_band = models.CharField(max_length=32, blank=True)
    exposure_time = models.FloatField(null=True, blank=True, help_text="Seconds; of a dark.")
    image_width = models.PositiveIntegerField(null=True, blank=True, help_text="Pixels.")
    image_height = models.PositiveIntegerField(null=True, blank=True, help_text="Pixels.")
    members = models.ManyToManyField(CalibrationFrame, blank=True, related_name="masters")
    light_members = models.ManyToManyField(Observation, blank=True, related_name="sky_flats")
    file_path = models.CharField(max_length=500, help_text="Relative to the data root.")
    night = models.DateField(help_text="Of its newest member; its age counts from here.")
    frame_count = models.PositiveIntegerField()
    level = models.FloatField(null=True, blank=True, help_text="Median, data units.")
    noise = models.FloatField(null=True, blank=True, help_text="Pixel noise, data units.")
    inputs_hash = models.CharField(max_length=64)

    objects = CalibrationMasterQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        ordering = ["-night", "kind", "id"]
        constraints = [
            constraints.one_of("kind", MasterKind),
            constraints.at_least("frame_count", 1),
            constraints.not_negative("exposure_time"),
            constraints.finite("gain"),
            constraints.finite("ccd_temperature_c"),
            constraints.finite("level"),
            constraints.not_negative("noise"),
            models.UniqueConstraint(fields=["kind", "inputs_hash"], name="preprocessing_calibrationmaster_once"),
        ]
        indexes = [models.Index(fields=["kind", "camera", "binning", "night"], name="calibrationmaster_key")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.frame_count} frames, {self.night}"


class PreprocessRunQuerySet(RunQuerySet):
    """Which run of a frame counts."""

    def newest_for(self, observation: Observation) -> PreprocessRun | None:
        """Return the newest completed run of one observation."""
        newest: PreprocessRun | None = self.completed().filter(observation=observation).newest_first().first()
        return newest

    def newest_by_time(self, observations: Iterable[Observation]) -> list[PreprocessRun]:
        """Return the newest completed run of each observation that has one, in order of time of observation."""
        runs = self.filter(observation__in=observations).newest_of_each().select_related("observation")
        return sorted(runs, key=lambda run: (run.observation.mjd_utc, run.observation_id))


class PreprocessRun(Run):
    """One calibration and measurement of one observation."""

    observation = models.ForeignKey(Observation, on_delete=models.PROTECT, related_name="preprocess_runs")
    calibration_applied = models.BooleanField(default=False)
    wcs_aligned = models.BooleanField(default=False)
    registration_quality = models.FloatField(
        null=True, blank=True, help_text="max(0, 1 - rms of the star match / half the FWHM)."
    )
    processed_fits_path = models.CharField(max_length=500, blank=True, help_text="Relative to the data root.")
    wcs_info = models.JSONField(default=dict, blank=True)
    processing_time_seconds = models.FloatField(null=True, blank=True)
    retry_count = models.PositiveIntegerField(default=0)

    masters = models.JSONField(default=list, blank=True, help_text="Masters used: kind, id, age in days.")
    background_level = models.FloatField(null=True, blank=True, help_text="Median, data units.")
    background_noise = models.FloatField(null=True, blank=True, help_text="Per pixel, data units.")
    fwhm_px = models.FloatField(null=True, blank=True)
    ellipticity = models.FloatField(null=True, blank=True, help_text="1 - b/a of the PSF.")
    psf_core_residual = models.FloatField(
        null=True, blank=True, help_text="Of stars held out of the PSF: what it leaves within one FWHM, rms share."
    )
    limiting_magnitude = models.FloatField(null=True, blank=True, help_text="5 sigma point source.")
    zero_point_mag = models.FloatField(null=True, blank=True, help_text="Magnitude of one count.")
    zero_point_error = models.FloatField(null=True, blank=True)
    zero_point_catalogue = models.CharField(max_length=64, blank=True)
    zero_point_band = models.CharField(max_length=32, blank=True)
    zero_point_system = models.CharField(max_length=16, blank=True, help_text="AB, Vega or instrumental.")
    zero_point_scatter = models.FloatField(null=True, blank=True, help_text="Of single stars about it, magnitudes.")
    zero_point_stars = models.PositiveIntegerField(null=True, blank=True, help_text="Stars that it rests on.")
    zero_point_colour = models.CharField(max_length=16, blank=True, help_text="Colour of the colour term, as BP-RP.")
    zero_point_colour_mag = models.FloatField(
        null=True, blank=True, help_text="The colour for which the zero point holds: the median of its stars."
    )
    colour_term = models.FloatField(
        null=True, blank=True, help_text="Catalogue less frame, magnitudes per magnitude of colour."
    )
    colour_term_error = models.FloatField(null=True, blank=True)
    no_colour_term = models.CharField(max_length=200, blank=True, help_text="Why there is no colour term.")
    masked_share = models.FloatField(null=True, blank=True)
    transparency = models.FloatField(null=True, blank=True, help_text="Relative to the field's clearest frame.")
    star_count = models.PositiveIntegerField(null=True, blank=True)
    inputs_hash = models.CharField(max_length=64, blank=True)

    objects = PreprocessRunQuerySet.as_manager()  # type: ignore[misc]

    way_to_survey = "observation__survey"

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            *Run.Meta.constraints,
            constraints.within("registration_quality", 0.0, 1.0),
            constraints.within("masked_share", 0.0, 1.0),
            constraints.within("ellipticity", 0.0, 1.0),
            constraints.not_negative("processing_time_seconds"),
            constraints.finite("background_level"),
            constraints.not_negative("background_noise"),
            constraints.positive("fwhm_px"),
            constraints.not_negative("psf_core_residual"),
            constraints.finite("limiting_magnitude"),
            constraints.finite("zero_point_mag"),
            constraints.not_negative("zero_point_error"),
            constraints.not_negative("zero_point_scatter"),
            constraints.finite("zero_point_colour_mag"),
            constraints.finite("colour_term"),
            constraints.not_negative("colour_term_error"),
            constraints.not_negative("transparency"),
            models.UniqueConstraint(
                fields=["observation", "inputs_hash", "config_hash"], name="preprocessing_preprocessrun_once"
            ),
        ]
        indexes = [
            models.Index(fields=["status", "created_at"], name="preprocessrun_queue"),
            models.Index(fields=["observation", "-created_at"], name="preprocessrun_latest"),
        ]

    def __str__(self) -> str:
        return f"preprocessing of {self.observation_id}"

    @property
    def wcs_error_px(self) -> float:
        """Return the error of positions by its WCS, 1 sigma in one axis, pixels; 0 where nothing is known of it."""
        # Rows of earlier versions know the scatter of the matched stars alone; scatters are distances.
        matched = self.wcs_info.get("error_px", self.wcs_info.get("rms_px", 0.0) / math.sqrt(2.0))
        return math.hypot(matched, self.wcs_info.get("fit_rms_px", 0.0) / math.sqrt(2.0))

    @property
    def zero_point_words(self) -> str:
        """Say catalogue, band and system of the zero point, as "Gaia DR3 G, Vega"."""
        return ", ".join(
            part
            for part in (f"{self.zero_point_catalogue} {self.zero_point_band}".strip(), self.zero_point_system)
            if part
        )

    @property
    def missing_calibration(self) -> list[str]:
        """Say what was not taken off, and why."""
        return [sentence for entry in self.masters for sentence in entry.get("missing", ())]

    @property
    def applied_masters(self) -> list[str]:
        """The kinds of the masters used; the record also says which are missing."""
        return [entry["kind"] for entry in self.masters if "kind" in entry] if self.calibration_applied else []


class StarCatalogFieldQuerySet(RecordQuerySet):
    """Which part of the sky is at hand."""

    def covering(self, ra_deg: float, dec_deg: float, radius_deg: float) -> StarCatalogField | None:
        """Return the deepest field that holds a circle on the sky, the newest of equal ones; None where none does."""
        strip = self.filter(dec__range=(dec_deg - MOST_RADIUS_DEG, dec_deg + MOST_RADIUS_DEG)).defer("stars")
        rows: list[StarCatalogField] = [row for row in strip if row.holds(ra_deg, dec_deg, radius_deg)]
        return max(rows, key=lambda row: (row.faintest_mag, row.fetched_at), default=None)


class StarCatalogField(Record):
    """The stars of one circle on the sky as a service of the Virtual Observatory gave them; used without it."""

    ra = models.FloatField(help_text="Of its middle, ICRS degrees.")
    dec = models.FloatField(help_text="Of its middle, ICRS degrees.")
    radius_deg = models.FloatField()
    service = models.CharField(max_length=500, help_text="Address that was asked.")
    name = models.CharField(max_length=64, help_text="Of the catalogue.")
    bands = models.JSONField(default=list, help_text="Name and system of each magnitude.")
    faintest_mag = models.FloatField(help_text="Down to which it was asked, or was given.")
    epoch_year = models.FloatField(help_text="Julian year at which the positions hold.")
    star_count = models.PositiveIntegerField()
    stars = models.BinaryField(help_text="Declination, right ascension, two motions, magnitudes; numpy, compressed.")
    sha256 = models.CharField(max_length=64)
    fetched_at = models.DateTimeField()

    objects = StarCatalogFieldQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        ordering = ["-fetched_at", "id"]
        constraints = [
            constraints.within("ra", 0.0, 360.0),
            constraints.within("dec", -90.0, 90.0),
            constraints.within("radius_deg", 0.0, MOST_RADIUS_DEG),
            constraints.finite("faintest_mag"),
            constraints.finite("epoch_year"),
            models.UniqueConstraint(
                fields=["ra", "dec", "radius_deg", "service"], name="preprocessing_starcatalogfield_once"
            ),
        ]
        indexes = [models.Index(fields=["dec"], name="starcatalogfield_strip")]

    def __str__(self) -> str:
        return f"{self.name} within {self.radius_deg:g} deg of {self.ra:.3f} {self.dec:+.3f}"

    def holds(self, ra_deg: float, dec_deg: float, radius_deg: float) -> bool:
        """Tell whether a circle on the sky lies within this one."""
        a, b = math.radians(self.dec), math.radians(dec_deg)
        turn = math.sin(math.radians(ra_deg - self.ra) / 2) ** 2
        haversine = math.sin((b - a) / 2) ** 2 + math.cos(a) * math.cos(b) * turn
        return math.degrees(2 * math.asin(min(1.0, math.sqrt(haversine)))) + radius_deg <= self.radius_deg
