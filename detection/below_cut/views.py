"""What the model or a veto has rejected: the list of it, and the way from there to people."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.html import format_html
from django.views.decorators.http import require_POST, require_safe

from catalog.counting import count_bounded
from catalog.people.actors import actor_of
from catalog.roles import MAY_JUDGE
from catalog.web.access import requires
from catalog.web.back import back_to
from catalog.web.lists import list_page
from detection.below_cut import promotion
from detection.below_cut.filters import BelowCutFilter
from detection.cutouts.pictures import path_of
from detection.cutouts.views import picture_of
from detection.models import CandidateScore
from differencing.models import Candidate

# As many as a page shows.
_MOST_AT_ONCE = 50
_LONG = ("candidate__observation__header", "candidate__observation__facts")


@requires("detection.view_detection", "differencing.view_candidate")
@require_safe
def below_cut(request: HttpRequest) -> HttpResponse:
    """Show the rejected candidates, those nearest to the threshold first."""
    rows = promotion.rejected(CandidateScore.objects.visible_to(request.user))
    shown = rows.select_related("candidate__observation__field").defer(*_LONG)
    context = list_page(request, BelowCutFilter, shown, ("-score", "id"))
    return render(request, "detection/below_cut.html", context | {"count": count_bounded(context["rows"])})


@requires("detection.view_detection")
@require_safe
def cutouts(request: HttpRequest, candidate_id: UUID) -> HttpResponse:
    """Answer with the cutouts of a candidate as a small PNG."""
    row = get_object_or_404(Candidate.objects.visible_to(request.user).only("observation_id"), pk=candidate_id)
    return picture_of(request, path_of(row.observation_id, row.pk), is_small=True)


@requires(MAY_JUDGE)
@require_POST
def promote(request: HttpRequest) -> HttpResponse:
    """Put the chosen candidates before curators."""
    try:
        keys = {UUID(key) for key in request.POST.getlist("candidate")[:_MOST_AT_ONCE]}
        made = promotion.promote(keys, request.user, actor_of(request))
        _tell(request, len(made))
    except promotion.PromotionRefused as refusal:
        messages.warning(request, str(refusal))
    except ValueError:
        messages.warning(request, "One of these is no candidate.")
    return back_to(request, "detection:below_cut")


def _tell(request: HttpRequest, count: int) -> None:
    if not count:
        messages.warning(request, "Nothing was chosen: tick the candidates that people shall look at.")
        return
    triage = f"{reverse('curation:triage')}?origin=promoted"
    what = "A candidate awaits" if count == 1 else f"{count} candidates await"
    messages.success(request, format_html('{} review now. <a href="{}">Review what was promoted</a>', what, triage))
