"""The rejection of a whole frame without scripts: what it would be about on a page of its own, and one way back."""

from __future__ import annotations

import json
from typing import cast
from uuid import UUID, uuid4

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from catalog.models import User
from catalog.people.actors import actor_of
from curation.judgements.batches import BatchAnswer
from curation.judgements.frames import reject_frame, rejection_of
from curation.judgements.verdicts import EventRefused
from curation.models import LabelDefinition
from curation.triage import queue
from curation.triage.items import name_of
from curation.triage.plain import done as kept_done
from curation.triage.plain.answers import FRAME, Done
from curation.triage.plain.forms import RejectionForm
from curation.triage.plain.sights import sight_of
from curation.triage.plain.web.window import Window
from curation.triage.review import reviews
from detection.cutouts.overlay import overlay_of
from detection.models import Detection

REJECT = "reject frame"


def preview(window: Window, form: RejectionForm | None = None, refusal: str = "", status: int = 200) -> HttpResponse:
    """Show what rejecting the frame of a detection would be about, with its images, and the form that does it."""
    request, seen, item = window.request, _seen(window), window.place["item"]
    user = window.holder.user
    found = reviews([item], user, by_detection=window.holder.by_detection) if item else []
    sight = sight_of(found[0], None, seen.pk) if found else None
    typed = form.data if form else {}
    context = {
        "rejection": rejection_of(seen.observation, user),
        "reasons": LabelDefinition.objects.visible_to(user).filter(is_active=True, is_valid=False),
        "sight": sight,
        "name": name_of(seen),
        "overlay": overlay_of(seen),
        "group": typed.get("group") or uuid4(),
        "context": json.dumps(sight.context if sight else {}),
        "label": typed.get("label", ""),
        "notes": typed.get("notes", ""),
        "refusal": refusal,
        "say": REJECT,
        "action": request.get_full_path(),
        "back": window.address(item=item, large=seen.pk),
    }
    return render(request, "curation/triage_plain_frame.html", context, status=status)


def reject(window: Window) -> HttpResponse:
    """Call everything bogus that awaits review in the frame, and lead to the next item."""
    request, user, form = window.request, cast(User, window.request.user), RejectionForm(window.request.POST)
    if not form.is_valid():
        return preview(window, form, "This page was damaged on its way, and nothing was kept. Try again.", 422)
    given = form.cleaned_data
    if given["person"] != user.pk:
        name = user.get_username()
        return preview(window, form, f"You are logged in as {name} now. Nothing was kept: answer again as {name}.", 409)
    seen = _seen(window)
    shown = given["context"] if isinstance(given["context"], dict) else {}
    context = {**shown, "answered_by": "frame"}
    said = BatchAnswer(given["group"], is_valid=False, label=given["label"], notes=given["notes"], context=context)
    try:
        gone = reject_frame(seen, said, user, actor_of(request))
    except EventRefused as refusal:
        return preview(window, form, f"Nothing was kept: {refusal}", 422)
    return _done(window, seen, given["group"], len(gone))


def _done(window: Window, seen: Detection, group: UUID, count: int) -> HttpResponse:
    frame = seen.observation.shown_name
    words = f"{count} detection{'' if count == 1 else 's'} called bogus"
    kept_done.remember(window.request.session, window.holder.window, Done(group, seen.pk, FRAME, frame, words))
    queue.release(window.holder)
    messages.success(window.request, f"{frame}: {words}. Undo takes all of it back.")
    return redirect(window.address(after=window.place["item"] or seen.pk))


def _seen(window: Window) -> Detection:
    """Return the detection whose frame it is."""
    rows = Detection.with_injected.visible_to(window.holder.user).select_related("observation", "candidate")
    found: Detection = get_object_or_404(rows, pk=window.place["frame"])
    return found
