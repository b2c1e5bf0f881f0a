"""Pages of what labels mean and of how well people review; and what experts show to others."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from catalog.configuration.values import snapshot
from catalog.models import User
from catalog.people.actors import actor_of
from catalog.roles import MAY_CHOOSE_EXAMPLES, MAY_JUDGE, MAY_MARK_KNOWN
from catalog.web.access import requires
from curation.judgements import examples, gold
from curation.models import GoldItem
from detection.models import Detection

# As many as one page shows of what experts have marked, the latest.
_MOST_KNOWN = 200


@requires("curation.view_labeldefinition", "detection.view_detection", "curation.view_validationevent")
@require_safe
def labels(request: HttpRequest) -> HttpResponse:
    """Show what each label means, with examples."""
    shown = examples.labels_with_examples(cast(User, request.user))
    return render(request, "curation/labels.html", {"labels": shown})


@requires(MAY_JUDGE)
@require_safe
def known_items(request: HttpRequest) -> HttpResponse:
    """Show how well one reviews what is known; to experts, how everybody does, and what is known."""
    is_expert = request.user.has_perm(MAY_MARK_KNOWN)
    items = GoldItem.objects.visible_to(request.user).filter(kind="").select_related("detection", "marked_by")
    rows, injected = gold.completeness_for(request.user), gold.found_injected_for(request.user)
    starts = sorted({one.snr_from for one in injected if one.snr_from is not None})
    context = {
        "rows": rows,
        "people": [(one, one.of_verdicts.get(True), one.of_verdicts.get(False)) for one in gold.by_person(rows)],
        "injected": injected,
        "ranges": [gold.range_in_words(start) for start in starts],
        "injected_people": [
            (one, [(gold.range_in_words(start), one.of_ranges.get(start)) for start in starts])
            for one in gold.by_person(injected)
        ],
        "is_injecting": bool(snapshot()["curation.fake_share"]),
        "is_expert": is_expert,
        "items": items[:_MOST_KNOWN] if is_expert else [],
    }
    return render(request, "curation/known_items.html", context)


@requires(MAY_MARK_KNOWN)
@require_POST
def known(request: HttpRequest, detection_id: UUID) -> HttpResponse:
    """Mark a detection as known, or do so no more."""
    return _turned(
        request, detection_id, gold.mark_known, gold.end_known, "It is given to people unmarked from now on."
    )


@requires(MAY_CHOOSE_EXAMPLES)
@require_POST
def example(request: HttpRequest, detection_id: UUID) -> HttpResponse:
    """Show a detection as an example of its label, or do so no more."""
    return _turned(request, detection_id, examples.choose, examples.leave_out, "It is shown with its label now.")


def _turned(
    request: HttpRequest,
    detection_id: UUID,
    begin: Callable[..., object],
    end: Callable[..., object],
    done: str,
) -> HttpResponse:
    row = get_object_or_404(Detection.objects.visible_to(request.user), pk=detection_id)
    try:
        if "end" in request.POST:
            end(row, actor_of(request))
        else:
            begin(row, cast(User, request.user), actor_of(request))
            messages.success(request, done)
    except (gold.GoldRefused, examples.ExampleRefused) as refusal:
        messages.warning(request, str(refusal))
    return redirect("curation:detection", row.pk)
