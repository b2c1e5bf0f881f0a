"""What is made known of detections."""

from __future__ import annotations

from collections.abc import Collection
from typing import Self
from uuid import UUID

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now

from catalog import constraints
from catalog.models import Record, RecordQuerySet
from curation.ids import number_of
from detection.models import Detection


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


class ToldQuerySet(RecordQuerySet):
    """Alerts, and what is made of each: what they tell is frozen, and cannot be taken apart."""

    def outside(self, surveys: Collection[UUID]) -> Self:
        """Return those about detections that are shown, of sources which had no other ones when they were told of."""
        way = self.model.way_to_alert
        earlier = Detection.objects.filter(
            source=OuterRef(f"{way}detection__source"),
            created_at__lte=OuterRef(f"{way}created_at"),
            observation__survey__in=surveys,
        )
        return self.exclude(**{f"{way}detection__observation__survey__in": surveys}).filter(~Exists(earlier))


class NumberField(models.BigIntegerField):
    """The number of a row's key, made when it is added; where another row has it, the next one of the key."""

    def pre_save(self, model_instance: models.Model, add: bool) -> int:
        """Return the number; one that stands already stays."""
        number: int | None = getattr(model_instance, self.attname)
        if number is None:
            taken = type(model_instance)._base_manager.exclude(pk=model_instance.pk)
            numbers = (number_of(model_instance.pk, attempt) for attempt in range(256))
            number = next(one for one in numbers if not taken.filter(**{self.attname: one}).exists())
            setattr(model_instance, self.attname, number)
        return number


class Alert(Record):
    """A source's detection made known."""

    # An update follows what it updates in the feed, whichever machines wrote the two: the database's clock orders them.
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    number = NumberField(
        unique=True,
        editable=False,
        help_text="Of its key, 63 bits, for programs that know alerts by an integer; it never changes.",
    )
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

    way_to_alert = ""

    objects = ToldQuerySet.as_manager()  # type: ignore[misc]

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
            models.Index(fields=["updated_at", "id"], name="alert_changed"),
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

    way_to_alert = "alert__"

    objects = ToldQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        ordering = ["sequence"]
        constraints = [
            constraints.one_of("kind", AlertType),
            constraints.at_least("sequence", 1),
            constraints.at_least("version", 1),
        ]

    def __str__(self) -> str:
        return f"publication {self.sequence}"
