"""People, configuration, jobs, audit, retention; and the bases of every other model."""

from __future__ import annotations

from collections.abc import Collection
from typing import ClassVar, Self
from uuid import UUID

from django.contrib.auth.models import AbstractUser, UserManager
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from catalog import constraints, lookups
from catalog.configuration.keys import ConfigRefused, check_value
from catalog.failures import failure_code_choices
from catalog.hiding import Asking, jobs_outside
from catalog.models.accounts import AccountLink, LinkKind, LoginSession
from catalog.models.records import Record, RecordQuerySet, Run, RunQuerySet, RunStatus, Visitor
from catalog.models.retention import RemovedFile, RetentionPass
from catalog.roles import MAY_OPEN_ADMIN

lookups.register()

__all__ = [
    "AccountLink",
    "ApiToken",
    "AttemptOutcome",
    "AuditLog",
    "AuditSeal",
    "JobAttempt",
    "JobStatus",
    "LinkKind",
    "LoginSession",
    "Probe",
    "ProcessingJob",
    "Record",
    "RecordQuerySet",
    "RemovedFile",
    "RetentionPass",
    "Run",
    "RunQuerySet",
    "RunStatus",
    "SystemConfig",
    "User",
    "Visitor",
]  # fmt: skip


class AccountManager(UserManager["User"].from_queryset(RecordQuerySet)):  # type: ignore[misc]
    """Django's maker of accounts, answering the questions of every record."""

    use_in_migrations = False

    def _create_user_object(self, *identity: object, is_staff: bool = False, **fields: object) -> User:
        """Make an account; what Django's commands say of its staff follows from the role."""
        return super()._create_user_object(*identity, **fields)


class User(Record, AbstractUser):
    """A person or a client with an account."""

    objects: ClassVar[AccountManager] = AccountManager()

    # Not stored: see `catalog.hiding`.
    hidden_surveys: frozenset[UUID] | None = None

    class Meta(AbstractUser.Meta):
        abstract = False

    def __str__(self) -> str:
        return self.username

    @property
    def is_staff(self) -> bool:  # type: ignore[override]
        """Say whether the admin opens: by the role, and by no switch beside it."""
        return self.is_active and self.has_perm(MAY_OPEN_ADMIN)


class ApiTokenQuerySet(RecordQuerySet):
    """Everybody sees their own tokens."""

    def visible_to(self, user: Asking) -> Self:
        return self if user.has_perm("catalog.view_apitoken") else self.filter(user=user.pk)


class ApiToken(Record):
    """What a program shows instead of a password; only its hash is kept."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=100, help_text="What it is for.")
    prefix = models.CharField(max_length=24, unique=True, help_text="Its first characters, by which it is looked up.")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the whole token.")
    scopes = models.JSONField(default=list)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, help_text="Accurate to the minute.")

    objects = ApiTokenQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class SystemConfig(Record):
    """A configuration value that differs from its declared default."""

    key = models.CharField(max_length=100, unique=True)
    value = models.JSONField()
    description = models.TextField(blank=True)
    is_active = models.BooleanField(default=True, help_text="Inactive: the declared default is used.")

    class Meta:
        ordering = ["key"]
        verbose_name = "system configuration"
        verbose_name_plural = "system configuration"

    def __str__(self) -> str:
        return self.key

    def clean(self) -> None:
        try:
            check_value(self.key, self.value)
        except ConfigRefused as refusal:
            raise refusal.as_validation_error() from refusal


class JobStatus(models.TextChoices):
    """States of a job."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class JobQuerySet(RecordQuerySet):
    """Which jobs are about what is shown."""

    def outside(self, surveys: Collection[UUID]) -> Self:
        """Return those about what is not hidden with some surveys; what the keys of jobs mean others know."""
        return jobs_outside(self, surveys)


class ProcessingJob(Record):
    """The truth about one piece of background work."""

    job_type = models.CharField(max_length=64, help_text="Name of the stage.")
    entity_type = models.CharField(max_length=64, help_text="Kind of what it works on: observation, night, field.")
    entity_id = models.CharField(max_length=64, help_text="Key of what it works on; a night has no UUID.")
    status = models.CharField(max_length=16, choices=JobStatus, default=JobStatus.PENDING)
    priority = models.SmallIntegerField(default=0, help_text="Higher goes first.")
    workflow_id = models.CharField(max_length=64, blank=True)
    task_id = models.CharField(max_length=64, blank=True)
    retry_count = models.PositiveIntegerField(default=0)
    max_retries = models.PositiveIntegerField(default=2, help_text="Further attempts after the first.")
    scheduled_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)
    failure_code = models.CharField(max_length=40, choices=failure_code_choices, blank=True)
    error_message = models.TextField(blank=True)
    error_details = models.JSONField(default=dict, blank=True, encoder=DjangoJSONEncoder)
    owner = models.CharField(max_length=128, blank=True, help_text="Process that holds it.")
    attempt = models.PositiveIntegerField(default=0, help_text="Goes up by one with each claim; writes must match it.")
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True, help_text="When a worker was last woken for it.")
    needs_abandon = models.BooleanField(
        default=False, help_text="Cancelled while running: the rows of its stage have yet to be closed."
    )

    # Not stored: what lists and pages call that which it is about.
    entity_kind: str
    entity_name: str
    entity_url: str

    objects = JobQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        ordering = ["-priority", "scheduled_at", "id"]
        constraints = [
            constraints.one_of("status", JobStatus),
            constraints.reason_when_failed(),
            constraints.no_reason_when_completed(),
            models.CheckConstraint(
                condition=Q(retry_count__lte=F("max_retries")),
                name="catalog_processingjob_retries",
                violation_error_message="retry_count must not exceed max_retries.",
            ),
            models.CheckConstraint(
                condition=~Q(status=JobStatus.RUNNING) | (~Q(owner="") & Q(heartbeat_at__isnull=False)),
                name="catalog_processingjob_running_is_held",
                violation_error_message="A running job has an owner and a heartbeat.",
            ),
            # A second order while one waits is the same order; while one runs it is a new one.
            models.UniqueConstraint(
                fields=["job_type", "entity_type", "entity_id"],
                condition=Q(status=JobStatus.PENDING),
                name="catalog_processingjob_one_waiting",
            ),
        ]
        indexes = [
            models.Index(
                F("priority").desc(), "scheduled_at", "id", name="job_queue", condition=Q(status=JobStatus.PENDING)
            ),
            models.Index(fields=["heartbeat_at"], name="job_beating", condition=Q(status=JobStatus.RUNNING)),
            models.Index(fields=["started_at"], name="job_started"),
            models.Index(fields=["status", "-created_at"], name="job_status"),
            models.Index(fields=["entity_id", "entity_type"], name="job_entity"),
            models.Index(fields=["workflow_id"], name="job_workflow", condition=~Q(workflow_id="")),
            models.Index(
                fields=["workflow_id", "job_type"],
                name="job_unfinished",
                condition=Q(status__in=["pending", "running"]) & ~Q(workflow_id=""),
            ),
            models.Index(fields=["id"], name="job_to_abandon", condition=Q(needs_abandon=True)),
        ]

    def __str__(self) -> str:
        return f"{self.job_type} of {self.entity_type} {self.entity_id}"


class AttemptOutcome(models.TextChoices):
    """How one try at a job ended."""

    COMPLETED = "completed"
    FAILED = "failed"
    RETRIED = "retried", "failed, will be tried again"
    WAITING = "waiting", "waiting for the cause to clear"
    LOST = "lost", "the process disappeared"
    CANCELLED = "cancelled"
    HANDED_BACK = "handed_back", "handed back for a restart"


class AttemptQuerySet(RecordQuerySet):
    """Which attempts are shown."""

    def outside(self, surveys: Collection[UUID]) -> Self:
        """Return those at jobs that are shown, and that name nothing which is not."""
        return self.filter(job__in=jobs_outside(ProcessingJob.objects.all(), surveys, wholly=True))


class JobAttempt(Record):
    """One try at a job, with its log."""

    job = models.ForeignKey(ProcessingJob, on_delete=models.CASCADE, related_name="attempts")
    attempt = models.PositiveIntegerField()
    owner = models.CharField(max_length=128)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=12, choices=AttemptOutcome, blank=True, help_text="Empty while it runs.")
    failure_code = models.CharField(max_length=40, choices=failure_code_choices, blank=True)
    error_message = models.TextField(blank=True)
    log = models.TextField(blank=True)

    objects = AttemptQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        ordering = ["job", "attempt"]
        constraints = [
            constraints.one_of("outcome", AttemptOutcome, blank=True),
            models.UniqueConstraint(fields=["job", "attempt"], name="catalog_jobattempt_once"),
        ]

    def __str__(self) -> str:
        return f"attempt {self.attempt}"


class Probe(Record):
    """When a queue of workers last answered."""

    queue = models.CharField(max_length=32, unique=True)
    answered_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.queue


class AuditLog(Record):
    """What somebody or something did; rows are only ever added (triggers refuse the rest)."""

    entity_type = models.CharField(max_length=64)
    entity_id = models.CharField(max_length=64)
    action = models.CharField(max_length=64)
    user = models.CharField(max_length=150, blank=True, help_text="Name at that time; empty if no person did it.")
    user_id = models.CharField(max_length=64, blank=True, help_text="Key as text, kept when the account is deleted.")
    old_values = models.JSONField(default=dict, blank=True, encoder=DjangoJSONEncoder)
    new_values = models.JSONField(default=dict, blank=True, encoder=DjangoJSONEncoder)
    change_summary = models.TextField(blank=True)
    reason = models.TextField(blank=True, help_text="Why, in the words of the person who did it.")
    group = models.UUIDField(null=True, blank=True, help_text="The same in all lines of one change.")
    ip_address = models.GenericIPAddressField(null=True, blank=True)
    user_agent = models.TextField(blank=True)

    # Not stored: what lists and pages call that which it is about.
    entity_kind: str
    entity_name: str
    entity_url: str

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["entity_type", "entity_id", "created_at"], name="audit_entity"),
            models.Index(fields=["user_id", "created_at"], name="audit_user"),
            models.Index(fields=["action", "created_at"], name="audit_action"),
            models.Index(fields=["created_at", "id"], name="audit_time"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.entity_type} {self.entity_id}"


class AuditSeal(Record):
    """That a line of the AuditLog was there, and as it was: a link of the one chain over all lines.

    Its `id` is the line's. No foreign key: it tells of a line that is gone.
    """

    position = models.PositiveBigIntegerField(unique=True, help_text="In the order of sealing, from 1.")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the line.")
    hash = models.CharField(max_length=64, help_text="SHA-256 of this seal and the hash before it.")

    class Meta:
        ordering = ["-position"]

    def __str__(self) -> str:
        return f"seal {self.position}"
