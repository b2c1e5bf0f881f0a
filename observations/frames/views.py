"""Pages of frames: the list, one frame with its header, and orders about it."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.views.decorators.http import require_POST, require_safe

from catalog.failures import NotPossible
from catalog.files.storage import OutsideStorage, StorageFull, StorageUnreachable
from catalog.models import ProcessingJob
from catalog.people.actors import Actor, actor_of
from catalog.retention.words import removed_words
from catalog.roles import MAY_ORDER_FRAMES, MAY_SETTLE_DOUBTS
from catalog.web.access import requires
from catalog.web.lists import list_page
from catalog.web.parts import Place, render_part
from observations.claims import doubts
from observations.frames import actions, previews
from observations.frames.filters import ObservationFilter
from observations.models import Doubt, Field, Observation, ObservationStatus

_LONG = ("header", "facts", "footprint")
_MISSING = "The raw file is missing from the data root."
_LATEST_JOBS, _OFFERED, _LONGEST_NOTE = 12, 200, 500


@requires("observations.view_observation")
@require_safe
def observations(request: HttpRequest) -> HttpResponse:
    """Show the frames, those observed last first."""
    rows = Observation.objects.visible_to(request.user).select_related("field", "survey").defer(*_LONG)
    context = list_page(request, ObservationFilter, rows, ObservationFilter.ordering(request.GET))
    names = Field.objects.visible_to(request.user).exclude(name="").order_by("name").values_list("name", flat=True)
    return render(request, "observations/observations.html", context | {"field_names": names[:_OFFERED]})


@requires("observations.view_observation")
@require_safe
def observation(request: HttpRequest, observation_id: UUID) -> HttpResponse:
    """Show one frame: its picture, what its header says, its work, and what may be ordered."""
    rows = Observation.objects.visible_to(request.user).select_related("field", "survey", "telescope")
    row = get_object_or_404(rows, pk=observation_id)
    jobs = ProcessingJob.objects.visible_to(request.user).filter(entity_type="observation", entity_id=str(row.pk))
    context = {
        "row": row,
        "is_there": previews.is_there(row),
        "removed": removed_words(row),
        "detections_query": _detections_query(row),
        "doubts": row.doubts.all(),
        "may_settle": request.user.has_perm(MAY_SETTLE_DOUBTS),
        "origins": sorted(row.facts.items()),
        "jobs": jobs.order_by("-created_at", "-id")[:_LATEST_JOBS],
        "may_order": request.user.has_perm(MAY_ORDER_FRAMES) and row.status != ObservationStatus.IMPORTED,
        "is_archived": row.status == ObservationStatus.ARCHIVED,
        "is_imported": row.status == ObservationStatus.IMPORTED,
    }
    return render(request, "observations/observation.html", context)


@requires("observations.view_observation")
@require_safe
def header(request: HttpRequest, observation_id: UUID) -> HttpResponse:
    """Show the cards of a frame's raw file, as a part of the frame's page."""
    fields = ("fits_file_path", "hdu_index", "original_name", "observation_id")
    row = get_object_or_404(Observation.objects.visible_to(request.user).only(*fields), pk=observation_id)
    parts, reason = [], ""
    try:
        parts = previews.header(row)
    except (FileNotFoundError, OutsideStorage):
        removed = removed_words(row)
        reason = f"{removed or _MISSING} Upload it again: an identical file is recognised as this frame."
    except (StorageFull, StorageUnreachable) as error:
        reason = f"The raw file cannot be read at the moment: {error} Try again later."
    except previews.FitsRefused as refusal:
        reason = f"The raw file cannot be read any more: {refusal}"
    place = Place("Header of the raw file", row.shown_name, reverse("observations:observation", args=[row.pk]))
    return render_part(request, "observations/_header.html", {"parts": parts, "reason": reason}, place)


@requires("observations.view_observation")
@require_safe
def preview(request: HttpRequest, observation_id: UUID, size: str) -> HttpResponse:
    """Show a frame as a picture; a raw frame never changes, so a browser asks once."""
    row = get_object_or_404(Observation.objects.visible_to(request.user).defer(*_LONG), pk=observation_id)
    if size not in previews.SIZES:
        raise Http404("There is no preview of this size.")
    if row.sha256 is None:
        raise Http404("The frame of this exposure is not here: it was imported with another survey's alerts.")
    etag = quote_etag(f"{row.sha256[:32]}-{size}")
    unchanged = get_conditional_response(request, etag=etag)
    if unchanged is not None:
        return unchanged
    content = previews.picture(row, size)
    if content is None:
        raise Http404("The file of this frame is missing or cannot be read.")
    headers = {"ETag": etag, "Cache-Control": "private, max-age=86400"}
    return HttpResponse(content, content_type="image/png", headers=headers)


@requires(MAY_ORDER_FRAMES)
@require_POST
def reprocess(request: HttpRequest, observation_id: UUID) -> HttpResponse:
    """Take a frame through all stages again."""
    return _ordered(request, observation_id, actions.reprocess, "The frame will be processed again.")


@requires(MAY_ORDER_FRAMES)
@require_POST
def archive(request: HttpRequest, observation_id: UUID) -> HttpResponse:
    """Put a frame aside."""
    done = "The frame has been archived and is no longer used. You can restore it at any time."
    return _ordered(request, observation_id, actions.archive, done)


@requires(MAY_ORDER_FRAMES)
@require_POST
def take_back(request: HttpRequest, observation_id: UUID) -> HttpResponse:
    """Return an archived frame to where it was."""
    return _ordered(request, observation_id, actions.take_back, "The frame has been restored.")


@requires(MAY_SETTLE_DOUBTS)
@require_POST
def settle(request: HttpRequest, observation_id: UUID, doubt_id: UUID) -> HttpResponse:
    """Settle a doubt about a frame, or take that back."""
    rows = Doubt.objects.visible_to(request.user).filter(observation=observation_id)
    row = get_object_or_404(rows, pk=doubt_id)
    try:
        if "reopen" in request.POST:
            doubts.reopen(row, actor_of(request))
            messages.success(request, "The doubt stands again.")
        else:
            doubts.settle(row, request.POST.get("note", "")[:_LONGEST_NOTE], actor_of(request))
            messages.success(request, "The doubt is settled. What it held back will be looked at again.")
    except NotPossible as refusal:
        messages.warning(request, str(refusal))
    return redirect("observations:observation", observation_id)


def _detections_query(row: Observation) -> str:
    """Return what narrows the list of detections to a frame's field and night; "" where the field has no name."""
    if row.field is None or not row.field.name:
        return ""
    return urlencode({"field": row.field.name, "night_from": row.night, "night_to": row.night})


def _ordered(
    request: HttpRequest, observation_id: UUID, order: Callable[[Observation, Actor], object], done: str
) -> HttpResponse:
    row = get_object_or_404(Observation.objects.visible_to(request.user), pk=observation_id)
    try:
        order(row, actor_of(request))
        messages.success(request, done)
    except NotPossible as refusal:
        messages.warning(request, str(refusal))
    return redirect("observations:observation", row.pk)
