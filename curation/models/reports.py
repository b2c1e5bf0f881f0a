"""What is reported to the services that name what moves and what flares, how far it came, and what they said."""

from __future__ import annotations

from collections.abc import Collection
from typing import Self
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now

from catalog import constraints
from catalog.models import Record, RecordQuerySet
from detection.models import Source
from differencing.models import Tracklet
from observations.sky import SkyQuerySet, SkyRecord


class ReportService(models.TextChoices):
    """Who is reported to."""

    MPC = "mpc", "Minor Planet Center"
    TNS = "tns", "Transient Name Server"


class ReportStatus(models.TextChoices):
    """How far a report, or one object of it, has come."""

    PREPARED = "prepared", "prepared"
    UNKNOWN = "unknown", "unknown: asked again"
    SENT = "sent", "sent"
    RECEIVED = "received", "received"
    NAMED = "named", "named"
    REFUSED = "refused", "refused"
    WITHDRAWN = "withdrawn", "withdrawn"


# What reports the same object again is refused while it stands.
STANDING = (
    ReportStatus.PREPARED,
    ReportStatus.UNKNOWN,
    ReportStatus.SENT,
    ReportStatus.RECEIVED,
    ReportStatus.NAMED,
)
# What the service has to be asked about, or given.
AWAITED = (ReportStatus.UNKNOWN, ReportStatus.SENT, ReportStatus.RECEIVED)


class ReportQuerySet(RecordQuerySet):
    """Which reports there is something to do for, and which are shown."""

    def outside(self, surveys: Collection[UUID]) -> Self:
        """Return those about objects of which nothing is hidden: what they tell is frozen, and not taken apart."""
        rows = ReportRow.objects.filter(report=OuterRef("pk"))
        of_source = rows.filter(source__detections__observation__survey__in=surveys)
        of_tracklet = rows.filter(tracklet__members__observation__survey__in=surveys)
        return self.exclude(Exists(of_source) | Exists(of_tracklet))

    def due(self) -> Self:
        """Return those that are to be sent, or to be asked about, now."""
        released = Q(status=ReportStatus.PREPARED, released_at__isnull=False)
        return self.filter(released | Q(status__in=AWAITED), next_try_at__lte=Now())


class Report(Record):
    """One document for one service; what it says of each object stands frozen in its rows.

    It is `unknown` from before a request leaves until an answer to it is stored: whatever happens between, the service
    is asked before anything is sent again.
    """

    service = models.CharField(max_length=3, choices=ReportService)
    status = models.CharField(max_length=10, choices=ReportStatus, default=ReportStatus.PREPARED)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="reports")
    head = models.JSONField(default=dict, blank=True, help_text="What it says once for all its objects; frozen.")
    station = models.CharField(max_length=4, blank=True, help_text="Code of the observatory, to the MPC.")
    released_at = models.DateTimeField(null=True, blank=True, help_text="When it was given free to be sent.")
    next_try_at = models.DateTimeField(null=True, blank=True, help_text="When it is sent or asked about next.")
    sends = models.PositiveIntegerField(default=0, help_text="Requests that were begun to send it.")
    last_sent_at = models.DateTimeField(null=True, blank=True, help_text="When the last of these was begun.")
    sent_rows = models.JSONField(
        default=list, blank=True, help_text="Numbers of the objects in that request, in order."
    )
    reference = models.CharField(max_length=100, blank=True, help_text="What the service calls it.")
    last_code = models.PositiveSmallIntegerField(null=True, blank=True, help_text="HTTP status of the last answer.")
    last_reason = models.TextField(blank=True, help_text="What stands in the way, in the service's words or ours.")
    sent_to = models.CharField(max_length=200, blank=True, help_text="The host it was sent to.")
    sent_at = models.DateTimeField(null=True, blank=True, help_text="When the service took it.")

    objects = ReportQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        ordering = ["-id"]
        constraints = [
            constraints.one_of("service", ReportService),
            constraints.one_of("status", ReportStatus),
            models.CheckConstraint(
                condition=Q(status__in=("prepared", "withdrawn", "refused")) | Q(sends__gt=0),
                name="curation_report_sent_was_begun",
                violation_error_message="What left was begun to be sent.",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_try_at"],
                name="report_due",
                condition=Q(status__in=("prepared", "unknown", "sent", "received")),
            ),
            models.Index(fields=["status", "-id"], name="report_by_status"),
        ]

    def __str__(self) -> str:
        return f"report to the {self.get_service_display()}"


class OfReportQuerySet(RecordQuerySet):
    """What belongs to reports is shown with them."""

    def outside(self, surveys: Collection[UUID]) -> Self:
        """Return what belongs to reports that are shown."""
        return self.filter(report__in=Report.objects.all().outside(surveys))


class ReportRowQuerySet(SkyQuerySet):
    """Objects of reports, in the sky; they are shown with their reports too."""

    def outside(self, surveys: Collection[UUID]) -> Self:
        """Return those of reports that are shown."""
        return self.filter(report__in=Report.objects.all().outside(surveys))


class ReportRow(SkyRecord):
    """One object of a report: what is said of it, frozen, and what the service made of it."""

    objects = ReportRowQuerySet.as_manager()  # type: ignore[misc]

    report = models.ForeignKey(Report, on_delete=models.PROTECT, related_name="rows")
    number = models.PositiveIntegerField(help_text="Its place in the report, from 0.")
    status = models.CharField(max_length=10, choices=ReportStatus, default=ReportStatus.PREPARED)
    internal_name = models.CharField(
        max_length=64, unique=True, help_text="Our name for it, to the MPC trkSub: never given twice."
    )
    body = models.JSONField(help_text="What is said of it, as it was when it was prepared; frozen.")
    # What they were measured from may be made anew by a better subtraction.
    source = models.ForeignKey(Source, on_delete=models.SET_NULL, null=True, blank=True, related_name="report_rows")
    tracklet = models.ForeignKey(Tracklet, on_delete=models.SET_NULL, null=True, blank=True, related_name="report_rows")
    first_mjd_utc = models.FloatField(help_text="Of its first position.")
    last_mjd_utc = models.FloatField(help_text="Of its last position.")
    neo_score = models.FloatField(null=True, blank=True, help_text="digest2's score for a near-Earth object, 0 to 100.")
    neo_score_lack = models.CharField(max_length=200, blank=True, help_text="Why there is no score.")
    name = models.CharField(max_length=100, blank=True, help_text="Given by the service.")
    reason = models.TextField(blank=True, help_text="Why it was refused, in the service's words or ours.")

    class Meta:
        ordering = ["report", "number"]
        constraints = [
            *SkyRecord.Meta.constraints,
            constraints.one_of("status", ReportStatus),
            constraints.finite("first_mjd_utc"),
            constraints.finite("last_mjd_utc"),
            constraints.within("neo_score", 0.0, 100.0),
            models.UniqueConstraint(fields=["report", "number"], name="curation_reportrow_once"),
            models.CheckConstraint(
                condition=~Q(status="named") | ~Q(name=""),
                name="curation_reportrow_named_has_a_name",
                violation_error_message="What is named has a name.",
            ),
            models.CheckConstraint(
                condition=~Q(status="refused") | ~Q(reason=""),
                name="curation_reportrow_refused_says_why",
                violation_error_message="What is refused has a reason.",
            ),
        ]
        indexes = [*SkyRecord.Meta.indexes, models.Index(fields=["first_mjd_utc"], name="reportrow_by_time")]

    def __str__(self) -> str:
        return self.internal_name


class AttemptKind(models.TextChoices):
    """What a request to a service was for."""

    CHECK = "check", "asked what is there"
    SEND = "send", "sent"
    ASK = "ask", "asked what became of it"


class ReportAttempt(Record):
    """One request about a report, and what was answered; without an end nobody knows what came of it."""

    report = models.ForeignKey(Report, on_delete=models.PROTECT, related_name="attempts")
    kind = models.CharField(max_length=5, choices=AttemptKind)
    host = models.CharField(max_length=200)
    ended_at = models.DateTimeField(null=True, blank=True)
    code = models.PositiveSmallIntegerField(null=True, blank=True, help_text="HTTP status; null without an answer.")
    outcome = models.TextField(blank=True, help_text="What it came to.")
    said = models.TextField(blank=True, help_text="How the answer began, in the service's own words.")

    objects = OfReportQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        ordering = ["-id"]
        constraints = [constraints.one_of("kind", AttemptKind)]

    def __str__(self) -> str:
        return f"{self.kind} at {self.host}"
