"""Pages of jobs and of the audit log."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from catalog.filters import JobFilter
from catalog.models import ProcessingJob
from catalog.web.access import requires
from catalog.web.lists import list_page


@requires("catalog.view_processingjob")
def jobs(request: HttpRequest) -> HttpResponse:
    """Show the jobs, the latest first."""
    rows = ProcessingJob.objects.visible_to(request.user)
    context = list_page(request, JobFilter, rows, ["-created_at", "-id"])
    return render(request, "catalog/jobs.html", context)


@requires("catalog.view_auditlog")
def audit_log(request: HttpRequest) -> HttpResponse:
    """Show who did what."""
    return render(request, "catalog/audit.html", {})
