"""What people say of detections, one by one, and where they do not agree."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from catalog import constraints
from catalog.ids import uuid7
from catalog.models import Record
from detection.models import Detection, DetectionType


class ConfidenceLevel(models.TextChoices):
    """How sure the person is."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    EXPERT = "expert"


class Quality(models.TextChoices):
    """Grades of an image or of a detection."""

    EXCELLENT = "excellent"
    GOOD = "good"
    FAIR = "fair"
    POOR = "poor"


class EventKind(models.TextChoices):
    """A judgement, or the taking back of one."""

    VERDICT = "verdict"
    WITHDRAWAL = "withdrawal"


class Shown(models.TextChoices):
    """How a detection was seen when its person answered about it."""

    LARGE = "large", "large on screen"
    STRIP = "strip", "in the strip of epochs"
    UNSEEN = "unseen", "not on screen"


class LabelDefinition(Record):
    """A label that people may give, with what it means for a detection."""

    label = models.CharField(max_length=64, unique=True, validators=[RegexValidator(r"^[a-z][a-z0-9_]*\Z")])
    title = models.CharField(max_length=100)
    description = models.TextField(blank=True)
    detection_type = models.CharField(max_length=10, choices=DetectionType)
    is_valid = models.BooleanField(help_text="True: something in the sky that this frame shows.")
    is_active = models.BooleanField(default=True)
    position = models.PositiveSmallIntegerField(default=0, help_text="Order of appearance.")

    class Meta:
        ordering = ["position", "label"]
        constraints = [constraints.one_of("detection_type", DetectionType)]

    def __str__(self) -> str:
        return self.title


class ValidationEvent(Record):
    """One person's judgement; rows are only ever added (triggers refuse the rest)."""

    id = models.UUIDField(primary_key=True, default=uuid7, help_text="Made by the client.")
    # The latest answer counts, and clocks of several machines disagree: the database's is the one.
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    detection = models.ForeignKey(Detection, on_delete=models.PROTECT, related_name="validation_events")
    validator = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        db_column="validator_id",
        related_name="validation_events",
    )
    kind = models.CharField(max_length=10, choices=EventKind, default=EventKind.VERDICT)
    is_valid = models.BooleanField(null=True, blank=True, help_text="Null only for a withdrawal.")
    label = models.CharField(max_length=64, blank=True)
    confidence_level = models.CharField(max_length=8, choices=ConfidenceLevel, default=ConfidenceLevel.MEDIUM)
    notes = models.TextField(blank=True)
    tags = models.JSONField(default=list, blank=True)
    image_quality = models.CharField(max_length=10, choices=Quality, blank=True)
    detection_quality = models.CharField(max_length=10, choices=Quality, blank=True)
    supersedes = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="superseded_by"
    )
    seconds_taken = models.FloatField(null=True, blank=True)
    visible_context = models.JSONField(default=dict, blank=True, help_text="What was shown: blind or not.")
    weight = models.FloatField(default=1.0, help_text="How much its person's answers counted when it was given.")
    settles = models.BooleanField(default=False, help_text="Whether an expert ended a conflict of others with it.")
    group = models.UUIDField(
        null=True,
        blank=True,
        help_text="What was answered with one key, about one object, has one; made by the client.",
    )
    shown = models.CharField(
        max_length=6,
        choices=Shown,
        blank=True,
        help_text="How it was seen when it was answered about; blank where that is not known.",
    )

    way_to_survey = "detection__observation__survey"

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [
            constraints.one_of("kind", EventKind),
            constraints.one_of("confidence_level", ConfidenceLevel),
            constraints.one_of("image_quality", Quality, blank=True),
            constraints.one_of("detection_quality", Quality, blank=True),
            constraints.one_of("shown", Shown, blank=True),
            constraints.not_negative("seconds_taken"),
            constraints.positive("weight"),
            models.CheckConstraint(
                condition=Q(kind=EventKind.VERDICT, is_valid__isnull=False)
                | Q(kind=EventKind.WITHDRAWAL, supersedes__isnull=False),
                name="curation_validationevent_says_something",
                violation_error_message="A verdict says valid or not; a withdrawal names what it takes back.",
            ),
            models.CheckConstraint(
                condition=Q(supersedes__isnull=True) | ~Q(supersedes=F("id")),
                name="curation_validationevent_not_itself",
                violation_error_message="An event cannot supersede itself.",
            ),
        ]
        indexes = [
            models.Index(fields=["detection", "created_at"], name="validationevent_of_detection"),
            models.Index(fields=["validator", "-created_at"], name="validationevent_of_person"),
            models.Index(fields=["-created_at", "-id"], name="validationevent_latest"),
            models.Index(fields=["group"], name="validationevent_of_group", condition=Q(group__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} on {self.detection_id}"


class Conflict(Record):
    """A detection about which people do not agree, and which an expert must settle; gone once it is settled."""

    detection = models.OneToOneField(Detection, on_delete=models.CASCADE, related_name="conflict")

    way_to_survey = "detection__observation__survey"

    class Meta:
        ordering = ["created_at", "id"]

    def __str__(self) -> str:
        return f"conflict about {self.detection_id}"


class Contradiction(Record):
    """An answer that contradicts what somebody had said before, until that person has been told."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="contradictions", help_text="Who is told."
    )
    event = models.ForeignKey(ValidationEvent, on_delete=models.CASCADE, related_name="contradictions")
    told_at = models.DateTimeField(null=True, blank=True)

    way_to_survey = "event__detection__observation__survey"

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [models.UniqueConstraint(fields=["person", "event"], name="curation_contradiction_once")]
        indexes = [models.Index(fields=["person"], name="contradiction_untold", condition=Q(told_at__isnull=True))]

    def __str__(self) -> str:
        return f"{self.event_id} for {self.person_id}"


class LabelExample(Record):
    """A detection that experts show to everybody as an example of a label."""

    label = models.ForeignKey(LabelDefinition, on_delete=models.CASCADE, related_name="examples")
    detection = models.ForeignKey(Detection, on_delete=models.CASCADE, related_name="examples")
    chosen_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="examples")

    way_to_survey = "detection__observation__survey"

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["label", "detection"], name="curation_labelexample_once")]

    def __str__(self) -> str:
        return f"{self.detection_id} shows {self.label_id}"
