"""What people do in triage in place of an answer: put off, reject a whole frame, choose their keys."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_safe

from catalog.models import User
from catalog.people.actors import actor_of
from catalog.roles import MAY_JUDGE
from catalog.web.access import requires
from curation.judgements.batches import BatchAnswer
from curation.judgements.deferrals import Deferment, defer, resume
from curation.judgements.frames import reject_frame, rejection_of, take_back_frame
from curation.judgements.verdicts import EventRefused
from curation.models import (
    EventKind,
    LabelDefinition,
)
from curation.triage import controls, gold, queue
from curation.triage.forms import (
    DeferralForm,
    FrameBackForm,
    FrameForm,
    SeenForm,
    SettingsForm,
)
from curation.triage.settings import save_settings, settings_of
from curation.triage.web.sent import Refused, answering, holder_of, read
from detection.models import Detection

_MOST_FIELDS = 100


@answering
def triage_deferrals(request: HttpRequest) -> JsonResponse:
    """Put an item off, or take that back; 201 and 200 as for answers."""
    sent = read(request, DeferralForm)
    holder, actor = holder_of(request, sent), actor_of(request)
    if gold.is_injected(sent["detection"]):
        # Nothing waits for anybody else: it comes again to its person where they do not answer.
        return JsonResponse({"id": str(sent["id"]), "is_held": sent["kind"] == EventKind.WITHDRAWAL}, status=201)
    if sent["kind"] == EventKind.WITHDRAWAL:
        is_new = bool(sent["supersedes"]) and resume(sent["supersedes"], holder.user, actor)
        is_held = sent["detection"] in queue.hold([sent["detection"]], holder)
        return JsonResponse({"id": str(sent["id"]), "is_held": is_held}, status=201 if is_new else 200)
    detections = (sent["detection"], *(other.detection_id for other in sent["others"]))
    asked = Deferment(sent["id"], detections, sent["kind"], sent["until"], sent["notes"])
    try:
        is_new = defer(asked, holder.user, actor)
    except EventRefused as refusal:
        raise Refused(422, "refused", str(refusal)) from refusal
    queue.release(holder, detections)
    return JsonResponse({"id": str(sent["id"])}, status=201 if is_new else 200)


@requires(MAY_JUDGE)
@require_safe
def triage_frame(request: HttpRequest) -> HttpResponse:
    """Show what rejecting the frame of a detection would be about, as a part of triage; else lead to the frame."""
    asked = SeenForm(request.GET)
    if not asked.is_valid():
        raise BadRequest("It lacks which detection is on screen.")
    rows = Detection.with_injected.visible_to(request.user).select_related("observation")
    seen = get_object_or_404(rows, pk=asked.cleaned_data["detection"])
    if not request.headers.get("HX-Request"):
        return redirect("observations:observation", seen.observation_id)
    reasons = LabelDefinition.objects.visible_to(request.user).filter(is_active=True, is_valid=False)
    context = {"rejection": rejection_of(seen.observation, cast(User, request.user)), "reasons": reasons}
    return render(request, "curation/_reject_frame.html", context)


@answering
def triage_reject_frame(request: HttpRequest) -> JsonResponse:
    """Call everything bogus that awaits review in a frame; return what that is."""
    sent = read(request, FrameForm)
    user = cast(User, request.user)
    seen = Detection.with_injected.visible_to(user).filter(pk=sent["detection"]).select_related("observation").first()
    if seen is None:
        raise Refused(404, "gone", "The detection no longer exists.")
    context = {**(sent["visible_context"] or {}), "answered_by": "frame"}
    said = BatchAnswer(sent["group"], is_valid=False, label=sent["label"], notes=sent["notes"], context=context)
    try:
        done = reject_frame(seen, said, user, actor_of(request))
    except EventRefused as refusal:
        raise Refused(422, "refused", str(refusal)) from refusal
    return JsonResponse({"detections": [str(pk) for pk in done]})


@answering
def triage_take_back_frame(request: HttpRequest) -> JsonResponse:
    """Take the rejection of a frame back."""
    sent = read(request, FrameBackForm)
    return JsonResponse({"count": take_back_frame(sent["group"], cast(User, request.user), actor_of(request))})


@requires(MAY_JUDGE)
def triage_settings(request: HttpRequest) -> HttpResponse:
    """Show one's own keys, and keep others."""
    user = cast(User, request.user)
    settings = settings_of(user)
    if request.method != "POST":
        form = SettingsForm(initial={**settings.keys, "asks_for_reason": settings.asks_for_reason})
        return render(request, "curation/triage_settings.html", {"form": form})
    form = SettingsForm(request.POST)
    if form.is_valid():
        try:
            save_settings(user, form.chosen.chosen, asks_for_reason=form.cleaned_data["asks_for_reason"])
        except controls.KeyRefused as refusal:
            form.add_error(refusal.action, str(refusal))
        else:
            messages.success(request, "Saved. Triage has your keys now.")
            return redirect("curation:triage_settings")
    return render(request, "curation/triage_settings.html", {"form": form}, status=400)
