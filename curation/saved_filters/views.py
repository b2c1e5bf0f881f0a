"""What people do with their saved filters, from the pages that these narrow."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_POST

from catalog.models import User
from catalog.people.actors import actor_of
from catalog.web.access import requires
from catalog.web.back import back_to
from curation.models import SavedFilter
from curation.saved_filters.forms import SaveForm
from curation.saved_filters.saved import NotSaved, delete_filter, save_filter


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
