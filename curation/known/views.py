"""New detections of objects that people know: what they are is confirmed for many at once, after a look at all."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from catalog.ids import uuid7
from catalog.models import User
from catalog.people.actors import actor_of
from catalog.roles import MAY_JUDGE
from catalog.web.access import requires
from curation.judgements.batches import take_back_batch
from curation.judgements.settled import MOST_AT_ONCE, confirm, settled, waiting_of_settled
from curation.judgements.verdicts import EventRefused

_MOST_SHOWN = 50


@requires(MAY_JUDGE)
@require_safe
def known(request: HttpRequest) -> HttpResponse:
    """Show the known objects with new detections; of those that are chosen, what an answer covers."""
    chosen = _keys(request.GET.getlist("object"))
    user = cast(User, request.user)
    found = list(settled(chosen, user).values()) if chosen else waiting_of_settled(user)
    objects = [one for one in found if one.waiting]
    context = {
        "objects": objects[:_MOST_SHOWN],
        "is_preview": bool(chosen),
        "covered": sum(len(one.waiting) for one in objects[:_MOST_SHOWN]),
        "group": uuid7(),
        "undo": next(iter(_keys([request.GET.get("undo", "")])), None),
        "has_more": len(objects) > _MOST_SHOWN,
    }
    return render(request, "curation/known.html", context)


@requires(MAY_JUDGE)
@require_POST
def confirm_known(request: HttpRequest) -> HttpResponse:
    """Answer for the chosen objects as was answered before."""
    keys, group = _keys(request.POST.getlist("object")), _keys([request.POST.get("group", "")])
    try:
        count = confirm(keys, group[0], cast(User, request.user), actor_of(request)) if group else 0
    except EventRefused as refusal:
        messages.warning(request, str(refusal))
        return redirect("curation:known")
    if not count:
        messages.warning(request, "Nothing was left to confirm: somebody may have answered meanwhile.")
        return redirect("curation:known")
    answered = "One detection is confirmed" if count == 1 else f"{count} detections are confirmed"
    left = sum(len(one.waiting) for one in settled(keys, cast(User, request.user)).values())
    more = f" {left} more of what you chose wait still: {MOST_AT_ONCE} are confirmed at once." if left else ""
    messages.success(request, f"{answered}.{more}")
    return redirect(f"{reverse('curation:known')}?undo={group[0]}")


@requires(MAY_JUDGE)
@require_POST
def undo_known(request: HttpRequest) -> HttpResponse:
    """Withdraw all answers of one such confirmation."""
    group = _keys([request.POST.get("group", "")])
    count = len(take_back_batch(group[0], cast(User, request.user), actor_of(request))) if group else 0
    text = f"{count} answers are taken back." if count else "There was nothing to take back."
    messages.success(request, text)
    return redirect("curation:known")


def _keys(given: list[str]) -> list[UUID]:
    """Return the keys among what was sent; what is none is passed over."""
    found = []
    for text in given[:MOST_AT_ONCE]:
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return found
