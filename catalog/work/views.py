"""Pages of jobs."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from catalog import roles
from catalog.models import JobAttempt, JobStatus, ProcessingJob
from catalog.people.actors import actor_of
from catalog.people.audit import Actor
from catalog.web.access import requires
from catalog.web.entities import link_entities
from catalog.web.lists import list_page
from catalog.work import jobs as catalog_jobs
from catalog.work import stages
from catalog.work.filters import JobFilter
from catalog.work.pause import pauses

# Keys of jobs are made as they are ordered, and rise.
_NEWEST = ("-id",)
_MOST_ATTEMPTS = 20


@vary_on_headers("HX-Request")
@requires("catalog.view_processingjob")
@require_safe
def jobs(request: HttpRequest) -> HttpResponse:
    """Show the jobs, the latest first; the first page keeps itself up to date."""
    rows = ProcessingJob.objects.visible_to(request.user)
    context = list_page(request, JobFilter, rows, _NEWEST)
    shown = context["page"].rows
    link_entities(shown)
    context["is_live"] = "cursor" not in request.GET and context["form"].is_valid()
    context["is_busy"] = any(job.status in catalog_jobs.UNFINISHED for job in shown)
    return render(request, "catalog/_jobs.html" if request.htmx else "catalog/jobs.html", context)  # type: ignore[attr-defined]


@vary_on_headers("HX-Request")
@requires("catalog.view_processingjob")
@require_safe
def job(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Show one job, and its tries with their logs to those who run the system."""
    row = get_object_or_404(ProcessingJob.objects.visible_to(request.user), pk=job_id)
    link_entities([row])
    attempts = list(JobAttempt.objects.visible_to(request.user).filter(job=row).order_by("-attempt")[:_MOST_ATTEMPTS])
    waits_for = _waits_for(row)
    rests = pauses().ingest_words if _may_rest(row) else ""
    revision = ".".join([row.revision, *(attempt.revision for attempt in attempts[:1]), *waits_for, rests[:1]])
    if request.GET.get("seen") == revision:
        # The page asks for itself anew: it has what there is.
        return HttpResponse(status=204)
    may_order = request.user.has_perm(roles.MAY_ORDER_JOBS)
    context = {
        "job": row,
        "attempts": attempts,
        "has_more_attempts": row.attempt > _MOST_ATTEMPTS,
        "revision": revision,
        "sees_attempts": request.user.has_perm("catalog.view_jobattempt"),
        "queue": stages.queue_of(row.job_type),
        "is_unfinished": row.status in catalog_jobs.UNFINISHED,
        "is_due": row.scheduled_at <= timezone.now(),
        "waits_for": waits_for,
        "rests": rests,
        "workflow_url": f"{reverse('catalog:jobs')}?{urlencode({'workflow_id': row.workflow_id})}",
        "cancel_question": _cancel_question(row),
        "may_cancel": may_order and row.status in catalog_jobs.UNFINISHED,
        "may_retry": may_order and row.status in (JobStatus.FAILED, JobStatus.CANCELLED),
    }
    return render(request, "catalog/_job.html" if request.htmx else "catalog/job.html", context)  # type: ignore[attr-defined]


def _may_rest(job: ProcessingJob) -> bool:
    return job.status == JobStatus.PENDING and job.job_type in stages.ingest_types()


def _cancel_question(job: ProcessingJob) -> str:
    is_running = job.status == JobStatus.RUNNING
    return "Cancel this job?" + (" A worker is running it and will stop within seconds." if is_running else "")


def _waits_for(job: ProcessingJob) -> list[str]:
    """Return the types of the jobs of its workflow that must be over before this one begins."""
    earlier = stages.waits_for(job.job_type)
    if job.status != JobStatus.PENDING or not job.workflow_id or not earlier:
        return []
    unfinished = ProcessingJob.objects.filter(
        workflow_id=job.workflow_id, job_type__in=earlier, status__in=catalog_jobs.UNFINISHED
    )
    found = set(unfinished.values_list("job_type", flat=True).distinct())
    return [name for name in earlier if name in found]


@requires(roles.MAY_ORDER_JOBS)
@require_POST
def retry(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Let a failed or cancelled job wait for its work again."""
    return _ordered(request, job_id, catalog_jobs.retry, "The job is waiting for a worker again.")


@requires(roles.MAY_ORDER_JOBS)
@require_POST
def cancel(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Stop a job."""
    return _ordered(request, job_id, catalog_jobs.cancel, "The job has been cancelled. You can retry it at any time.")


def _ordered(
    request: HttpRequest, job_id: UUID, order: Callable[[ProcessingJob, Actor], ProcessingJob], done: str
) -> HttpResponse:
    row = get_object_or_404(ProcessingJob.objects.visible_to(request.user), pk=job_id)
    try:
        order(row, actor_of(request))
        messages.success(request, done)
    except catalog_jobs.NotPossible as refusal:
        messages.warning(request, str(refusal))
    return redirect("catalog:job", row.pk)
