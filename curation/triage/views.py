"""The page of triage, and what its script asks for: the next detections, and to keep an answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from dataclasses import asdict
from functools import wraps
from typing import Any, cast
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_POST, require_safe

from catalog import counting
from catalog.models import User
from catalog.people.actors import actor_of
from catalog.roles import MAY_JUDGE
from catalog.web.access import requires
from curation.judgements.batches import BatchAnswer
from curation.judgements.deferrals import Deferment, defer, resume
from curation.judgements.frames import reject_frame, rejection_of, take_back_frame
from curation.judgements.tags import tags_in_use
from curation.judgements.verdicts import EventRefused, Judgement
from curation.models import ConfidenceLevel, EventKind, LabelDefinition, Quality, SavedFilter, Shown, ValidationEvent
from curation.saved_filters.saved import default_query
from curation.triage import controls, files, queue
from curation.triage.ahead import bounds, windows_here
from curation.triage.answers import answer
from curation.triage.emptiness import empty, why_empty
from curation.triage.filters import QueueFilter
from curation.triage.forms import (
    AnswerForm,
    DeferralForm,
    FrameBackForm,
    FrameForm,
    NextForm,
    ReleaseForm,
    SaidForm,
    SeenForm,
    SettingsForm,
    WindowForm,
)
from curation.triage.items import item_of, said, said_of
from curation.triage.queue import Holder
from curation.triage.review import reviews
from curation.triage.settings import save_settings, settings_of
from detection.models import Detection
from observations.models import Field

_MOST_FIELDS = 100

View = Callable[[HttpRequest], JsonResponse]


class _Refused(Exception):
    """What was sent is not taken: the state of HTTP, a code, a sentence, and what programs may want to know."""


def _answering(view: View) -> Any:
    """Turn what is refused into an answer that the script can show."""

    @wraps(view)
    def answering(request: HttpRequest) -> JsonResponse:
        try:
            return view(request)
        except _Refused as refusal:
            status, code, detail, *more = refusal.args
            return JsonResponse({"code": code, "detail": detail, **dict(*more)}, status=status)

    return requires(MAY_JUDGE)(require_POST(answering))


@gzip_page
@requires(MAY_JUDGE)
@require_safe
def triage(request: HttpRequest) -> HttpResponse:
    """Show the page without a detection: its script takes the first one. Without a query the saved default counts."""
    if not request.GET and (query := default_query(cast(User, request.user))):
        return redirect(f"{reverse('curation:triage')}?{query}")
    user = cast(User, request.user)
    narrowed = QueueFilter(request.GET, request)
    fields = Field.objects.visible_to(request.user)
    labels = list(LabelDefinition.objects.visible_to(request.user).filter(is_active=True))
    settings = settings_of(user)
    keys = controls.Keys(settings.keys)
    context = {
        "form": narrowed.form,
        "controls": narrowed.offered(),
        "is_narrowed": narrowed.is_narrowed,
        "narrowed_by": _words(narrowed),
        "remaining": queue.remaining(narrowed.queue, user, by_detection=narrowed.by_detection),
        "by_detection": narrowed.by_detection,
        "most_counted": counting.MOST_COUNTED,
        "on_keys": [(number, label) for number, label in enumerate(labels[: controls.LABELS_ON_KEYS], start=1)],
        "more_labels": labels[controls.LABELS_ON_KEYS :],
        "keys": keys.by_action,
        "groups": keys.groups,
        "levels": [(level, keys.by_action[level.value]) for level in ConfidenceLevel],
        # From bad to good: what is marked most often needs the fewest presses.
        "grades": " ".join(reversed(Quality.values)),
        "asks_for_reason": settings.asks_for_reason,
        "tags": tags_in_use(),
        "saved": SavedFilter.objects.visible_to(request.user).select_related("person"),
        "default_level": ConfidenceLevel.MEDIUM,
        "worker_url": _worker_url(),
        "modules": files.modules(),
        "field_names": fields.exclude(name="").order_by("name").values_list("name", flat=True)[:_MOST_FIELDS],
    }
    return render(request, "curation/triage.html", context)


@gzip_page
@_answering
def triage_next(request: HttpRequest) -> JsonResponse:
    """Lease the next detections of a query, keep those that the page holds, and tell which it has lost."""
    asked = _read(request, NextForm)
    narrowed = QueueFilter(QueryDict(asked["query"]), request)
    user = cast(User, request.user)
    holder = Holder(user, asked["window"], narrowed.by_detection)
    if asked["former"]:
        queue.release(_holder(request, asked | {"window": asked["former"]}))
    held = queue.hold(asked["holding"], holder)
    remaining = queue.remaining(narrowed.queue, user, by_detection=narrowed.by_detection)
    windows = windows_here(holder)
    limits = bounds(remaining, windows)
    asked["count"] = limits.may_take(asked["count"], len(held))
    keys, is_from_the_top, refusal = _taken(asked, narrowed, holder)
    given: dict[str, Any] = {
        "items": _items(request, keys, by_detection=narrowed.by_detection),
        "is_from_the_top": is_from_the_top,
        "lost": [str(key) for key in asked["holding"] if key not in held],
        "lease_seconds": queue.lease_seconds(),
        "remaining": remaining,
        **asdict(limits),
        "windows": windows,
    }
    if (asked["count"] or asked["one"]) and not keys:
        given["empty"] = refusal or _why_empty(narrowed, holder)
    return JsonResponse(given)


@_answering
def triage_answers(request: HttpRequest) -> JsonResponse:
    """Keep one answer: 201 for a new one, 200 for one that was sent before, 422 with a sentence for a refused one."""
    sent = _read(request, AnswerForm)
    holder = _holder(request, sent)
    try:
        kept = answer(_judgements(sent), holder, actor_of(request), was_held=sent["was_held"])
    except EventRefused as refusal:
        raise _Refused(422, "refused", str(refusal)) from refusal
    titles = _titles()

    def words(events: list[ValidationEvent]) -> list[str]:
        # One person's answer about several epochs is told once.
        return list(dict.fromkeys(f"{event.validator.get_username()} said {said(event, titles)}" for event in events))

    told = {"id": str(kept.event.pk), "has_lapsed": kept.has_lapsed, "is_held": kept.is_held}
    told |= {"others": words(kept.others), "opposed": words(kept.opposed)}
    return JsonResponse(told, status=201 if kept.is_new else 200)


@_answering
def triage_deferrals(request: HttpRequest) -> JsonResponse:
    """Put an item off, or take that back; 201 and 200 as for answers."""
    sent = _read(request, DeferralForm)
    holder, actor = _holder(request, sent), actor_of(request)
    if sent["kind"] == EventKind.WITHDRAWAL:
        is_new = bool(sent["supersedes"]) and resume(sent["supersedes"], holder.user, actor)
        is_held = sent["detection"] in queue.hold([sent["detection"]], holder)
        return JsonResponse({"id": str(sent["id"]), "is_held": is_held}, status=201 if is_new else 200)
    detections = (sent["detection"], *(other.detection_id for other in sent["others"]))
    asked = Deferment(sent["id"], detections, sent["kind"], sent["until"], sent["notes"])
    try:
        is_new = defer(asked, holder.user, actor)
    except EventRefused as refusal:
        raise _Refused(422, "refused", str(refusal)) from refusal
    queue.release(holder, detections)
    return JsonResponse({"id": str(sent["id"])}, status=201 if is_new else 200)


@requires(MAY_JUDGE)
@require_safe
def triage_frame(request: HttpRequest) -> HttpResponse:
    """Show what rejecting the frame of a detection would be about."""
    asked = SeenForm(request.GET)
    if not asked.is_valid():
        raise Http404
    rows = Detection.objects.visible_to(request.user).select_related("observation")
    seen = get_object_or_404(rows, pk=asked.cleaned_data["detection"])
    reasons = LabelDefinition.objects.visible_to(request.user).filter(is_active=True, is_valid=False)
    context = {"rejection": rejection_of(seen.observation, cast(User, request.user)), "reasons": reasons}
    return render(request, "curation/_reject_frame.html", context)


@_answering
def triage_reject_frame(request: HttpRequest) -> JsonResponse:
    """Call everything bogus that awaits review in a frame; return what that is."""
    sent = _read(request, FrameForm)
    user = cast(User, request.user)
    seen = Detection.objects.visible_to(user).filter(pk=sent["detection"]).select_related("observation").first()
    if seen is None:
        raise _Refused(404, "gone", "The detection no longer exists.")
    context = {**(sent["visible_context"] or {}), "answered_by": "frame"}
    said = BatchAnswer(sent["group"], is_valid=False, label=sent["label"], notes=sent["notes"], context=context)
    try:
        done = reject_frame(seen, said, user, actor_of(request))
    except EventRefused as refusal:
        raise _Refused(422, "refused", str(refusal)) from refusal
    return JsonResponse({"detections": [str(pk) for pk in done]})


@_answering
def triage_take_back_frame(request: HttpRequest) -> JsonResponse:
    """Take the rejection of a frame back."""
    sent = _read(request, FrameBackForm)
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


@_answering
def triage_said(request: HttpRequest) -> JsonResponse:
    """Tell what people say of a detection now; it is leased to nobody by that."""
    asked = _read(request, SaidForm)
    found = reviews([asked["detection"]], cast(User, request.user), by_detection=asked["by_detection"])
    if not found:
        raise _Refused(404, "gone", "It no longer exists.")
    return JsonResponse(said_of(found[0], _titles()))


@require_safe
def triage_worker(_request: HttpRequest) -> HttpResponse:
    """Answer with the script that answers while the server is away: its address sets that it may do so for triage."""
    answer = HttpResponse(files.content(files.WORKER), content_type="text/javascript")
    answer["Cache-Control"] = "private, no-cache"
    return answer


@require_safe
def triage_away(_request: HttpRequest) -> HttpResponse:
    """Show what that script keeps, and shows in the place of triage; it is made without knowing who asks."""
    return HttpResponse(render_to_string("curation/away.html"))


@_answering
def triage_release(request: HttpRequest) -> JsonResponse:
    """Give back what the page holds and no longer shows; browsers send this as a form when a page is left."""
    asked = _read(request, ReleaseForm)
    holder = _holder(request, asked)
    return JsonResponse({"released": queue.release(holder, asked["keys"], kept=asked["kept"])})


@_answering
def triage_presence(request: HttpRequest) -> JsonResponse:
    """Note that the page is open, so that its person need not wait for what a closed window held."""
    holder = _holder(request, _read(request, WindowForm))
    queue.note_presence(holder)
    return JsonResponse({"windows": windows_here(holder)})


def _worker_url() -> str:
    parts = urlencode([("part", static(path)) for path in files.kept()], safe="/")
    return f"{reverse('curation:triage_worker')}?{parts}"


def _holder(request: HttpRequest, sent: dict[str, Any]) -> Holder:
    return Holder(cast(User, request.user), sent["window"], sent["by_detection"])


def _judgements(sent: dict[str, Any]) -> list[Judgement]:
    """Return what one answer says: of the detection that was large on screen, then of its object's other epochs."""
    common = {name: sent[name] for name in _SAID}
    seen = {"group": sent["group"], "visible_context": sent["visible_context"] or {}}
    shown = Shown.LARGE if sent["kind"] == EventKind.VERDICT else ""
    own = {"id": sent["id"], "detection_id": sent["detection"], "supersedes_id": sent["supersedes"], "shown": shown}
    return [Judgement(**each, **common, **seen) for each in (own, *(asdict(epoch) for epoch in sent["others"]))]


_SAID = (
    "is_valid", "label", "confidence_level", "notes", "tags", "image_quality", "detection_quality", "kind",
    "seconds_taken",
)  # fmt: skip


def _read(request: HttpRequest, form_class: type[forms.Form]) -> dict[str, Any]:
    """Return what was sent, as JSON or as a form, checked; 409 where the page was made for another person."""
    try:
        given = request.POST if request.content_type != "application/json" else json.loads(request.body)
    except (ValueError, RecursionError) as error:
        raise _Refused(400, "unreadable", "This is not JSON.") from error
    if not isinstance(given, dict):
        raise _Refused(400, "unreadable", "This must be one JSON object.")
    form = form_class(given)
    if not form.is_valid():
        fields = {name: " ".join(map(str, texts)) for name, texts in form.errors.items()}
        if isinstance(form, AnswerForm):
            raise _Refused(422, "invalid", form.refusal, {"fields": fields})
        raise _Refused(400, "invalid", " ".join(f"{name}: {text}" for name, text in fields.items()))
    if form.cleaned_data["person"] != request.user.pk:
        raise _Refused(409, "other_person", f"You are logged in as {request.user.get_username()} now.")
    return form.cleaned_data


def _taken(
    asked: dict[str, Any], narrowed: QueueFilter, holder: Holder
) -> tuple[list[UUID], bool, dict[str, str] | None]:
    """Return what the person is given, whether that began at the top again, and why one item was not to be had."""
    if asked["one"]:
        lease = queue.take_one(asked["one"], holder)
        if lease is not None and lease.holder_id == holder.user.pk:
            return [asked["one"]], False, None
        if lease:
            who = lease.holder.get_username()
            return [], False, empty("held", "Somebody else has it.", f"{who} is reviewing it now.")
        return [], False, empty("gone", "It is gone.", "It no longer exists.")
    if asked["take_over"]:
        return queue.take_over(narrowed.queue, holder, asked["count"]), False, None
    if not asked["count"]:
        return [], False, None
    taken = queue.take(narrowed.queue, holder, asked["count"], asked["after"])
    return taken.keys, taken.is_from_the_top, None


def _items(request: HttpRequest, keys: Collection[UUID], *, by_detection: bool) -> list[dict[str, Any]]:
    if not keys:
        return []
    titles = _titles()
    found = reviews(keys, cast(User, request.user), by_detection=by_detection)
    return [item_of(review, request, titles) for review in found]


def _titles() -> dict[str, str]:
    return dict(LabelDefinition.objects.values_list("label", "title"))


def _why_empty(narrowed: QueueFilter, holder: Holder) -> dict[str, str]:
    if not narrowed.form.is_valid():
        return empty("unreadable", "These filters cannot be read.", "Correct the marked fields and apply them again.")
    left = queue.rest(narrowed.queue, holder, narrowed.every)
    return why_empty(narrowed.queue, holder, left, is_narrowed=narrowed.is_narrowed)


def _words(narrowed: QueueFilter) -> str:
    """Return in words what the queue is narrowed to."""
    data, asked = narrowed.data, narrowed.form.fields
    words = [f"{data.get('status') or 'pending'} {'detections' if narrowed.by_detection else 'objects'}"]
    score = [data.get("score_min"), data.get("score_max")]
    if any(score):
        words.append(f"score {score[0] or 0} to {score[1] or 1}")
    others = (name for name in asked if name not in ("by", "status", "score_min", "score_max"))
    words += [f"{str(asked[name].label).lower()} {data[name]}" for name in others if data.get(name)]
    return ", ".join(words)
