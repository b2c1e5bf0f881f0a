"""Whether training anew is worth it, and the button that orders it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from catalog.people.actors import actor_of
from catalog.roles import MAY_ACTIVATE_MODELS
from catalog.web.access import requires
from curation.labels.proposal import proposal, retrain
from detection.registry.ordering import OrderRefused


@requires("curation.view_validationevent", "detection.view_model")
@require_safe
def retraining(request: HttpRequest) -> HttpResponse:
    """Show how many answers have come since the model in use learned; a part of the page of models, or a page."""
    is_part = request.headers.get("HX-Request") == "true"
    template = "curation/_retraining.html" if is_part else "curation/retraining.html"
    return render(request, template, {"proposal": proposal()})


@requires(MAY_ACTIVATE_MODELS)
@require_POST
def order_retraining(request: HttpRequest) -> HttpResponse:
    """Order a training on what people have answered, and lead to its job."""
    try:
        job = retrain(actor_of(request))
    except OrderRefused as refusal:
        messages.warning(request, str(refusal))
        return redirect("detection:models")
    return redirect("catalog:job", job.pk)
