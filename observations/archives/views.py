"""Pages of archives: which there are, what each answered, what became of its files, and what people do with them."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.db.models import OuterRef, Subquery
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from catalog import roles
from catalog.failures import NotPossible
from catalog.models import RunStatus
from catalog.people.actors import actor_of
from catalog.web.access import requires
from catalog.web.lists import list_page
from catalog.work.pause import pauses
from observations.archives import keeping
from observations.archives.filters import ProductFilter
from observations.archives.forms import ArchiveForm
from observations.archives.products import counts_of, fetch_again
from observations.archives.question import in_words
from observations.archives.words import answer_in_words, size_in_words
from observations.models import Archive, ArchiveHost, ArchiveProduct, ArchiveRun, ProductState, RunPurpose

_SEES = "observations.view_archive"
_FEW = 10
_NEWEST = ("-id",)
_BUSY = (RunStatus.PENDING, RunStatus.RUNNING)
_ORDERS = {"test": RunPurpose.TEST, "preview": RunPurpose.PREVIEW, "fetch": RunPurpose.FETCH}


@requires(_SEES)
@require_safe
def archives(request: HttpRequest) -> HttpResponse:
    """Show the archives: what each said last, and how far it is."""
    newest = ArchiveRun.objects.filter(archive=OuterRef("pk")).exclude(status__in=_BUSY).order_by("-id")
    rows = Archive.objects.visible_to(request.user).select_related("survey").order_by("survey__name")
    shown = list(rows.annotate(last_run=Subquery(newest.values("pk")[:1])))
    runs = {run.pk: run for run in ArchiveRun.objects.filter(pk__in=[row.last_run for row in shown])}
    counts = counts_of(shown)
    for row in shown:
        row.last = _answered(runs.get(row.last_run))
        row.counts = [(state, counts.get((row.pk, state), 0)) for state in ProductState]
    resting = ArchiveHost.objects.filter(resting_until__gt=timezone.now())
    context = {"archives": shown, "resting": resting, "pauses": pauses(), "may_keep": _may_keep(request)}
    return render(request, "observations/archives.html", context)


@requires(_SEES, roles.MAY_KEEP_ARCHIVES)
def new_archive(request: HttpRequest) -> HttpResponse:
    """Make an archive, off at first."""
    return _edited(request, None)


@requires(_SEES, roles.MAY_KEEP_ARCHIVES)
def edit_archive(request: HttpRequest, archive_id: UUID) -> HttpResponse:
    """Change what an archive is asked, and when."""
    return _edited(request, _visible(request, archive_id))


@vary_on_headers("HX-Request")
@requires(_SEES)
@require_safe
def one_archive(request: HttpRequest, archive_id: UUID) -> HttpResponse:
    """Show one archive: its question, its last answers, and its files."""
    row = _visible(request, archive_id)
    runs = list(ArchiveRun.objects.filter(archive=row).select_related("ordered_by").order_by("-id")[:_FEW])
    for run in runs:
        _answered(run)
    products = ArchiveProduct.objects.visible_to(request.user).filter(archive=row).select_related("incoming")
    counts, listed = counts_of([row]), list_page(request, ProductFilter, products, _NEWEST, size=20)
    for product in listed["page"].rows:
        whole = product.incoming.size_bytes if product.incoming else None
        product.size = size_in_words(whole or product.estimated_bytes or 0)
    context = {
        **listed,
        "archive": row,
        "asked": in_words(row),
        "runs": runs,
        # What it would have fetched is of no interest once it was fetched.
        "tried": next((run for run in runs[:1] if run.purpose != RunPurpose.FETCH), None),
        "last": next((run for run in runs if run.purpose == RunPurpose.FETCH and run.status not in _BUSY), None),
        "counts": [(state, counts.get((row.pk, state), 0)) for state in ProductState],
        "is_busy": any(run.status in _BUSY for run in runs) or bool(counts.get((row.pk, ProductState.ORDERED))),
        "is_asking": any(run.status in _BUSY for run in runs),
        "may_order": request.user.has_perm(roles.MAY_ORDER_ARCHIVES),
        "may_keep": _may_keep(request),
        "pauses": pauses(),
    }
    is_part = bool(request.headers.get("HX-Request"))
    return render(request, "observations/_archive.html" if is_part else "observations/archive.html", context)


@requires(_SEES, roles.MAY_ORDER_ARCHIVES)
@require_POST
def order_archive(request: HttpRequest, archive_id: UUID, what: str) -> HttpResponse:
    """Try an archive, ask it now, or switch it on or off."""
    row = _visible(request, archive_id)
    actor = actor_of(request)
    try:
        if what in _ORDERS:
            keeping.order(row, _ORDERS[what], actor)
            messages.success(request, "It is asked as soon as a worker is free; the answer appears here.")
        elif what in ("on", "off"):
            keeping.switch(row, is_on=what == "on", actor=actor)
            messages.success(request, "The archive is on." if what == "on" else "The archive is off.")
        else:
            raise Http404
    except (NotPossible, keeping.Refused) as refusal:
        messages.warning(request, str(refusal))
    return redirect("observations:one_archive", row.pk)


@requires(_SEES, roles.MAY_ORDER_ARCHIVES)
@require_POST
def try_product_again(request: HttpRequest, archive_id: UUID, product_id: UUID) -> HttpResponse:
    """Let a file that was refused or gone be fetched once more."""
    product = get_object_or_404(ArchiveProduct, pk=product_id, archive=_visible(request, archive_id))
    fetch_again(product, actor_of(request))
    messages.success(request, f"{product} waits to be fetched again.")
    return redirect("observations:one_archive", archive_id)


def _edited(request: HttpRequest, row: Archive | None) -> HttpResponse:
    form = ArchiveForm(request.POST if request.method == "POST" else None, row=row, today=timezone.now().date())
    if request.method == "POST" and form.is_valid():
        try:
            kept = keeping.keep(form.wish, actor_of(request), row)
        except keeping.Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "Kept. Try it before you switch it on." if row is None else "Changed.")
            return redirect("observations:one_archive", kept.pk)
    status = 400 if form.is_bound else 200
    return render(request, "observations/archive_form.html", {"form": form, "archive": row}, status=status)


def _answered(run: ArchiveRun | None) -> ArchiveRun | None:
    if run is not None:
        run.answer = answer_in_words(run)
    return run


def _visible(request: HttpRequest, archive_id: UUID) -> Archive:
    return get_object_or_404(Archive.objects.visible_to(request.user).select_related("survey"), pk=archive_id)


def _may_keep(request: HttpRequest) -> bool:
    return request.user.has_perm(roles.MAY_KEEP_ARCHIVES)
