"""What the telescopes delivered: surveys, telescopes, fields, exposures and calibration frames."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from django.db import models
from django.db.models import Exists, OuterRef, Q, QuerySet

from catalog import constraints
from catalog.failures import failure_code_choices
from catalog.models import Record, RecordQuerySet
from observations.models.profiles import InstrumentProfile
from observations.models.surveys import Survey
from observations.sky import SkyQuerySet, SkyRecord


class ObservationStatus(models.TextChoices):
    """How far an exposure has come."""

    INGESTED = "ingested"
    PREPROCESSING = "preprocessing"
    PREPROCESSED = "preprocessed"
    DIFFERENCING = "differencing"
    DIFFERENCED = "differenced"
    FAILED = "failed"
    ARCHIVED = "archived"
    IMPORTED = "imported", "imported with an alert, its frame is not here"


class WcsQuality(models.TextChoices):
    """Where a position comes from; nominal ones are never cross-matched, reported or published."""

    SOLVED = "solved", "solved against a star catalogue"
    HEADER = "header", "from the frame's header, checked"
    NOMINAL = "nominal", "from pointing and optics only"


class SaturationUnit(models.TextChoices):
    """What a saturation level is compared with."""

    RAW_ADU = "raw_adu", "stored integers, before BSCALE and BZERO"
    DATA = "data", "physical pixel values"


class CalibrationKind(models.TextChoices):
    """Kinds of calibration frames that a camera delivers."""

    BIAS = "bias"
    DARK = "dark"
    FLAT = "flat"


def shown_by(frames: QuerySet[Observation], surveys: Collection[UUID]) -> Q:
    """Return whether what hangs on several frames is shown where some surveys are hidden: any of these is, or none is.

    frames : of one row of the query, by `OuterRef`.
    """
    return Q(~Exists(frames)) | Q(Exists(frames.exclude(survey__in=surveys)))


class CameraSetting(models.Model):
    """Which camera took an image, and how it was set: calibration frames of another setting do not fit it.

    What a header does not say is empty, and then contradicts nothing.
    """

    camera = models.CharField(max_length=100, blank=True)
    camera_serial = models.CharField(max_length=64, blank=True)
    binning = models.CharField(max_length=16, blank=True)
    readout_mode = models.CharField(max_length=64, blank=True)
    gain_setting = models.CharField(max_length=32, blank=True, help_text="Of the amplifier, as the header writes it.")
    offset_setting = models.CharField(max_length=32, blank=True)
    window = models.CharField(max_length=32, blank=True, help_text="First pixel of a part of the detector.")
    pixel_unit = models.CharField(max_length=16, blank=True, help_text="As the header states it.")
    calibrated = models.JSONField(default=list, blank=True, help_text="What was taken off before delivery.")
    ccd_temperature_c = models.FloatField(null=True, blank=True)

    class Meta:
        abstract = True


class TelescopeQuerySet(RecordQuerySet):
    """Whose telescopes are shown."""

    def outside(self, surveys: Collection[UUID]) -> Self:
        """Return those that some other survey uses, or none at all."""
        return self.filter(shown_by(Observation.objects.filter(telescope=OuterRef("pk")), surveys))


class DetectorKind(models.TextChoices):
    """What takes a telescope's images, in the words of reports to the Minor Planet Center."""

    CCD = "CCD", "CCD"
    CMOS = "CMO", "CMOS"


class Telescope(Record):
    """Where light was gathered; longitude counts east, whatever sign the header used."""

    name = models.CharField(max_length=100, unique=True)
    latitude_deg = models.FloatField(null=True, blank=True, help_text="North positive.")
    longitude_deg = models.FloatField(null=True, blank=True, help_text="East positive, -180 to 180.")
    height_m = models.FloatField(null=True, blank=True)
    mpc_code = models.CharField(max_length=4, blank=True, help_text="Observatory code of the Minor Planet Center.")
    time_zone = models.CharField(max_length=64, blank=True, help_text="IANA name, such as Atlantic/Canary.")
    design = models.CharField(max_length=35, blank=True, help_text="Of its optics, such as Reflector; reports name it.")
    aperture_m = models.FloatField(null=True, blank=True, help_text="Diameter, metres; reports name it.")
    detector = models.CharField(max_length=4, choices=DetectorKind, blank=True, help_text="Reports name it.")
    tns_instrument_id = models.PositiveIntegerField(
        null=True, blank=True, help_text="Number of the instrument at the Transient Name Server."
    )

    objects = TelescopeQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        ordering = ["name"]
        constraints = [
            constraints.within("latitude_deg", -90.0, 90.0),
            constraints.within("longitude_deg", -180.0, 180.0),
            constraints.finite("height_m"),
            constraints.positive("aperture_m"),
            constraints.one_of("detector", DetectorKind, blank=True),
        ]

    def __str__(self) -> str:
        return self.name


class FieldQuerySet(SkyQuerySet):
    """Whose fields are shown."""

    def outside(self, surveys: Collection[UUID]) -> Self:
        """Return those that some other survey has frames of, or none at all."""
        return self.filter(shown_by(Observation.objects.filter(field=OuterRef("pk")), surveys))


class Field(SkyRecord):
    """Frames of one pointing; all of them inherit the world coordinates of one anchor."""

    name = models.CharField(max_length=100, blank=True, db_index=True)
    radius_deg = models.FloatField()
    anchor = models.ForeignKey("Observation", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    objects = FieldQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        ordering = ["name", "id"]
        constraints = [*SkyRecord.Meta.constraints, constraints.positive("radius_deg")]
        indexes = [*SkyRecord.Meta.indexes]

    def __str__(self) -> str:
        return self.name or f"{self.ra:.4f} {self.dec:+.4f}"


class NoFrame(ValueError):
    """Somebody asks for the frame of an exposure that only another survey's alerts told of."""


@dataclass(frozen=True)
class Delivered:
    """What is known of every frame that was delivered."""

    width_px: int
    height_px: int
    exposure_s: float
    sha256: str

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.height_px, self.width_px


class ObservationQuerySet(SkyQuerySet):
    """Questions about exposures."""

    def live(self) -> Self:
        """Return what takes part: all that nobody has archived, and whose frame is here."""
        return self.exclude(status__in=(ObservationStatus.ARCHIVED, ObservationStatus.IMPORTED))

    def with_frame(self) -> Self:
        """Return the exposures whose frame was delivered, archived or not: alerts bring no more than cutouts."""
        return self.exclude(status=ObservationStatus.IMPORTED)


class Observation(SkyRecord, CameraSetting):
    """One exposure of one detector as delivered; `ra`, `dec` are the centre's. The raw file never changes.

    Of one that came with another survey's alerts there is no file, and what the alerts lack is null; `ra`, `dec` are
    then the first alert's.
    """

    survey = models.ForeignKey(Survey, on_delete=models.PROTECT, related_name="observations")
    observation_id = models.CharField(max_length=200, help_text="The survey's own name for it, detector included.")
    observation_time = models.DateTimeField(help_text="Start of the exposure, UTC.")
    filter_band = models.CharField(max_length=32)
    exposure_time = models.FloatField(null=True, blank=True, help_text="Seconds; null where an alert does not tell.")
    fits_url = models.URLField(max_length=2000, blank=True)
    pixel_scale = models.FloatField(null=True, blank=True, help_text="Arcseconds per pixel.")
    image_width = models.PositiveIntegerField(null=True, blank=True, help_text="Pixels; null of an imported one.")
    image_height = models.PositiveIntegerField(null=True, blank=True, help_text="Pixels; null of an imported one.")
    airmass = models.FloatField(null=True, blank=True)
    seeing = models.FloatField(null=True, blank=True, help_text="Full width at half maximum, arcseconds.")
    status = models.CharField(max_length=16, choices=ObservationStatus, default=ObservationStatus.INGESTED)
    fits_file_path = models.CharField(max_length=500, blank=True, help_text="Relative to the data root.")
    thumbnail_path = models.CharField(max_length=500, blank=True, help_text="Relative to the data root.")

    sha256 = models.CharField(
        max_length=64,
        unique=True,
        null=True,
        blank=True,
        help_text="Of the uncompressed header and data; null of an imported one.",
    )
    mjd_utc = models.FloatField(help_text="Middle of the exposure.")
    night = models.DateField(help_text="Date of the evening: local noon to local noon at the site.")
    hdu_index = models.PositiveIntegerField(default=0)
    object_name = models.CharField(max_length=200, blank=True)
    footprint = models.JSONField(default=list, blank=True, help_text="Four corners [[ra, dec], ...], degrees.")
    gain_e_per_adu = models.FloatField(null=True, blank=True)
    read_noise_e = models.FloatField(null=True, blank=True)
    saturation_level = models.FloatField(null=True, blank=True)
    saturation_unit = models.CharField(max_length=8, choices=SaturationUnit, blank=True)
    wcs_quality = models.CharField(max_length=8, choices=WcsQuality, default=WcsQuality.NOMINAL)
    delivered_wcs_quality = models.CharField(
        max_length=8, choices=WcsQuality, blank=True, help_text="Before any frame of its field was solved or matched."
    )
    telescope = models.ForeignKey(Telescope, on_delete=models.PROTECT, null=True, blank=True)
    field = models.ForeignKey(Field, on_delete=models.PROTECT, null=True, blank=True, related_name="observations")
    bayer_pattern = models.CharField(max_length=4, blank=True, help_text="Colours of the first 2 x 2 pixels.")
    header = models.JSONField(default=dict, blank=True)
    given = models.JSONField(default=dict, blank=True, help_text="What a person gave beside the file.")
    facts = models.JSONField(
        default=dict, blank=True, help_text="Where each fact comes from: keyword, what it says, how it was read."
    )
    profile = models.ForeignKey(InstrumentProfile, on_delete=models.SET_NULL, null=True, blank=True)
    read_by_version = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Of the reading of headers; empty: its doubts were never examined."
    )
    original_name = models.CharField(max_length=255, blank=True, help_text="The file's name as delivered.")
    failure_code = models.CharField(max_length=40, choices=failure_code_choices, blank=True)
    error_message = models.TextField(blank=True)

    objects = ObservationQuerySet.as_manager()  # type: ignore[misc]

    way_to_survey = "survey"

    class Meta:
        ordering = ["observation_time", "id"]
        constraints = [
            *SkyRecord.Meta.constraints,
            constraints.one_of("status", ObservationStatus),
            constraints.one_of("wcs_quality", WcsQuality),
            constraints.one_of("delivered_wcs_quality", WcsQuality, blank=True),
            constraints.one_of("saturation_unit", SaturationUnit, blank=True),
            constraints.reason_when_failed(),
            constraints.positive("exposure_time"),
            constraints.positive("pixel_scale"),
            constraints.at_least("image_width", 1),
            constraints.at_least("image_height", 1),
            constraints.positive("airmass"),
            constraints.positive("seeing"),
            constraints.finite("mjd_utc"),
            constraints.positive("gain_e_per_adu"),
            constraints.not_negative("read_noise_e"),
            constraints.positive("saturation_level"),
            constraints.finite("ccd_temperature_c"),
            models.CheckConstraint(
                condition=Q(saturation_level__isnull=True) | ~Q(saturation_unit=""),
                name="observations_observation_saturation_has_unit",
                violation_error_message="A saturation level needs the unit that it applies to.",
            ),
            constraints.only_imported_lack(
                Q(status=ObservationStatus.IMPORTED), "exposure_time", "image_width", "image_height", "sha256"
            ),
            models.UniqueConstraint(
                fields=["survey", "observation_id"], name="observations_observation_once_per_survey"
            ),
        ]
        indexes = [
            *SkyRecord.Meta.indexes,
            models.Index(fields=["status", "observation_time"], name="observation_queue"),
            models.Index(fields=["field", "filter_band", "mjd_utc"], name="observation_of_field"),
            models.Index(fields=["night", "telescope"], name="observation_night"),
            models.Index(fields=["observation_time", "id"], name="observation_time"),
            models.Index(fields=["updated_at", "id"], name="observation_changed"),
            # Orders of the list, narrowed.
            models.Index(fields=["night", "observation_time", "id"], name="observation_list_night"),
            models.Index(fields=["field", "observation_time", "id"], name="observation_list_field"),
            models.Index(fields=["filter_band", "observation_time", "id"], name="observation_list_band"),
            models.Index(fields=["survey", "observation_time", "id"], name="observation_list_survey"),
            # Beginnings of names.
            models.Index(fields=["original_name"], opclasses=["varchar_pattern_ops"], name="observation_file"),
            models.Index(fields=["observation_id"], opclasses=["varchar_pattern_ops"], name="observation_name"),
        ]

    def __str__(self) -> str:
        return self.observation_id

    @property
    def shown_name(self) -> str:
        """The name of its file; the survey's own name where it came without one."""
        return self.original_name or self.observation_id

    @property
    def delivered(self) -> Delivered:
        """What is known of its frame. Raises NoFrame where it was imported: then nothing may ask."""
        width, height, exposure_s, digest = self.image_width, self.image_height, self.exposure_time, self.sha256
        if width is None or height is None or exposure_s is None or digest is None:
            raise NoFrame(f"{self} was imported with an alert: its frame is not here.")
        return Delivered(width, height, exposure_s, digest)


class CalibrationFrameQuerySet(RecordQuerySet):
    """Whose calibration frames are shown."""

    def outside(self, surveys: Collection[UUID]) -> Self:
        """Return those of telescopes that are shown, and of none that is known: they are of no survey."""
        return self.filter(Q(telescope__isnull=True) | Q(telescope__in=Telescope.objects.all().outside(surveys)))


class CalibrationFrame(Record, CameraSetting):
    """A bias, dark or flat frame as delivered."""

    kind = models.CharField(max_length=8, choices=CalibrationKind)
    sha256 = models.CharField(max_length=64, unique=True, help_text="Of the uncompressed header and data.")
    night = models.DateField()
    observation_time = models.DateTimeField(help_text="Start of the exposure, UTC.")
    exposure_time = models.FloatField(help_text="Seconds; 0 for a bias.")
    telescope = models.ForeignKey(Telescope, on_delete=models.PROTECT, null=True, blank=True)
    gain = models.FloatField(null=True, blank=True, help_text="Electrons per ADU, as the header states it.")
    filter_band = models.CharField(max_length=32, blank=True, help_text="Of a flat.")
    image_width = models.PositiveIntegerField(help_text="Pixels.")
    image_height = models.PositiveIntegerField(help_text="Pixels.")
    fits_file_path = models.CharField(max_length=500, blank=True, help_text="Relative to the data root.")
    hdu_index = models.PositiveIntegerField(default=0)
    original_name = models.CharField(max_length=255, blank=True, help_text="The file's name as delivered.")
    header = models.JSONField(default=dict, blank=True)
    given = models.JSONField(default=dict, blank=True, help_text="What a person gave beside the file.")

    objects = CalibrationFrameQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        ordering = ["observation_time", "id"]
        constraints = [
            constraints.one_of("kind", CalibrationKind),
            constraints.not_negative("exposure_time"),
            constraints.at_least("image_width", 1),
            constraints.at_least("image_height", 1),
            constraints.finite("gain"),
            constraints.finite("ccd_temperature_c"),
        ]
        indexes = [models.Index(fields=["kind", "camera", "binning", "night"], name="calibrationframe_key")]

    def __str__(self) -> str:
        return f"{self.kind} {self.original_name or self.id}"
