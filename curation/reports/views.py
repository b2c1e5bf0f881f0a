"""Pages of reports: which there are, what each says and how far it came, and how a new one would be."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from catalog.failures import NotPossible
from catalog.models import User
from catalog.people.actors import Actor, actor_of
from catalog.roles import MAY_REPORT
from catalog.web.access import requires
from catalog.web.lists import list_page
from curation.judgements.visibility import is_blind
from curation.models import AWAITED, Report, ReportService, ReportStatus
from curation.reports import preparing
from curation.reports.documents import FORMS, draft_document
from curation.reports.facts import Draft, ReportRefused
from curation.reports.filters import ReportFilter
from curation.reports.listing import detections_of, moving_lately

_NEWEST = ("-id",)
_MOST_ATTEMPTS_SHOWN = 50
_may_report = requires(MAY_REPORT, "curation.view_report")


@_may_report
@require_safe
def reports(request: HttpRequest) -> HttpResponse:
    """Show the reports, the newest first."""
    if is_blind(request.user):
        return render(request, "curation/reports.html", {"blind": preparing.BLIND})
    rows = Report.objects.visible_to(request.user).select_related("person").prefetch_related("rows")
    context = list_page(request, ReportFilter, rows, _NEWEST)
    return render(request, "curation/reports.html", context)


@_may_report
@require_safe
def report(request: HttpRequest, report_id: UUID) -> HttpResponse:
    """Show one report: what it says, what became of each object, and all requests about it."""
    row = _found(request, report_id)
    rows = list(row.rows.select_related("source", "tracklet").order_by("number"))
    for each in rows:
        each.report = row
    charts = detections_of(rows, request.user)
    main = next(iter(FORMS[row.service].values()))
    context = {
        "row": row,
        "rows": [(each, charts.get(each.pk)) for each in rows],
        "document": main.write(row, rows).decode(),
        "forms": list(FORMS[row.service]),
        "attempts": row.attempts.order_by("-id")[:_MOST_ATTEMPTS_SHOWN],
        "why_not": preparing.why_not_sent(row.service),
        "may_be_sent": row.status == ReportStatus.PREPARED and row.released_at is None,
        "may_be_withdrawn": row.status == ReportStatus.PREPARED,
        "may_be_asked": row.status in AWAITED,
    }
    return render(request, "curation/report.html", context)


@_may_report
@never_cache
def new_report(request: HttpRequest) -> HttpResponse:
    """Show what a report would say and what forbids it, and prepare it when a person says so."""
    user = _person(request)
    given = request.POST if request.method == "POST" else request.GET
    service = given.get("service", "")
    if service not in ReportService.values:
        service = ReportService.MPC
    keys = _keys(given.getlist("object"))
    if request.method == "POST":
        try:
            row = preparing.prepare(ReportService(service), keys, user, actor_of(request))
        except ReportRefused as refusal:
            return _new_page(request, service, keys, refusal.draft, status=409)
        messages.success(request, "The report is prepared. It says what is frozen below, whatever is measured later.")
        return redirect("curation:report", row.pk)
    draft = preparing.draft_of(ReportService(service), keys, user) if keys else None
    return _new_page(request, service, keys, draft)


@_may_report
@require_safe
def report_file(request: HttpRequest, report_id: UUID, form: str) -> HttpResponse:
    """Answer with a report as a file, as it is sent, or in another form of it."""
    row = _found(request, report_id)
    written = FORMS[row.service].get(form)
    if written is None:
        raise Http404
    content = written.write(row, list(row.rows.order_by("number")))
    answer = HttpResponse(content, content_type=written.media_type)
    answer["Content-Disposition"] = f'attachment; filename="{row.service}-{row.created_at:%Y%m%d}-{row.pk}.{form}"'
    return answer


@_may_report
@require_POST
def release_report(request: HttpRequest, report_id: UUID) -> HttpResponse:
    """Let a report be sent."""
    return _change(request, report_id, preparing.release, "The report is on its way.")


@_may_report
@require_POST
def withdraw_report(request: HttpRequest, report_id: UUID) -> HttpResponse:
    """Take a report back that has not left."""
    return _change(request, report_id, preparing.withdraw, "The report is taken back: nothing was sent.")


@_may_report
@require_POST
def ask_about_report(request: HttpRequest, report_id: UUID) -> HttpResponse:
    """Ask the service now what became of a report."""
    return _change(request, report_id, preparing.ask_again, "The service is being asked.")


def _new_page(
    request: HttpRequest, service: str, keys: list[UUID], draft: Draft | None, status: int = 200
) -> HttpResponse:
    context = {
        "service": ReportService(service),
        "keys": keys,
        "draft": draft,
        "document": draft_document(draft).decode() if draft is not None else "",
        "why_not": preparing.why_not_sent(service),
        "moving": moving_lately(request.user) if service == ReportService.MPC and not keys else [],
        "is_nothing_chosen": not keys and "service" in request.GET,
    }
    return render(request, "curation/report_new.html", context, status=status)


def _change(request: HttpRequest, report_id: UUID, change: Callable[[Report, Actor], None], done: str) -> HttpResponse:
    row = _found(request, report_id)
    try:
        change(row, actor_of(request))
    except NotPossible as refusal:
        messages.warning(request, str(refusal))
    else:
        messages.success(request, done)
    return redirect("curation:report", row.pk)


def _person(request: HttpRequest) -> User:
    """Return who asks. Whoever judges blind is told nothing of what was told of others' judgements."""
    if is_blind(request.user) or not isinstance(request.user, User):
        raise PermissionDenied(preparing.BLIND)
    return request.user


def _found(request: HttpRequest, report_id: UUID) -> Report:
    _person(request)
    rows = Report.objects.visible_to(request.user).select_related("person")
    return get_object_or_404(rows, pk=report_id)


def _keys(given: list[str]) -> list[UUID]:
    """Return the keys among what was sent; what is none is passed over."""
    found = []
    for text in given[: max(preparing.MOST_OBJECTS.values()) + 1]:
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return found
