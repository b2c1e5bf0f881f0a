"""Subtractions, what stood out in them, and what moves."""

from __future__ import annotations

from collections.abc import Collection
from typing import Self
from uuid import UUID

from django.db import models
from django.db.models import Exists, OuterRef, Q

from catalog import constraints
from catalog.models import Record, RecordQuerySet, Run, RunQuerySet, RunStatus
from differencing.flags import FLAGS, Flag
from differencing.models.references import Reference
from observations.models import Field, Observation
from observations.sky import InjectableRecord, RealManager, SkyQuerySet, SkyRecord

# The algorithm of what another survey subtracted: no image of it is here, and no reference.
IMPORTED = "imported"
_MEASURED = ("flux", "flux_error", "significance", "snr", "masked_share")
_IMPORTED = "Of another survey's alert: what that does not tell is null."


class CandidateStatus(models.TextChoices):
    """What became of a peak."""

    PENDING = "pending"
    PROCESSING = "processing"
    DETECTED = "detected"
    LINKED = "linked", "moving"
    REJECTED = "rejected"
    DUPLICATE = "duplicate"


class DifferenceRunQuerySet(RunQuerySet):
    """Which run of a frame counts, and which one tells what became of it."""

    def newest_for(self, observation: Observation) -> DifferenceRun | None:
        """Return the newest completed run of one observation."""
        newest: DifferenceRun | None = self.completed().filter(observation=observation).newest_first().first()
        return newest

    def last_for(self, observation: Observation) -> DifferenceRun | None:
        """Return the run that changed last, whatever became of it: one that failed or waits tells why."""
        last: DifferenceRun | None = self.filter(observation=observation).order_by("-updated_at", "-id").first()
        return last


class DifferenceRun(Run):
    """One subtraction of one reference from one observation with one set of parameters."""

    observation = models.ForeignKey(Observation, on_delete=models.PROTECT, related_name="difference_runs")
    reference_observation = models.ForeignKey(
        Observation,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="difference_runs_as_reference",
        help_text="For a stack, its best member; null while waiting, and against an image that was given.",
    )
    reference = models.ForeignKey(
        Reference, on_delete=models.PROTECT, null=True, blank=True, related_name="difference_runs"
    )
    algorithm = models.CharField(max_length=32, default="zogy")
    parameters = models.JSONField(default=dict, blank=True, help_text="Every value used.")
    parameters_hash = models.CharField(max_length=64, blank=True)
    inputs_hash = models.CharField(max_length=64, blank=True)
    difference_image_path = models.CharField(max_length=500, blank=True, help_text="Relative to the data root.")
    significance_map_path = models.CharField(max_length=500, blank=True, help_text="Relative to the data root.")
    reference_aligned_path = models.CharField(max_length=500, blank=True, help_text="Relative to the data root.")
    noise_level = models.FloatField(null=True, blank=True, help_text="Per pixel of the difference, science ADU.")
    detection_threshold = models.FloatField(null=True, blank=True, help_text="Sigma.")
    candidates_found = models.PositiveIntegerField(null=True, blank=True, help_text="Null until it is known.")
    registration_rms_px = models.FloatField(null=True, blank=True)
    matched_stars = models.PositiveIntegerField(null=True, blank=True)
    noise_rescale = models.FloatField(
        null=True, blank=True, help_text="Noise of the score image before it was set to 1; 1 is perfect."
    )
    doubts = models.JSONField(
        default=list, blank=True, help_text="What may be wrong with it: code, fact, value and a sentence for each."
    )
    processing_time_seconds = models.FloatField(null=True, blank=True)
    retry_count = models.PositiveIntegerField(default=0)

    objects = DifferenceRunQuerySet.as_manager()  # type: ignore[misc]

    way_to_survey = "observation__survey"

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            *Run.Meta.constraints,
            constraints.not_negative("noise_level"),
            constraints.positive("detection_threshold"),
            constraints.not_negative("registration_rms_px"),
            constraints.positive("noise_rescale"),
            constraints.not_negative("processing_time_seconds"),
            models.CheckConstraint(
                condition=~Q(status=RunStatus.COMPLETED)
                | Q(algorithm=IMPORTED, candidates_found__isnull=False)
                | Q(
                    Q(reference_observation__isnull=False) | Q(reference__isnull=False), candidates_found__isnull=False
                ),
                name="differencing_differencerun_completed_has_reference",
                violation_error_message="A completed run names its reference and its number of candidates.",
            ),
            models.CheckConstraint(
                condition=~Q(reference_observation=models.F("observation")),
                name="differencing_differencerun_not_itself",
                violation_error_message="An observation is never its own reference.",
            ),
            models.UniqueConstraint(
                fields=["observation", "reference_observation", "reference", "algorithm", "parameters_hash"],
                nulls_distinct=False,
                name="differencing_differencerun_once",
            ),
        ]
        indexes = [
            models.Index(fields=["status", "created_at"], name="differencerun_queue"),
            models.Index(fields=["observation", "-created_at"], name="differencerun_latest"),
        ]

    def __str__(self) -> str:
        return f"{self.algorithm} of {self.observation_id}"


class CandidateQuerySet(SkyQuerySet):
    """Which candidates have not been judged by all that is known."""

    def out_of_step(self) -> Self:
        """Return those that were judged before it was known that they move, or that they do not."""
        moving = Q(pk__in=Tracklet.objects.linked().moving().values("members"), is_dipole=False)
        return self.filter(Q(status=CandidateStatus.REJECTED) & moving | Q(status=CandidateStatus.LINKED) & ~moving)


class Candidate(InjectableRecord):
    """One significant peak in one difference."""

    difference_run = models.ForeignKey(DifferenceRun, on_delete=models.CASCADE, related_name="candidates")
    observation = models.ForeignKey(Observation, on_delete=models.PROTECT, related_name="candidates")
    pixel_x = models.FloatField(help_text="0-based in the science frame's raw grid, fractions kept.")
    pixel_y = models.FloatField(help_text="0-based in the science frame's raw grid, fractions kept.")
    flux = models.FloatField(null=True, blank=True, help_text="Signed, science ADU; of imported ones as their cutouts.")
    flux_error = models.FloatField(null=True, blank=True, help_text="In the unit of the flux.")
    significance = models.FloatField(null=True, blank=True, help_text="Signed S_corr at the interpolated peak, sigma.")
    snr = models.FloatField(null=True, blank=True, help_text="Signed PSF flux / its error with the source's own noise.")
    position_error_px = models.FloatField(
        null=True, blank=True, help_text="By noise alone, 1 sigma in each axis; of a trail's middle, along it."
    )
    fwhm = models.FloatField(null=True, blank=True, help_text="Pixels.")
    ellipticity = models.FloatField(null=True, blank=True, help_text="1 - b/a.")
    position_angle = models.FloatField(
        null=True, blank=True, help_text="Degrees east of north; null without a solved WCS."
    )
    trail_length_arcsec = models.FloatField(
        null=True, blank=True, help_text="How far it moved during the exposure; null for what looks like a point."
    )
    trail_length_error_arcsec = models.FloatField(null=True, blank=True)
    trail_angle = models.FloatField(
        null=True, blank=True, help_text="Degrees east of north, 0 to 180; null without a solved WCS."
    )
    trail_angle_error = models.FloatField(null=True, blank=True, help_text="Degrees.")
    trail_flux = models.FloatField(null=True, blank=True, help_text="Of the whole trail, science ADU.")
    trail_flux_error = models.FloatField(null=True, blank=True, help_text="Science ADU.")
    trail_chi2_gain = models.FloatField(
        null=True, blank=True, help_text="By how much a trail fits better than a point, two parameters more."
    )
    is_saturated = models.BooleanField(default=False)
    is_blended = models.BooleanField(default=False)
    is_edge = models.BooleanField(default=False)
    is_negative = models.BooleanField(default=False)
    is_dipole = models.BooleanField(default=False)
    is_reference_ghost = models.BooleanField(
        default=False, help_text="A source of the reference that has moved or faded."
    )
    masked_share = models.FloatField(null=True, blank=True, default=0.0, help_text="Masked fraction of the core.")
    vetoes = models.JSONField(default=list, blank=True, help_text="What speaks against it: code, value, message.")
    status = models.CharField(max_length=16, choices=CandidateStatus, default=CandidateStatus.PENDING)
    is_imported = models.BooleanField(default=False, db_default=False, editable=False, help_text=_IMPORTED)

    objects = RealManager.from_queryset(CandidateQuerySet)()  # type: ignore[misc, assignment]

    way_to_survey = "observation__survey"

    class Meta:
        ordering = ["-significance", "id"]
        constraints = [
            *SkyRecord.Meta.constraints,
            constraints.one_of("status", CandidateStatus),
            constraints.finite("pixel_x"),
            constraints.finite("pixel_y"),
            constraints.finite("flux"),
            constraints.positive("flux_error"),
            constraints.finite("significance"),
            constraints.finite("snr"),
            constraints.positive("position_error_px"),
            constraints.positive("fwhm"),
            constraints.within("ellipticity", 0.0, 1.0),
            constraints.within("position_angle", -180.0, 360.0),
            constraints.within("masked_share", 0.0, 1.0),
            constraints.positive("trail_length_arcsec"),
            constraints.positive("trail_length_error_arcsec"),
            constraints.within("trail_angle", 0.0, 180.0),
            constraints.positive("trail_angle_error"),
            constraints.positive("trail_flux"),
            constraints.positive("trail_flux_error"),
            constraints.not_negative("trail_chi2_gain"),
            constraints.only_imported_lack(Q(is_imported=True), *_MEASURED),
        ]
        indexes = [
            *SkyRecord.Meta.indexes,
            models.Index(fields=["status", "created_at"], name="candidate_queue"),
            models.Index(fields=["difference_run", "-significance"], name="candidate_of_run"),
            models.Index(fields=["-significance", "id"], name="candidate_strongest"),
            # A frame has thousands of candidates and a few of these, which are asked for with each detection.
            models.Index(
                fields=["difference_run"],
                condition=models.Q(is_reference_ghost=True),
                include=["pixel_x", "pixel_y", "is_injected"],
                name="candidate_ghosts",
            ),
        ]

    def __str__(self) -> str:
        strength = f"{self.significance:+.1f} sigma" if self.significance is not None else "candidate"
        return f"{strength} at {self.ra:.5f} {self.dec:+.5f}"

    @property
    def flags(self) -> list[Flag]:
        """Return what makes it doubtful."""
        return [flag for flag in FLAGS if getattr(self, f"is_{flag.name}")]

    @property
    def veto_codes(self) -> frozenset[str]:
        """Return the codes of what speaks against it."""
        return frozenset(veto["code"] for veto in self.vetoes)


class MoverQuerySet(RecordQuerySet):
    """Whose movers are shown."""

    def outside(self, surveys: Collection[UUID]) -> Self:
        """Return those with a tracklet that is shown, or with none."""
        theirs = Tracklet.objects.filter(mover=OuterRef("pk"))
        return self.filter(~Exists(theirs) | Exists(theirs.outside(surveys)))


class Mover(Record):
    """One thing that moved in several nights: one orbit about the Sun explains its tracklets."""

    rms_arcsec = models.FloatField(help_text="Distance of its tracklets from the orbit.")
    chance_rate = models.FloatField(
        help_text="How many as good as this one chance makes of the tracklets of these nights."
    )

    objects = MoverQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [constraints.not_negative("rms_arcsec"), constraints.not_negative("chance_rate")]

    def __str__(self) -> str:
        return f"mover {self.pk}"


class TrackletKind(models.TextChoices):
    """How a moving object was found."""

    LINKED = "linked", "candidates on a line"
    STACKED = "stacked", "frames shifted and added"


class TrackletQuerySet(RecordQuerySet):
    """Which tracklets count."""

    def outside(self, surveys: Collection[UUID]) -> Self:
        """Return those with a member that is shown; without members, of a night of a field of which no frame is hidden:
        its positions name the frames that were added."""
        members = Candidate.objects.filter(tracklets=OuterRef("pk"))
        hidden = Observation.objects.filter(field=OuterRef("field"), night=OuterRef("night"), survey__in=surveys)
        is_of_frames = ~Exists(members) & ~Exists(hidden)
        return self.filter(is_of_frames | Q(Exists(members.outside(surveys))))

    def linked(self) -> TrackletQuerySet:
        """Return those that have candidates as members."""
        return self.filter(kind=TrackletKind.LINKED)

    def moving(self) -> TrackletQuerySet:
        """Return those that chance does not explain: moving objects."""
        return self.filter(is_doubtful=False)


class Tracklet(Record):
    """Something that moves on a line at one rate in one night: candidates, or what the frames show when added."""

    field = models.ForeignKey(Field, on_delete=models.PROTECT, related_name="tracklets")
    night = models.DateField()
    rate_arcsec_per_min = models.FloatField()
    position_angle = models.FloatField(null=True, blank=True, help_text="Of the motion, degrees east of north.")
    kind = models.CharField(max_length=8, choices=TrackletKind, default=TrackletKind.LINKED)
    rms_arcsec = models.FloatField(null=True, blank=True, help_text="Scatter of the candidates about the line.")
    stack_score = models.FloatField(
        null=True, blank=True, help_text="Of the frames shifted along the motion and added, sigma."
    )
    positions = models.JSONField(
        default=list,
        blank=True,
        help_text="Where it was in each frame, for what has no candidates.",
    )
    trail_ratio = models.FloatField(
        null=True, blank=True, help_text="Length of its trails / what its rate makes of the exposures; null if unknown."
    )
    chance_rate = models.FloatField(
        null=True, blank=True, help_text="Tracklets as good as this one that chance makes of such a night."
    )
    is_doubtful = models.BooleanField(
        default=False,
        help_text="Chance makes such tracklets too often, or the trails deny the rate: it is no moving object.",
    )
    members = models.ManyToManyField(Candidate, related_name="tracklets")
    mover = models.ForeignKey(
        Mover,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="tracklets",
        help_text="What it is with tracklets of other nights; null where no orbit joins it to one.",
    )

    objects = TrackletQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        ordering = ["-night", "id"]
        constraints = [
            constraints.not_negative("rate_arcsec_per_min"),
            constraints.within("position_angle", -180.0, 360.0),
            constraints.not_negative("rms_arcsec"),
            constraints.one_of("kind", TrackletKind),
            constraints.finite("stack_score"),
            constraints.not_negative("chance_rate"),
            constraints.not_negative("trail_ratio"),
        ]
        indexes = [models.Index(fields=["field", "night"], name="tracklet_night")]

    def __str__(self) -> str:
        return f"{self.rate_arcsec_per_min:.3f} arcsec/min, {self.night}"
