"""The page of a difference: its four images with the candidates over them, and what is known of the subtraction."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.db.models.functions import Abs
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.views.decorators.http import require_safe

from catalog.web.access import requires
from differencing import pictures
from differencing.models import Candidate, DifferenceRun

_MOST_CANDIDATES, _LATEST = 300, 10
_FLAGS = {
    "is_negative": "negative", "is_dipole": "dipole", "is_saturated": "saturated", "is_blended": "blended",
    "is_edge": "at the edge", "is_reference_ghost": "ghost of the reference",
}  # fmt: skip


@requires("differencing.view_differencerun")
@require_safe
def difference(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Show one difference."""
    rows = DifferenceRun.objects.visible_to(request.user).select_related(
        "observation__field", "reference_observation", "reference"
    )
    run = get_object_or_404(rows, pk=run_id)
    candidates = _candidates(Candidate.objects.visible_to(request.user).filter(difference_run=run), run)
    context = {
        "run": run,
        "candidates": candidates[:_MOST_CANDIDATES],
        "has_more": len(candidates) > _MOST_CANDIDATES,
        "most": _MOST_CANDIDATES,
        "kinds": list(enumerate(pictures.KINDS, start=1)),
        "has_images": bool(run.difference_image_path and run.reference_aligned_path and run.significance_map_path),
    }
    return render(request, "differencing/difference.html", context)


@requires("differencing.view_differencerun")
@require_safe
def picture(request: HttpRequest, run_id: UUID, kind: str) -> HttpResponse:
    """Show one of the images."""
    run = get_object_or_404(DifferenceRun.objects.visible_to(request.user), pk=run_id)
    if kind not in pictures.KINDS:
        raise Http404("A difference has no such image.")
    etag = quote_etag(f"{run.pk}-{run.inputs_hash[:12]}-{kind}")
    unchanged = get_conditional_response(request, etag=etag)
    if unchanged is not None:
        return unchanged
    content = pictures.picture(run, kind)
    if content is None:
        raise Http404("The images of this difference are gone: reprocess the frame.")
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    return HttpResponse(content, content_type="image/png", headers=headers)


@requires("differencing.view_differencerun")
@require_safe
def runs_of(request: HttpRequest, observation_id: UUID) -> HttpResponse:
    """Show a frame's differences as a part of the frame's page, the latest first."""
    runs = DifferenceRun.objects.visible_to(request.user).filter(observation=observation_id)
    shown = runs.select_related("reference", "reference_observation").order_by("-created_at", "-id")[:_LATEST]
    return render(request, "differencing/_runs.html", {"runs": shown})


def _candidates(rows: QuerySet[Candidate], run: DifferenceRun) -> list[Any]:
    """Return the most significant candidates, each with its place in the picture and its flags in words."""
    found = list(rows.order_by(Abs("significance").desc(), "id")[: _MOST_CANDIDATES + 1])
    height = run.observation.image_height
    for row in found:
        # Pixel 0 is centred half a pixel inside; the picture's rows run downwards.
        row.x_px, row.y_px = row.pixel_x + 0.5, height - 0.5 - row.pixel_y  # type: ignore[attr-defined]
        row.flags = [title for name, title in _FLAGS.items() if getattr(row, name)]  # type: ignore[attr-defined]
    return found
