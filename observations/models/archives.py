"""Archives that surveys are read from: what they are asked, what they answered, and what became of each product."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from catalog import constraints
from catalog.failures import failure_code_choices
from catalog.models import Record, RecordQuerySet, RunStatus
from observations.models.incoming import IncomingFile
from observations.models.surveys import Survey


class ArchiveKind(models.TextChoices):
    """How an archive is read."""

    SIA2 = "sia2", "SIA 2 service"
    LIST = "list", "list of addresses"
    FOLDER = "folder", "watched folder"


class Archive(Record):
    """What the archive of a survey is asked, and when; off until somebody switches it on."""

    way_to_survey = "survey"

    survey = models.OneToOneField(Survey, on_delete=models.CASCADE, related_name="archive")
    kind = models.CharField(
        max_length=8,
        choices=ArchiveKind,
        help_text="SIA 2 is asked at the survey's API endpoint, a list of addresses read at its base URL.",
    )
    folder = models.CharField(max_length=500, blank=True, help_text="The watched folder, on the machine of the worker.")
    question = models.JSONField(default=dict, blank=True, help_text="Which images are asked for.")
    is_on = models.BooleanField(default=False)
    every_minutes = models.PositiveIntegerField(null=True, blank=True, help_text="How often it is asked.")
    nightly_at = models.TimeField(null=True, blank=True, help_text="UTC; instead of every so many minutes.")
    begins_at = models.DateTimeField(help_text="What was taken before this is not asked for.")
    overlap_hours = models.FloatField(
        default=48.0, help_text="How far each question reaches back before the newest image that was found."
    )
    most_per_night = models.PositiveIntegerField(default=500, help_text="Images that are fetched within 24 hours.")
    credential = models.CharField(
        max_length=64, blank=True, help_text="Name of its token in ASTRID_ARCHIVE_TOKENS, where it asks for one."
    )
    seen_until = models.DateTimeField(
        null=True, blank=True, help_text="Time of observation of the newest image found so far."
    )
    goes_on_at = models.DateTimeField(
        null=True, blank=True, help_text="Time of observation at which a question that took too many requests goes on."
    )
    next_at = models.DateTimeField(null=True, blank=True, help_text="When it is asked next.")
    failures = models.PositiveIntegerField(default=0, help_text="Questions in a row that failed.")

    class Meta:
        ordering = ["survey__name"]
        constraints = [
            constraints.one_of("kind", ArchiveKind),
            constraints.at_least("every_minutes", 1),
            constraints.at_least("most_per_night", 1),
            constraints.within("overlap_hours", 0.0, 87_660.0),
            models.CheckConstraint(
                condition=Q(every_minutes__isnull=True) | Q(nightly_at__isnull=True),
                name="observations_archive_one_schedule",
                violation_error_message="Give either minutes or a time of the night, not both.",
            ),
        ]

    # Not stored: what lists show beside it.
    last: ArchiveRun | None
    counts: list[tuple[str, int]]

    def __str__(self) -> str:
        return f"archive of {self.survey}"

    @property
    def address(self) -> str:
        """Where it is read: an address, or a folder."""
        if self.kind == ArchiveKind.FOLDER:
            return self.folder
        return self.survey.api_endpoint if self.kind == ArchiveKind.SIA2 else self.survey.base_url


class RunPurpose(models.TextChoices):
    """What an archive is asked for."""

    FETCH = "fetch", "to fetch what is new"
    PREVIEW = "preview", "to see what it would give"
    TEST = "test", "to see whether it answers"


class ArchiveRun(Record):
    """One asking of an archive, and what it answered."""

    way_to_survey = "archive__survey"

    archive = models.ForeignKey(Archive, on_delete=models.CASCADE, related_name="runs")
    purpose = models.CharField(max_length=8, choices=RunPurpose, default=RunPurpose.FETCH)
    ordered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True)
    status = models.CharField(max_length=16, choices=RunStatus, default=RunStatus.PENDING)
    completed_at = models.DateTimeField(null=True, blank=True)
    window_from = models.DateTimeField(null=True, blank=True, help_text="Times of observation that were asked for.")
    window_to = models.DateTimeField(null=True, blank=True)
    question_count = models.PositiveIntegerField(default=0, help_text="Requests that it took.")
    found_count = models.PositiveIntegerField(default=0, help_text="Images in the answer.")
    known_count = models.PositiveIntegerField(default=0, help_text="Of these, found before.")
    refused_count = models.PositiveIntegerField(default=0, help_text="Of these, not to be fetched.")
    size_bytes = models.BigIntegerField(default=0, help_text="Of the new ones, as far as the archive tells.")
    unsized_count = models.PositiveIntegerField(default=0, help_text="New ones whose size it does not tell.")
    is_more = models.BooleanField(default=False, help_text="There is more than this asking found.")
    names = models.JSONField(default=list, blank=True, help_text="The first of the new ones.")
    refusals = models.JSONField(default=list, blank=True, help_text="Why some are not to be fetched.")
    words = models.TextField(blank=True, help_text="What the archive said beside its answer.")
    failure_code = models.CharField(max_length=40, choices=failure_code_choices, blank=True)
    error_message = models.TextField(blank=True)

    # Not stored: what pages say of it.
    answer: str

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            constraints.one_of("purpose", RunPurpose),
            constraints.one_of("status", RunStatus),
            constraints.reason_when_failed(),
            constraints.at_least("size_bytes", 0),
        ]
        indexes = [models.Index(fields=["archive", "-created_at"], name="archiverun_of_archive")]

    def __str__(self) -> str:
        return f"{self.archive}, {self.get_purpose_display()}"

    @property
    def new_count(self) -> int:
        """Images that were not known before and can be fetched."""
        return self.found_count - self.known_count - self.refused_count


class ProductState(models.TextChoices):
    """What became of a product of an archive."""

    FOUND = "found", "waits to be fetched"
    ORDERED = "ordered", "is being fetched"
    FETCHED = "fetched"
    REFUSED = "refused"
    GONE = "gone", "no longer there"


class ProductQuerySet(RecordQuerySet):
    """Questions about products."""

    def due(self) -> Self:
        """Return what may be ordered now: of archives that are on, and not too soon after a try that failed."""
        return self.filter(state=ProductState.FOUND, archive__is_on=True, next_try_at__lte=Now())


class ArchiveProduct(Record):
    """One file that an archive offers. It is known by the archive's own name for it, whatever its address is."""

    way_to_survey = "archive__survey"

    archive = models.ForeignKey(Archive, on_delete=models.CASCADE, related_name="products")
    run = models.ForeignKey(ArchiveRun, on_delete=models.SET_NULL, null=True, blank=True, related_name="products")
    name = models.CharField(max_length=2000, help_text="The archive's own: the publisher's identifier, or the address.")
    name_sha256 = models.CharField(max_length=64, editable=False, help_text="Of the name, by which it is known.")
    version = models.CharField(max_length=200, blank=True, help_text="Size and time of change that an index tells.")
    title = models.CharField(max_length=255, blank=True)
    access_url = models.CharField(max_length=2000)
    access_format = models.CharField(max_length=255, blank=True)
    host = models.CharField(max_length=255, help_text="Of its address, port included.")
    estimated_bytes = models.BigIntegerField(null=True, blank=True, help_text="As the archive tells it.")
    observation_time = models.DateTimeField(null=True, blank=True, help_text="As the archive tells it, UTC.")
    state = models.CharField(max_length=8, choices=ProductState, default=ProductState.FOUND)
    failure_code = models.CharField(max_length=40, choices=failure_code_choices, blank=True)
    reason = models.TextField(blank=True, help_text="Why it was refused, or why the last try failed.")
    tries = models.PositiveSmallIntegerField(default=0, help_text="That failed since it was found.")
    next_try_at = models.DateTimeField(null=True, blank=True)
    ordered_at = models.DateTimeField(null=True, blank=True, help_text="For the first time.")
    ended_at = models.DateTimeField(null=True, blank=True)
    incoming = models.OneToOneField(
        IncomingFile, on_delete=models.SET_NULL, null=True, blank=True, related_name="product"
    )
    workflow_id = models.CharField(max_length=64, blank=True)

    objects = ProductQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            constraints.one_of("state", ProductState),
            constraints.at_least("estimated_bytes", 0),
            models.UniqueConstraint(fields=["archive", "name_sha256"], name="observations_product_once"),
            models.CheckConstraint(
                condition=~Q(state=ProductState.REFUSED) | ~Q(reason=""),
                name="observations_product_reason_when_refused",
                violation_error_message="A product that is refused needs a reason.",
            ),
        ]
        indexes = [
            models.Index(fields=["archive", "state", "observation_time"], name="archiveproduct_queue"),
            models.Index(fields=["state", "next_try_at"], name="archiveproduct_due"),
            models.Index(fields=["archive", "ordered_at"], name="archiveproduct_ordered"),
        ]

    def __str__(self) -> str:
        return self.title or self.name


class ArchiveHost(Record):
    """A server that products come from: when it may be asked again."""

    name = models.CharField(max_length=255, unique=True, help_text="Host, and port where it is not the usual one.")
    free_at = models.DateTimeField(help_text="The pause after the last request is over then.")
    resting_until = models.DateTimeField(null=True, blank=True, help_text="It failed, or asked to be left alone.")
    failures = models.PositiveIntegerField(default=0, help_text="In a row.")
    reason = models.TextField(blank=True, help_text="Of the last failure.")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
