"""The page of what to observe tonight."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from catalog.web.access import requires
from curation.tonight.forms import NAMES, TonightForm
from curation.tonight.plan import plan_for
from detection.models import Detection
from observations.places import place_of


@never_cache
@requires("detection.view_detection", "differencing.view_tracklet")
@require_safe
def tonight(request: HttpRequest) -> HttpResponse:
    """Show which objects want another epoch and can be observed, most urgent first."""
    form = TonightForm(request.GET, request.user)
    telescope = form.asked_telescope if form.is_valid() else None
    context: dict[str, object] = {
        "form": form,
        "controls": [form[name] for name in NAMES],
        "is_narrowed": any(request.GET.get(name) for name in NAMES),
        "telescope": telescope,
        "has_place": place_of(telescope) is not None,
        "table": f"{reverse('api:tonight')}?{_query(request)}",
    }
    if form.is_valid() and telescope is not None and place_of(telescope) is not None:
        plan = plan_for(
            request.user, telescope, form.asked_at, altitude_deg=form.asked_altitude_deg, kinds=form.asked_kinds
        )
        context |= {"plan": plan, "altitude_min": form.asked_altitude_deg}
        if not plan.observable and not plan.too_low:
            newest = Detection.objects.visible_to(request.user).order_by("-observation__observation_time")
            context["last_seen"] = newest.values_list("observation__observation_time", flat=True).first()
    return render(request, "curation/tonight.html", context)


def _query(request: HttpRequest) -> str:
    """Return what the page was narrowed by, for its table."""
    asked = request.GET.copy()
    for name in [name for name in asked if name not in NAMES or not asked[name]]:
        asked.pop(name)
    asked["format"] = "csv"
    return asked.urlencode()
