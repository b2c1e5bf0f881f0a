"""Why a detection has its score: a page, or the part of it that opens over triage."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from catalog.models import User
from catalog.web.access import requires
from curation.judgements import unmarked, visibility
from curation.why.alike import examples_for
from curation.why.score import said_of
from detection.models import CandidateScore, Detection


@requires("detection.view_detection", "curation.view_validationevent", "curation.view_labeldefinition")
@require_safe
@vary_on_headers("HX-Request")
def why(request: HttpRequest, detection_id: UUID) -> HttpResponse:
    """Show what the model says in words, and the answered detections that are most alike to it."""
    rows = Detection.with_injected.visible_to(request.user).select_related("model_run__model")
    row = get_object_or_404(rows, pk=detection_id)
    user = cast(User, request.user)
    shown = {"detection": row, "is_withheld": unmarked.is_withheld(row, user)}
    if not shown["is_withheld"]:
        scores = (
            CandidateScore.objects.filter(candidate=row.candidate_id).select_related("model").order_by("created_at")
        )
        every = list(scores) if row.candidate_id else []
        model = row.model_run.model
        scored = next((one for one in every if one.model_id == model.pk), None)
        others = [one for one in every if one.model_id != model.pk and one.model.model_type == model.model_type]
        shown |= {
            "said": said_of(row, scored, others),
            "tells_features": scored is not None and scored.features is not None,
            "examples": examples_for(row, scored, user) if scored else None,
            "is_blind": visibility.is_blind(user),
        }
    is_part = request.headers.get("HX-Request")
    return render(request, "curation/_why.html" if is_part else "curation/why.html", shown)
