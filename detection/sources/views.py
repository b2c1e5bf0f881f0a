"""The way from a candidate to the detection that came of it."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from catalog.web.access import requires
from detection.models import Detection


@requires("detection.view_detection")
@require_safe
def of_candidate(request: HttpRequest, candidate_id: UUID) -> HttpResponse:
    """Lead from a candidate to the detection that came of it."""
    row = Detection.with_injected.visible_to(request.user).filter(candidate=candidate_id).first()
    if row is None:
        return render(request, "detection/no_detection.html", {}, status=404)
    return redirect("curation:detection", row.pk)
