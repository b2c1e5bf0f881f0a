"""What models made of the candidates: scores, detections, and the sources they belong to."""

from __future__ import annotations

from collections.abc import Collection
from typing import Self
from uuid import UUID

from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Abs, Coalesce

from catalog import constraints
from catalog.models import Record
from detection.models.registry import Model, ModelRun
from differencing.models import Candidate
from observations.models import Observation, WcsQuality
from observations.sky import InjectableRecord, RealManager, SkyQuerySet, SkyRecord


class DetectionType(models.TextChoices):
    """What a detection is taken for; one epoch cannot tell a supernova, so its label says candidate."""

    SUPERNOVA = "supernova", "supernova candidate"
    VARIABLE = "variable"
    TRANSIENT = "transient"
    UNKNOWN = "unknown"
    ARTIFACT = "artifact"


class DetectionStatus(models.TextChoices):
    """How far people have come with a detection."""

    PENDING = "pending"
    VALIDATING = "validating", "being reviewed"
    VALIDATED = "validated", "judged real"
    REJECTED = "rejected"
    CONFIRMED = "confirmed", "confirmed by independent evidence"
    ARCHIVED = "archived"


class DetectionOrigin(models.TextChoices):
    """Who found it."""

    PIPELINE = "pipeline"
    PROMOTED = "promoted", "promoted by a person, against the model"
    SAMPLED = "sampled", "drawn at random from what the model hides"
    IMPORTED = "imported", "imported from another alert stream"


class Urgency(models.IntegerChoices):
    """How soon people should see something, by how bright and significant it is."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4


# Against what the model says: no source until people call it real, and repeated stages leave it.
AGAINST_THE_MODEL = (DetectionOrigin.PROMOTED, DetectionOrigin.SAMPLED)


class CandidateScore(Record):
    """What one model says of one candidate, also below the threshold."""

    candidate = models.ForeignKey(Candidate, on_delete=models.CASCADE, related_name="scores")
    model = models.ForeignKey(Model, on_delete=models.PROTECT, related_name="scores")
    model_run = models.ForeignKey(ModelRun, on_delete=models.CASCADE, related_name="scores")
    score = models.FloatField(help_text="1 = real, 0 = bogus.")
    p_supernova = models.FloatField(null=True, blank=True, help_text="If it is real, by its stamp alone; null unknown.")
    p_variable = models.FloatField(null=True, blank=True, help_text="If it is real, by its stamp alone; null unknown.")
    p_transient = models.FloatField(null=True, blank=True, help_text="If it is real, by its stamp alone; null unknown.")
    anomaly = models.FloatField(null=True, blank=True, help_text="Share of the training's stamps that is more usual.")
    features = models.BinaryField(
        null=True, blank=True, help_text="What the model goes by, float16: what is near in them is alike to it."
    )
    weights_sha256 = models.CharField(max_length=64)

    way_to_survey = "candidate__observation__survey"

    class Meta:
        constraints = [
            *(constraints.within(name, 0.0, 1.0) for name in ("score", "p_supernova", "p_variable", "p_transient")),
            constraints.within("anomaly", 0.0, 1.0),
            models.UniqueConstraint(fields=["candidate", "model"], name="detection_candidatescore_once"),
            models.CheckConstraint(
                condition=~Q(weights_sha256=""),
                name="detection_candidatescore_has_weights",
                violation_error_message="A score names the weights that gave it.",
            ),
        ]
        indexes = [models.Index(fields=["model", "-score", "id"], name="candidatescore_by_score")]

    def __str__(self) -> str:
        return f"{self.score:.3f}"


class SourceQuerySet(SkyQuerySet):
    """Whose sources are shown."""

    def outside(self, surveys: Collection[UUID]) -> Self:
        """Return those with a detection that is shown, or with none."""
        theirs = Detection.objects.filter(source=OuterRef("pk"))
        return self.filter(~Exists(theirs) | Exists(theirs.outside(surveys)))


class Source(SkyRecord):
    """The astronomical object: detections within the combined position error; `ra`, `dec` are their mean."""

    name = models.CharField(max_length=100, blank=True, db_index=True)
    position_error_arcsec = models.FloatField()
    first_detected_at = models.DateTimeField(null=True, blank=True)
    last_detected_at = models.DateTimeField(null=True, blank=True)
    detection_count = models.PositiveIntegerField(default=0)
    wcs_quality = models.CharField(max_length=8, choices=WcsQuality, default=WcsQuality.NOMINAL)

    objects = SourceQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        ordering = ["-last_detected_at", "id"]
        constraints = [
            *SkyRecord.Meta.constraints,
            constraints.positive("position_error_arcsec"),
            constraints.one_of("wcs_quality", WcsQuality),
        ]
        indexes = [
            *SkyRecord.Meta.indexes,
            models.Index(fields=["-last_detected_at", "id"], name="source_latest"),
            models.Index(fields=["updated_at", "id"], name="source_changed"),
        ]

    def __str__(self) -> str:
        return self.name or f"{self.ra:.5f} {self.dec:+.5f}"


class DetectionQuerySet(SkyQuerySet):
    """Questions about detections."""

    def live(self) -> Self:
        """Return what still stands: all that nothing has archived."""
        return self.exclude(status=DetectionStatus.ARCHIVED)

    def without_their_source(self) -> Self:
        """Return those against the model that people call real, and that have no source yet."""
        real = (DetectionStatus.VALIDATED, DetectionStatus.CONFIRMED)
        return self.filter(origin__in=AGAINST_THE_MODEL, status__in=real, source__isnull=True)


class Detection(InjectableRecord):
    """What a person reviews."""

    model_run = models.ForeignKey(ModelRun, on_delete=models.PROTECT, related_name="detections")
    observation = models.ForeignKey(Observation, on_delete=models.PROTECT, related_name="detections")
    candidate = models.ForeignKey(Candidate, on_delete=models.PROTECT, null=True, blank=True, related_name="detections")
    source = models.ForeignKey(Source, on_delete=models.PROTECT, null=True, blank=True, related_name="detections")
    origin = models.CharField(max_length=10, choices=DetectionOrigin, default=DetectionOrigin.PIPELINE)
    pixel_x = models.FloatField(help_text="0-based in the science frame's raw grid.")
    pixel_y = models.FloatField(help_text="0-based in the science frame's raw grid.")
    confidence_score = models.FloatField(help_text="1 = real, 0 = bogus; of `model_version`.")
    drawn_score = models.FloatField(
        null=True, blank=True, help_text="Of what was drawn from the hidden: the score at whose place it is reviewed."
    )
    inclusion_probability = models.FloatField(
        null=True, blank=True, help_text="Of what was drawn from the hidden: one over it is its weight."
    )
    queue_score = models.GeneratedField(
        expression=Coalesce("drawn_score", "confidence_score"),
        output_field=models.FloatField(),
        db_persist=True,
        help_text="What lists and the queue are ordered by.",
    )
    novelty = models.FloatField(
        null=True,
        blank=True,
        help_text="When it was found: 1 / (1 + earlier nights on which something was here), 0 for a known body.",
    )
    urgency = models.PositiveSmallIntegerField(
        null=True, blank=True, choices=Urgency, help_text="By brightness and significance, when it was found."
    )
    anomaly = models.FloatField(
        null=True, blank=True, help_text="Share of what the model was trained with that is more ordinary; null unknown."
    )
    disagreement = models.FloatField(
        null=True, blank=True, help_text="How far the score of another version of the model is from this one's."
    )
    detection_type = models.CharField(max_length=10, choices=DetectionType, default=DetectionType.UNKNOWN)
    predicted_type = models.CharField(
        max_length=10, choices=DetectionType, default=DetectionType.UNKNOWN, help_text="Until a person says it."
    )
    model_version = models.CharField(max_length=160, help_text="Name and version of the model.")
    inference_time_ms = models.FloatField(null=True, blank=True)
    prediction_metadata = models.JSONField(default=dict, blank=True)
    status = models.CharField(max_length=10, choices=DetectionStatus, default=DetectionStatus.PENDING)
    is_validated = models.BooleanField(default=False)
    validation_confidence = models.FloatField(
        null=True, blank=True, help_text="Weighted share of the answers that agree with the verdict."
    )
    human_label = models.CharField(max_length=64, blank=True)
    cutouts_path = models.CharField(max_length=500, blank=True, help_text="Relative to the data root.")

    objects = RealManager.from_queryset(DetectionQuerySet)()  # type: ignore[misc, assignment]
    with_injected = DetectionQuerySet.as_manager()  # type: ignore[misc]

    way_to_survey = "observation__survey"

    class Meta:
        ordering = ["-queue_score", "id"]
        constraints = [
            *SkyRecord.Meta.constraints,
            constraints.one_of("origin", DetectionOrigin),
            constraints.one_of("detection_type", DetectionType),
            constraints.one_of("predicted_type", DetectionType),
            constraints.one_of("status", DetectionStatus),
            constraints.finite("pixel_x"),
            constraints.finite("pixel_y"),
            constraints.within("confidence_score", 0.0, 1.0),
            constraints.within("novelty", 0.0, 1.0),
            constraints.within("anomaly", 0.0, 1.0),
            constraints.within("disagreement", 0.0, 1.0),
            constraints.one_of("urgency", Urgency),
            constraints.within("validation_confidence", 0.0, 1.0),
            constraints.not_negative("inference_time_ms"),
            models.CheckConstraint(
                condition=Q(origin=DetectionOrigin.IMPORTED) | Q(candidate__isnull=False),
                name="detection_detection_origin_and_candidate",
                violation_error_message="Only an imported detection may have no candidate.",
            ),
            constraints.within("drawn_score", 0.0, 1.0),
            models.CheckConstraint(
                condition=Q(
                    origin=DetectionOrigin.SAMPLED,
                    inclusion_probability__isnull=False,
                    inclusion_probability__gt=0.0,
                )
                | Q(~Q(origin=DetectionOrigin.SAMPLED), inclusion_probability__isnull=True, drawn_score__isnull=True),
                name="detection_detection_sampled_has_probability",
                violation_error_message="What was drawn has its probability, between 0 and 1; nothing else has one.",
            ),
            constraints.within("inclusion_probability", 0.0, 1.0),
            models.UniqueConstraint(fields=["candidate"], name="detection_detection_one_per_candidate"),
        ]
        indexes = [
            *SkyRecord.Meta.indexes,
            models.Index(fields=["updated_at", "id"], name="detection_changed"),
            models.Index(fields=["status", "-queue_score", "id"], name="detection_queue"),
            models.Index(
                Abs(F("queue_score") - 0.5), "id", name="detection_unsure", condition=Q(status=DetectionStatus.PENDING)
            ),
            models.Index(fields=["id"], name="detection_by_age", condition=Q(status=DetectionStatus.PENDING)),
            *(
                # What is not known comes last, as in the order of the queue.
                models.Index(
                    Coalesce(F(name), -1, output_field=kind).desc(),
                    F("queue_score").desc(),
                    "id",
                    name=f"detection_by_{name}",
                    condition=Q(status=DetectionStatus.PENDING),
                )
                for name, kind in (
                    ("novelty", models.FloatField()),
                    ("urgency", models.IntegerField()),
                    ("anomaly", models.FloatField()),
                    ("disagreement", models.FloatField()),
                )
            ),
            models.Index(fields=["source", "created_at"], name="detection_of_source"),
            models.Index(fields=["observation", "-confidence_score"], name="detection_of_observation"),
            models.Index(fields=["-created_at", "-id"], name="detection_latest"),
            # What people narrow the list by, in either of its orders.
            models.Index(fields=["-queue_score", "id"], name="detection_best"),
            models.Index(fields=["status", "-created_at", "-id"], name="detection_latest_of_state"),
            models.Index(fields=["detection_type", "-created_at", "-id"], name="detection_latest_of_type"),
            models.Index(
                fields=["human_label", "-created_at", "-id"],
                name="detection_latest_of_label",
                condition=~Q(human_label=""),
            ),
            models.Index(
                fields=["-created_at", "-id"],
                name="detection_latest_promoted",
                condition=Q(origin=DetectionOrigin.PROMOTED),
            ),
            models.Index(
                fields=["-created_at", "-id"],
                name="detection_latest_sampled",
                condition=Q(origin=DetectionOrigin.SAMPLED),
            ),
            models.Index(
                fields=["-created_at", "-id"],
                name="detection_latest_imported",
                condition=Q(origin=DetectionOrigin.IMPORTED),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_detection_type_display()} {self.confidence_score:.2f}"
