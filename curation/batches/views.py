"""One answer about what was chosen in the list of detections: what that would be, and one way back."""

from __future__ import annotations

from typing import cast
from uuid import UUID, uuid4

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.views.decorators.http import require_POST

from catalog.models import User
from catalog.people.actors import actor_of
from catalog.roles import MAY_JUDGE
from catalog.web.access import requires
from curation.batches.forms import BatchForm, ChosenForm
from curation.detections.filters import DetectionListFilter
from curation.judgements import visibility
from curation.judgements.batches import MOST_AT_ONCE, BatchAnswer, answer_batch, take_back_batch
from curation.judgements.objects import keys_of
from curation.judgements.verdicts import OPEN, EventRefused
from curation.models import Shown
from detection.models import Detection

# So many are shown as pictures before they are answered about.
_MOST_PICTURES = 120


@requires(MAY_JUDGE)
@require_POST
def preview(request: HttpRequest) -> HttpResponse:
    """Show what an answer about the chosen detections would be about."""
    chosen = _chosen(request)
    if not chosen:
        messages.warning(request, "Nothing was chosen: tick the detections that you want to answer about.")
        return redirect("curation:detections")
    if len(chosen) > MOST_AT_ONCE:
        messages.warning(request, f"At most {MOST_AT_ONCE} detections are answered at once: narrow the filters.")
        return redirect("curation:detections")
    return _page(request, chosen)


@requires(MAY_JUDGE)
@require_POST
def answer(request: HttpRequest) -> HttpResponse:
    """Answer about them."""
    form = BatchForm(request.POST)
    if not form.is_valid():
        chosen = ChosenForm(request.POST)
        if not chosen.is_valid():
            messages.error(request, "These detections cannot be read: choose them again.")
            return redirect("curation:detections")
        return _page(request, chosen.cleaned_data["detections"], form, status=400)
    user = cast(User, request.user)
    visible = Detection.objects.visible_to(user).in_bulk(form.cleaned_data["detections"])
    keys = [key for key in form.cleaned_data["detections"] if key in visible]
    shown = dict.fromkeys(keys[: form.cleaned_data["shown"]], Shown.STRIP.value)
    is_valid, label = form.verdict
    said = BatchAnswer(
        form.cleaned_data["group"], is_valid, label, form.cleaned_data["notes"], {"answered_by": "batch"}
    )
    try:
        done, _ = answer_batch(keys, shown, said, user, actor_of(request))
    except EventRefused as refusal:
        form.add_error(None, str(refusal))
        return _page(request, keys, form, status=422)
    undo = format_html(
        '{} answered. <button form="undo-batch" formaction="{}">Undo</button>',
        f"{len(done)} detection{'' if len(done) == 1 else 's'}",
        reverse("curation:batch_undo", args=[said.group]),
    )
    messages.success(request, undo)
    return redirect("curation:detections")


@requires(MAY_JUDGE)
@require_POST
def undo(request: HttpRequest, group: UUID) -> HttpResponse:
    """Take an answer about many detections back."""
    count = len(take_back_batch(group, cast(User, request.user), actor_of(request)))
    if count:
        messages.success(request, f"Undone: {count} answer{'' if count == 1 else 's'} withdrawn.")
    else:
        messages.warning(request, "There is nothing to undo: these answers do not stand any more.")
    return redirect("curation:detections")


def _chosen(request: HttpRequest) -> list[UUID]:
    """Return the keys of the ticked detections, or of all that the list's filters find; one more than can be had."""
    query = request.POST.get("query")
    if request.POST.get("all") and query is not None:
        narrowed = DetectionListFilter(QueryDict(query), Detection.objects.visible_to(request.user), request=request)
        if not narrowed.form.is_valid():
            return []
        ordering = DetectionListFilter.ordering(narrowed.data)
        return list(narrowed.qs.order_by(*ordering).values_list("pk", flat=True)[: MOST_AT_ONCE + 1])
    form = ChosenForm({"detections": " ".join(request.POST.getlist("detection"))})
    return form.cleaned_data["detections"] if form.is_valid() else []


def _page(request: HttpRequest, keys: list[UUID], form: BatchForm | None = None, status: int = 200) -> HttpResponse:
    rows = (
        Detection.objects.visible_to(request.user)
        .filter(pk__in=keys)
        .only("pk", "status", "ra", "dec", "confidence_score", "cutouts_path")
    )
    by_key = {row.pk: row for row in rows}
    found = [by_key[key] for key in keys if key in by_key]
    waiting = sum(row.status in OPEN for row in found)
    pictures = found[:_MOST_PICTURES]
    begin = {"detections": " ".join(str(row.pk) for row in found), "group": uuid4(), "shown": len(pictures)}
    context = {
        "form": form or BatchForm(initial=begin),
        "count": len(found),
        "objects": len(set(keys_of([row.pk for row in found]).values())),
        # Whoever judges blind is not told what is decided.
        "decided": None if visibility.is_blind(request.user) else len(found) - waiting,
        "pictures": pictures,
        "more": len(found) - len(pictures),
    }
    return render(request, "curation/batch.html", context, status=status)
