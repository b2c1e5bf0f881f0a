"""What people do with their saved filters, from the pages that these narrow."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from catalog.models import User
from catalog.people.actors import actor_of
from catalog.web.access import requires
from catalog.web.back import back_to
from curation.detections.filters import DetectionListFilter
from curation.models import SavedFilter
from curation.saved_filters.forms import SaveForm
from curation.saved_filters.history import NIGHTS, by_night
from curation.saved_filters.saved import NotSaved, delete_filter, save_filter
from detection.models import Detection

_USUAL_NIGHTS = 7
# Nights are looked at one by one.
_OF_PLACE_IN_LIST = ("cursor", "detection", "night", "night_from", "night_to")


@requires("detection.view_detection")
@require_safe
def history(request: HttpRequest) -> HttpResponse:
    """Show what a filter would have given on the last observed nights."""
    query = request.GET.copy()
    asked = int(text) if (text := query.pop("nights", [""])[-1]) in map(str, NIGHTS) else _USUAL_NIGHTS
    for name in _OF_PLACE_IN_LIST:
        query.pop(name, None)
    narrowed = DetectionListFilter(query, queryset=Detection.objects.visible_to(request.user), request=request)
    wrong = [(narrowed.form[name].label, " ".join(map(str, said))) for name, said in narrowed.form.errors.items()]
    nights = [] if wrong else by_night(narrowed.qs, request.user, asked)
    for one in nights:
        one.url = f"{reverse('curation:detections')}?{_with(query, night_from=one.night, night_to=one.night)}"
    total = sum(one.detections for one in nights)
    context = {
        "wrong": wrong,
        "nights": nights,
        "list_url": f"{reverse('curation:detections')}?{query.urlencode()}",
        "asked": asked,
        "total": total,
        "per_night": total / max(len(nights), 1),
        "choices": [(n, f"{reverse('curation:filter_history')}?{_with(query, nights=n)}") for n in NIGHTS],
    }
    return render(request, "curation/filter_history.html", context)


def _with(query: QueryDict, **more: object) -> str:
    """Return a query with other values of some names."""
    other = query.copy()
    for name, value in more.items():
        other[name] = str(value)
    return other.urlencode()


@requires("detection.view_detection")
@require_POST
def save(request: HttpRequest) -> HttpResponse:
    """Keep what the page is narrowed to."""
    form = SaveForm(request.POST)
    if not form.is_valid():
        messages.warning(request, "Not saved: give the filter a name of at most 60 characters.")
        return back_to(request, "curation:detections")
    given = form.cleaned_data
    try:
        row = save_filter(
            cast(User, request.user),
            given["name"],
            given["query"],
            is_shared=given["is_shared"],
            is_default=given["is_default"],
            actor=actor_of(request),
        )
    except NotSaved as reason:
        messages.warning(request, str(reason))
    else:
        messages.success(request, f"Saved: “{row.name}”.")
    return back_to(request, "curation:detections")


@requires("detection.view_detection")
@require_POST
def delete(request: HttpRequest, filter_id: UUID) -> HttpResponse:
    """Delete one of one's own."""
    row = get_object_or_404(SavedFilter, pk=filter_id, person=request.user.pk)
    delete_filter(row, actor_of(request))
    messages.success(request, f"Deleted: “{row.name}”.")
    return back_to(request, "curation:detections")
