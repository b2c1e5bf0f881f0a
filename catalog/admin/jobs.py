"""Background work in the admin: its state, its attempts with their logs; try again, cancel."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.dataclasses import UnfoldAction
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from catalog import roles
from catalog.admin.bases import ProductAdmin, ask
from catalog.admin.columns import EMPTY, entity_link_of, link, list_link, name_entities, reason, related_links, state
from catalog.admin.filters import Choices, DropdownFilter, IndexedValuesFilter
from catalog.models import JobAttempt, JobStatus, Probe, ProcessingJob
from catalog.people.actors import Actor
from catalog.work import jobs
from catalog.work.stages import job_types

# Uploads, for which a person waits, have 5.
_FIRST, _USUAL, _LAST = 10, 0, -10


class JobTypeFilter(DropdownFilter):
    """The stages, and the commands that hold a job while they work."""

    def options(self) -> Choices:
        return [(name, name) for name in job_types()]


@display(description="log")
def log_lines(row: JobAttempt) -> str | SafeString:
    """Show a log as it was written, closed until somebody wants it."""
    if not row.log:
        return EMPTY
    count = len(row.log.splitlines())
    text = '<details class="log"><summary>{} line{}</summary><pre>{}</pre></details>'
    return format_html(text, count, "" if count == 1 else "s", row.log)


@display(description="seconds")
def seconds_taken(row: JobAttempt | ProcessingJob) -> str:
    """Show how long it took, as far as it has ended."""
    ended = row.ended_at if isinstance(row, JobAttempt) else row.completed_at
    return EMPTY if ended is None or row.started_at is None else f"{(ended - row.started_at).total_seconds():.1f}"


class AttemptInline(TabularInline):
    """The attempts of one job; nobody edits them."""

    model = JobAttempt
    verbose_name_plural = "attempts"
    fields = readonly_fields = (
        "attempt", "outcome", "failure_code", "error_message", "started_at", seconds_taken, log_lines, "owner",
    )  # fmt: skip
    ordering = ("-attempt",)
    per_page = 10
    hide_title = True
    extra = 0
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[JobAttempt]:
        return JobAttempt.objects.visible_to(request.user).order_by(*self.ordering)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(ProcessingJob)
class ProcessingJobAdmin(ProductAdmin):
    list_display = ("job_type", "works_on", state(), reason, "attempt", seconds_taken, "priority", "created_at")
    list_filter = (
        ("status", DropdownFilter),
        ("job_type", JobTypeFilter),
        ("failure_code", DropdownFilter),
        ("entity_type", IndexedValuesFilter),
        ("created_at", RangeDateTimeFilter),
    )
    search_fields = ("entity_id__startswith", "workflow_id__startswith", "error_message")
    search_help_text = "ID of the job or of its target, workflow, or words in the reason"
    inlines = (AttemptInline,)
    actions = ("retry_jobs", "do_first", "do_last", "do_as_usual", "cancel_jobs")
    actions_detail = ("retry_job", "cancel_job")
    readonly_fields = ("works_on", "related")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "job_type", "works_on", "status", "failure_code", "error_message", "error_details", "related",
                )
            },
        ),
        (
            "Time and attempts",
            {
                "fields": (
                    ("scheduled_at", "started_at"), ("completed_at", "heartbeat_at"), ("attempt", "retry_count"),
                    ("max_retries", "priority"), ("owner", "task_id"), ("workflow_id", "id"),
                    ("created_at", "updated_at"),
                )
            },
        ),
    )  # fmt: skip

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        page = super().get_changelist_instance(request)
        name_entities(page.result_list)
        return page

    @display(description="target")
    def works_on(self, job: ProcessingJob) -> str | SafeString:
        return entity_link_of(job)

    @display(description="related")
    def related(self, job: ProcessingJob) -> SafeString:
        same = {"entity_type": job.entity_type, "entity_id": job.entity_id}
        links = [list_link("catalog.processingjob", "all jobs for this target", **same)]
        if job.workflow_id:
            links.append(list_link("catalog.processingjob", "all jobs in this workflow", workflow_id=job.workflow_id))
        return related_links(links)

    def has_order_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return request.user.has_perm(roles.MAY_ORDER_JOBS)

    @admin.action(description="Try again", permissions=["order"])
    def retry_jobs(self, request: HttpRequest, queryset: QuerySet[ProcessingJob]) -> None:
        self.do_each(request, queryset, jobs.retry, "Jobs queued again", jobs.NotPossible)

    @admin.action(description=f"Do first: priority {_FIRST}", permissions=["order"])
    def do_first(self, request: HttpRequest, queryset: QuerySet[ProcessingJob]) -> None:
        self._prioritize(request, queryset, _FIRST)

    @admin.action(description=f"Do last: priority {_LAST}", permissions=["order"])
    def do_last(self, request: HttpRequest, queryset: QuerySet[ProcessingJob]) -> None:
        self._prioritize(request, queryset, _LAST)

    @admin.action(description=f"Do as usual: priority {_USUAL}", permissions=["order"])
    def do_as_usual(self, request: HttpRequest, queryset: QuerySet[ProcessingJob]) -> None:
        self._prioritize(request, queryset, _USUAL)

    def _prioritize(self, request: HttpRequest, queryset: QuerySet[ProcessingJob], priority: int) -> None:
        def order(job: ProcessingJob, actor: Actor) -> ProcessingJob:
            return jobs.prioritize(job, priority, actor)

        self.do_each(request, queryset, order, f"Jobs with priority {priority}", jobs.NotPossible)

    @admin.action(description="Cancel", permissions=["order"])
    def cancel_jobs(self, request: HttpRequest, queryset: QuerySet[ProcessingJob]) -> None:
        self.do_each(request, queryset, jobs.cancel, "Jobs cancelled", jobs.NotPossible)

    @action(
        description="Try again",
        permissions=["order"],
        icon="replay",
        dialog=ask("Try this job again?", "It is queued again, with all its attempts.", "Try again"),
    )
    def retry_job(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        return self.do_one(request, object_id, jobs.retry, "Jobs queued again", jobs.NotPossible)

    @action(
        description="Cancel",
        permissions=["order"],
        icon="cancel",
        variant=ActionVariant.DANGER,
        dialog=ask("Cancel this job?", "A worker that is running it stops within seconds.", "Cancel the job"),
    )
    def cancel_job(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        return self.do_one(request, object_id, jobs.cancel, "Jobs cancelled", jobs.NotPossible)

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[UnfoldAction]:
        """Offer only what the job's state allows."""
        status = ProcessingJob.objects.filter(pk=object_id).values_list("status", flat=True).first()
        fitting = "cancel_job" if status in jobs.UNFINISHED else "retry_job"
        offered = super().get_actions_detail(request, object_id)
        return [entry for entry in offered if entry.action_name.endswith(fitting) and status != JobStatus.COMPLETED]


@admin.register(JobAttempt)
class JobAttemptAdmin(ProductAdmin):
    list_display = ("job_of", "attempt", state("outcome"), reason, seconds_taken, "owner", "started_at")
    list_filter = (("outcome", DropdownFilter), ("failure_code", DropdownFilter), ("started_at", RangeDateTimeFilter))
    list_select_related = ("job",)
    search_fields = ("owner__startswith", "error_message")
    search_help_text = "ID of the attempt, process, or words in the reason"
    readonly_fields = ("job_of", log_lines)
    fields = (
        "job_of", "attempt", "outcome", "failure_code", "error_message", "owner", "started_at", "ended_at", log_lines,
    )  # fmt: skip

    @display(description="job", ordering="job")
    def job_of(self, row: JobAttempt) -> SafeString:
        return link(row.job)


@admin.register(Probe)
class ProbeAdmin(ProductAdmin):
    list_display = ("queue", "answered_at")
    ordering = ("queue",)
