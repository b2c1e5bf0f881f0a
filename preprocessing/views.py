"""What was measured in a frame, as a part of the frame's page."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_safe

from catalog.web.access import requires
from catalog.web.parts import Place, render_part
from observations.models import Observation
from preprocessing.models import PreprocessRun

_LATEST = 10


@requires("preprocessing.view_preprocessrun")
@require_safe
def runs_of(request: HttpRequest, observation_id: UUID) -> HttpResponse:
    """Show a frame's preprocess runs, the latest first."""
    frame = get_object_or_404(Observation.objects.visible_to(request.user).only("pk"), pk=observation_id)
    runs = PreprocessRun.objects.visible_to(request.user).filter(observation=frame)
    place = Place("Calibration and quality", "Frame", reverse("observations:observation", args=[observation_id]))
    context = {"runs": runs.order_by("-created_at", "-id")[:_LATEST]}
    return render_part(request, "preprocessing/_runs.html", context, place)
