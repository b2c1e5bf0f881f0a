"""The page of triage, and what its script asks for: the next detections, and to keep an answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from dataclasses import asdict
from functools import wraps
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from catalog import counting
from catalog.models import JobStatus, ProcessingJob, User
from catalog.people.actors import actor_of
from catalog.roles import MAY_JUDGE
from catalog.web.access import requires
from curation.judgements.verdicts import EventRefused, Judgement
from curation.models import ConfidenceLevel, EventKind, LabelDefinition, Shown, ValidationEvent
from curation.triage import controls, queue
from curation.triage.answers import answer
from curation.triage.filters import QueueFilter
from curation.triage.forms import AnswerForm, NextForm, ReleaseForm, SaidForm, WindowForm
from curation.triage.items import item_of, said, said_of
from curation.triage.queue import Holder
from curation.triage.review import reviews
from detection.models import Detection
from observations.models import Field

_MOST_FIELDS = 100
_WORKER = "js/triage-worker.js"
# What the page is drawn with that the worker keeps.
_KEPT = ("css/themes.css", "css/site.css", "js/away.js", "js/dom.js", "js/outbox.js")

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


@requires(MAY_JUDGE)
@require_safe
def triage(request: HttpRequest) -> HttpResponse:
    """Show the page without a detection: its script takes the first one."""
    narrowed = QueueFilter(request.GET, request)
    fields = Field.objects.visible_to(request.user)
    labels = list(LabelDefinition.objects.visible_to(request.user).filter(is_active=True))
    context = {
        "form": narrowed.form,
        "controls": narrowed.offered(),
        "is_narrowed": narrowed.is_narrowed,
        "narrowed_by": _words(narrowed),
        "remaining": queue.remaining(narrowed.queue, by_detection=narrowed.by_detection),
        "by_detection": narrowed.by_detection,
        "most_counted": counting.MOST_COUNTED,
        "on_keys": [(number, label) for number, label in enumerate(labels[: controls.LABELS_ON_KEYS], start=1)],
        "more_labels": labels[controls.LABELS_ON_KEYS :],
        "keys": controls.BY_ACTION,
        "judge": controls.JUDGE,
        "move": controls.MOVE,
        "look": controls.LOOK,
        "levels": [(key, level.value, level.label) for key, level in controls.LEVEL_KEYS.items()],
        "default_level": ConfidenceLevel.MEDIUM,
        "worker_url": _worker_url(),
        "field_names": fields.exclude(name="").order_by("name").values_list("name", flat=True)[:_MOST_FIELDS],
    }
    return render(request, "curation/triage.html", context)


@_answering
def triage_next(request: HttpRequest) -> JsonResponse:
    """Lease the next detections of a query, keep those that the page holds, and tell which it has lost."""
    asked = _read(request, NextForm)
    narrowed = QueueFilter(QueryDict(asked["query"]), request)
    holder = Holder(cast(User, request.user), asked["window"], narrowed.by_detection)
    if asked["former"]:
        queue.release(_holder(request, asked | {"window": asked["former"]}))
    held = queue.hold(asked["holding"], holder)
    keys, is_from_the_top, refusal = _taken(asked, narrowed, holder)
    given: dict[str, Any] = {
        "items": _items(request, keys, by_detection=narrowed.by_detection),
        "is_from_the_top": is_from_the_top,
        "lost": [str(key) for key in asked["holding"] if key not in held],
        "lease_seconds": queue.lease_seconds(),
        "remaining": queue.remaining(narrowed.queue, by_detection=narrowed.by_detection),
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
    answer = HttpResponse(Path(str(finders.find(_WORKER))).read_bytes(), content_type="text/javascript")
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
    queue.note_presence(_holder(request, _read(request, WindowForm)))
    return JsonResponse({})


def _worker_url() -> str:
    parts = urlencode([("part", static(path)) for path in _KEPT], safe="/")
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
    "is_valid", "label", "confidence_level", "notes", "image_quality", "detection_quality", "kind", "seconds_taken",
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
            return [], False, _empty("held", "Somebody else has it.", f"{who} is reviewing it now.")
        return [], False, _empty("gone", "It is gone.", "It no longer exists.")
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
    """Say why there is nothing, and what to do."""
    if not narrowed.form.is_valid():
        return _empty("unreadable", "These filters cannot be read.", "Correct the marked fields and apply them again.")
    left = queue.rest(narrowed.queue, holder, narrowed.every)
    if left.held_in_other_windows:
        here = f"You have {left.held_in_other_windows} open in another window, or in one that was closed unexpectedly."
        return _empty("other_window", "The rest is in your other window.", here)
    if left.held_by_others:
        them = f"{left.held_by_others} are being reviewed; any left unanswered come back here automatically."
        return _empty("held", "Others are reviewing the rest.", them)
    if left.answered and narrowed.queue.status == "pending":
        return _empty("answered", "You have answered all of these.", "People disagree about them: another must decide.")
    if left.outside and narrowed.is_narrowed:
        return _empty("narrow", "Nothing in this selection awaits review.", "There is more to review outside it.")
    return _nothing_yet(holder.user)


def _nothing_yet(user: User) -> dict[str, str]:
    """Say that nothing waits: whether more is on its way, or what to do."""
    frames = _in_work()
    work = f"{counting.counted(frames).capitalize()} frame{' is' if frames == 1 else 's are'} being worked on."
    coming = f"{work} What is found in {'it' if frames == 1 else 'them'} will appear here."
    if Detection.objects.visible_to(user).exists():
        text = coming if frames else "New detections will appear here."
        return _empty("done", "Nothing is left to review.", text)
    if frames:
        return _empty("in_work", "Nothing has been found yet.", coming)
    then = "Upload frames, and what the pipeline finds will appear here."
    return _empty("none", "There are no detections yet.", then)


def _in_work() -> int:
    """Return on how many frames there is work to do; a bounded count."""
    of_frames = ProcessingJob.objects.filter(entity_type="observation")
    unfinished = of_frames.filter(status__in=(JobStatus.PENDING, JobStatus.RUNNING))
    return counting.count_bounded(unfinished.values("entity_id").distinct())


def _empty(code: str, title: str, text: str) -> dict[str, str]:
    return {"code": code, "title": title, "text": text}


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
