"""What people say of detections, and what is made known of them."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from catalog import constraints
from catalog.ids import uuid7
from catalog.models import Record, RecordQuerySet, Visitor
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


class DeferralKind(models.TextChoices):
    """Why somebody has put a detection off."""

    SNOOZE = "snooze", "put off"
    OPINION = "opinion", "second opinion asked for"


class AlertType(models.TextChoices):
    """What an alert does to what is known."""

    NEW = "new"
    UPDATE = "update"
    RETRACTION = "retraction"


class AlertPriority(models.TextChoices):
    """How urgent an alert is."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class AlertStatus(models.TextChoices):
    """How far an alert has come."""

    PENDING = "pending"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    CANCELLED = "cancelled"


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


class Lease(Record):
    """An item that one person looks at just now, in one window, so that nobody else is given it."""

    item = models.UUIDField(
        unique=True, help_text="Key of the mover, tracklet or source that is judged, or of the detection alone."
    )
    detection = models.OneToOneField(
        Detection, on_delete=models.CASCADE, related_name="lease", help_text="Of the item the one that is shown first."
    )
    holder = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="leases")
    window = models.UUIDField(help_text="Chosen by the page in the browser: two windows of one person differ.")
    expires_at = models.DateTimeField(help_text="By the database's clock.")
    seen_at = models.DateTimeField(db_default=Now(), help_text="When the window last said that it is open.")

    class Meta:
        ordering = ["expires_at", "id"]
        indexes = [
            models.Index(fields=["expires_at"], name="lease_expiring"),
            models.Index(fields=["holder", "window"], name="lease_of_window"),
        ]

    def __str__(self) -> str:
        return f"{self.detection_id} held by {self.holder_id}"


class Deferral(Record):
    """A detection that somebody puts off: it is not offered to them again until then; to others it is.

    What is found of the same object later was not put off, and brings it back.
    """

    created_at = models.DateTimeField(db_default=Now(), editable=False)
    detection = models.ForeignKey(Detection, on_delete=models.CASCADE, related_name="deferrals")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="deferrals")
    kind = models.CharField(max_length=8, choices=DeferralKind)
    until = models.DateTimeField(
        null=True, blank=True, help_text="When a snooze ends; without it, with the next detection of its object."
    )
    note = models.TextField(blank=True, help_text="What is asked, for whoever is asked for a second opinion.")
    group = models.UUIDField(help_text="Made by the client: what was put off with one key has one.")
    ended_at = models.DateTimeField(null=True, blank=True, help_text="When it was taken back, or answered after all.")

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            constraints.one_of("kind", DeferralKind),
            models.UniqueConstraint(fields=["group", "detection"], name="curation_deferral_once"),
            models.CheckConstraint(
                condition=Q(kind=DeferralKind.SNOOZE) | Q(until__isnull=True),
                name="curation_deferral_only_a_snooze_ends",
                violation_error_message="Only a snooze has a time at which it ends.",
            ),
        ]
        indexes = [
            models.Index(
                fields=["detection", "person"], name="deferral_of_detection", condition=Q(ended_at__isnull=True)
            ),
            models.Index(fields=["person"], name="deferral_of_person", condition=Q(ended_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.detection_id}"


class TriageSettings(Record):
    """How one person works in triage."""

    person = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="triage_settings")
    keys = models.JSONField(default=dict, blank=True, help_text="Action to key, where it is not the usual one.")
    asks_for_reason = models.BooleanField(
        "Ask why after “bogus”", default=False, help_text="A second key then names the label; Enter leaves it out."
    )

    class Meta:
        ordering = ["person"]

    def __str__(self) -> str:
        return f"triage of {self.person_id}"


class Note(Record):
    """What somebody writes about an object in the sky; it hangs on one of its detections, since sources come and go."""

    detection = models.ForeignKey(Detection, on_delete=models.PROTECT, related_name="people_notes")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="notes")
    text = models.TextField(max_length=5000)
    withdrawn_at = models.DateTimeField(null=True, blank=True, help_text="When its author took it back.")

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [models.Index(fields=["detection", "created_at"], name="note_of_detection")]

    def __str__(self) -> str:
        return f"note of {self.author_id} on {self.detection_id}"


class Mention(Record):
    """Somebody whom a note names, until they have seen it."""

    note = models.ForeignKey(Note, on_delete=models.CASCADE, related_name="mentions")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="mentions")
    seen_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["note", "person"], name="curation_mention_once")]
        indexes = [models.Index(fields=["person"], name="mention_unseen", condition=Q(seen_at__isnull=True))]

    def __str__(self) -> str:
        return f"{self.person_id} in {self.note_id}"


class SavedFilterQuerySet(RecordQuerySet):
    """Everybody sees their own filters, and those that others share."""

    def visible_to(self, user: Visitor) -> Self:
        """Return the filters that a person may use."""
        return self.filter(Q(person=user.pk) | Q(is_shared=True)) if user.pk else self.none()


class SavedFilter(Record):
    """What narrows detections and their queue, under a name."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_filters")
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=1000, blank=True, help_text="As in the address of the page.")
    is_shared = models.BooleanField(default=False, help_text="Others may use it.")
    is_default = models.BooleanField(default=False, help_text="Triage begins with it for its person.")

    objects = SavedFilterQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["person", "name"], name="curation_savedfilter_name_once"),
            models.UniqueConstraint(
                fields=["person"], name="curation_savedfilter_one_default", condition=Q(is_default=True)
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Conflict(Record):
    """A detection about which people do not agree, and which an expert must settle; gone once it is settled."""

    detection = models.OneToOneField(Detection, on_delete=models.CASCADE, related_name="conflict")

    class Meta:
        ordering = ["created_at", "id"]

    def __str__(self) -> str:
        return f"conflict about {self.detection_id}"


class GoldItem(Record):
    """A detection of which an expert says what it is; people are given it unmarked, to see how well they review."""

    detection = models.OneToOneField(Detection, on_delete=models.PROTECT, related_name="gold")
    is_valid = models.BooleanField(help_text="What it is known to be.")
    label = models.CharField(max_length=64, blank=True)
    marked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="gold_items")
    is_active = models.BooleanField(default=True, help_text="Whether people are asked about it.")

    class Meta:
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return f"known: {self.detection_id}"


class GoldAnswer(Record):
    """A gold item that a person was given, and the first answer that they gave; it is no judgement of the detection."""

    item = models.ForeignKey(GoldItem, on_delete=models.PROTECT, related_name="answers")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="gold_answers")
    window = models.UUIDField(help_text="Where it was given last.")
    after = models.UUIDField(null=True, blank=True, help_text="The detection before it in the queue.")
    event = models.UUIDField(null=True, blank=True, help_text="The key that the browser gave the answer.")
    is_valid = models.BooleanField(null=True, blank=True, help_text="Null until it is answered.")
    label = models.CharField(max_length=64, blank=True)
    confidence_level = models.CharField(max_length=8, choices=ConfidenceLevel, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["item", "person"], name="curation_goldanswer_once"),
            constraints.one_of("confidence_level", ConfidenceLevel, blank=True),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} about {self.item_id}"


class LabelExample(Record):
    """A detection that experts show to everybody as an example of a label."""

    label = models.ForeignKey(LabelDefinition, on_delete=models.CASCADE, related_name="examples")
    detection = models.ForeignKey(Detection, on_delete=models.CASCADE, related_name="examples")
    chosen_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="examples")

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["label", "detection"], name="curation_labelexample_once")]

    def __str__(self) -> str:
        return f"{self.detection_id} shows {self.label_id}"


class Alert(Record):
    """A source's detection made known."""

    # An update follows what it updates in the feed, whichever machines wrote the two: the database's clock orders them.
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    detection = models.ForeignKey(Detection, on_delete=models.PROTECT, related_name="alerts")
    alert_type = models.CharField(max_length=12, choices=AlertType, default=AlertType.NEW)
    priority = models.CharField(max_length=10, choices=AlertPriority, default=AlertPriority.MEDIUM)
    title = models.CharField(max_length=200)
    message = models.TextField(blank=True)
    alert_metadata = models.JSONField(default=dict, blank=True)
    status = models.CharField(max_length=10, choices=AlertStatus, default=AlertStatus.PENDING)
    is_published = models.BooleanField(
        default=False,
        help_text="Whether it has its place in the feed; set together with its publication.",
    )
    sent_at = models.DateTimeField(null=True, blank=True)
    delivery_attempts = models.PositiveIntegerField(default=0)
    error_message = models.TextField(blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            constraints.one_of("alert_type", AlertType),
            constraints.one_of("priority", AlertPriority),
            constraints.one_of("status", AlertStatus),
        ]
        indexes = [
            models.Index(fields=["status", "created_at"], name="alert_queue"),
            models.Index(fields=["detection", "created_at"], name="alert_of_detection"),
            models.Index(fields=["-created_at", "-id"], name="alert_latest"),
            models.Index(fields=["status", "-created_at", "-id"], name="alert_latest_of_state"),
            models.Index(fields=["priority", "-created_at", "-id"], name="alert_latest_of_priority"),
            models.Index(fields=["alert_type", "-created_at", "-id"], name="alert_latest_of_type"),
            models.Index(
                fields=["created_at", "id"],
                name="alert_unpublished",
                condition=Q(is_published=False, status=AlertStatus.PENDING),
            ),
        ]

    def __str__(self) -> str:
        return self.title


class AlertPublication(Record):
    """One alert as it went out, with its place in the feed; rows are only ever added (triggers refuse the rest)."""

    sequence = models.BigIntegerField(unique=True, help_text="Given by the one publisher: 1, 2, 3, … without gaps.")
    alert = models.OneToOneField(Alert, on_delete=models.PROTECT, related_name="publication")
    version = models.PositiveIntegerField(help_text="Counts the publications about one source: 1 is the first.")
    kind = models.CharField(max_length=12, choices=AlertType)
    published_at = models.DateTimeField()
    payload = models.JSONField(help_text="Never changed once published.")

    class Meta:
        ordering = ["sequence"]
        constraints = [
            constraints.one_of("kind", AlertType),
            constraints.at_least("sequence", 1),
            constraints.at_least("version", 1),
        ]

    def __str__(self) -> str:
        return f"publication {self.sequence}"
