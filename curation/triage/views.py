"""The page of triage, and what its script asks for: the next detections, and to keep an answer."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, cast
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from catalog import counting
from catalog.configuration.values import snapshot
from catalog.models import User
from catalog.people.actors import actor_of
from catalog.roles import MAY_JUDGE
from catalog.web.access import requires
from curation.judgements import visibility
from curation.judgements.tags import tags_in_use
from curation.judgements.verdicts import OPEN, EventRefused, Judgement
from curation.models import (
    ConfidenceLevel,
    Conflict,
    EventKind,
    LabelDefinition,
    Quality,
    SavedFilter,
    Shown,
)
from curation.saved_filters.saved import default_query
from curation.triage import controls, files, gold, news, queue
from curation.triage.ahead import bounds, windows_here
from curation.triage.answers import answer
from curation.triage.emptiness import empty
from curation.triage.filters import QueueFilter
from curation.triage.forms import (
    AnswerForm,
    NextForm,
    PresenceForm,
    ReleaseForm,
    SaidForm,
)
from curation.triage.items import item_of, said_of
from curation.triage.queue import Holder
from curation.triage.review import reviews
from curation.triage.settings import settings_of
from curation.triage.web.giving import (
    in_words,
    in_words_of,
    mix_of,
    next_of,
    reviews_of,
    titles,
    who_said,
    why_nothing,
)
from curation.triage.web.sent import Refused, answering, holder_of, read
from observations.models import Field

_MOST_FIELDS = 100


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
        "narrowed_by": in_words(narrowed),
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
        "tags": tags_in_use(user),
        "saved": SavedFilter.objects.visible_to(request.user).select_related("person"),
        "default_level": ConfidenceLevel.MEDIUM,
        "conflicts": 0 if narrowed.of_conflicts else _conflicts(user),
        "mixes_known": bool(gold.Mix.configured(snapshot())),
        "worker_url": _worker_url(),
        "plain_url": f"{reverse('curation:triage_plain')}?{request.GET.urlencode() or 'by=object'}",
        "modules": files.modules(),
        "field_names": fields.exclude(name="").order_by("name").values_list("name", flat=True)[:_MOST_FIELDS],
    }
    return render(request, "curation/triage.html", context)


@gzip_page
@answering
def triage_next(request: HttpRequest) -> JsonResponse:
    """Lease the next detections of a query, keep those that the page holds, and tell which it has lost."""
    asked = read(request, NextForm)
    narrowed = QueueFilter(QueryDict(asked["query"]), request)
    user = cast(User, request.user)
    holder = Holder(user, asked["window"], narrowed.by_detection)
    if asked["former"]:
        queue.release(holder_of(request, asked | {"window": asked["former"]}))
    held = queue.hold(asked["holding"], holder)
    config = snapshot()
    remaining = queue.remaining(narrowed.queue, user, by_detection=narrowed.by_detection)
    windows = windows_here(holder)
    limits = bounds(remaining, windows)
    asked["count"] = limits.may_take(asked["count"], len(held))
    keys, is_from_the_top, refusal = _taken(asked, narrowed, holder)
    known = gold.open_in([*asked["holding"], *keys], holder) if mix_of(narrowed) else set()
    named = titles() if keys else {}
    given: dict[str, Any] = {
        "items": [item_of(review, user, named) for review in reviews_of(keys, holder, known)] if keys else [],
        "is_from_the_top": is_from_the_top,
        "lost": [str(key) for key in asked["holding"] if key not in held | known],
        "lease_seconds": queue.lease_seconds(config),
        "remaining": remaining + len(known),
        **asdict(limits),
        "windows": windows,
    }
    if (asked["count"] or asked["one"]) and not keys:
        given["empty"] = refusal or why_nothing(narrowed, holder)
    return JsonResponse(given)


@answering
def triage_answers(request: HttpRequest) -> JsonResponse:
    """Keep one answer: 201 for a new one, 200 for one that was sent before, 422 with a sentence for a refused one."""
    sent = read(request, AnswerForm)
    holder = holder_of(request, sent)
    try:
        kept = answer(_judgements(sent), holder, actor_of(request), was_held=sent["was_held"])
    except EventRefused as refusal:
        raise Refused(422, "refused", str(refusal)) from refusal
    told = {"id": str(kept.event.pk), "has_lapsed": kept.has_lapsed, "is_held": kept.is_held}
    told |= {"others": who_said(kept.others), "opposed": who_said(kept.opposed)}
    if kept.feedback:
        told["feedback"] = kept.feedback
    return JsonResponse(told, status=201 if kept.is_new else 200)


@answering
def triage_said(request: HttpRequest) -> JsonResponse:
    """Tell what people say of a detection now; it is leased to nobody by that."""
    asked = read(request, SaidForm)
    found = reviews([asked["detection"]], cast(User, request.user), by_detection=asked["by_detection"])
    if not found:
        raise Refused(404, "gone", "It no longer exists.")
    return JsonResponse(said_of(gold.unmarked(found, holder_of(request, asked))[0], titles()))


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


@answering
def triage_release(request: HttpRequest) -> JsonResponse:
    """Give back what the page holds and no longer shows; browsers send this as a form when a page is left."""
    asked = read(request, ReleaseForm)
    holder = holder_of(request, asked)
    return JsonResponse({"released": queue.release(holder, asked["keys"], kept=asked["kept"])})


@answering
def triage_presence(request: HttpRequest) -> JsonResponse:
    """Note that the page is open, so that its person need not wait for what a closed window held; bring news.

    News comes again until the page says that it has told it.
    """
    sent = read(request, PresenceForm)
    holder = holder_of(request, sent)
    queue.note_presence(holder)
    if sent["told"]:
        news.mark_told(sent["told"], holder.user)
    found = news.next_for(holder.user)
    told = {"keys": found.keys, "text": in_words_of(found), "detection": found.event.detection_id} if found else None
    return JsonResponse({"windows": windows_here(holder), "news": told})


def _worker_url() -> str:
    parts = urlencode([("part", static(path)) for path in files.kept()], safe="/")
    return f"{reverse('curation:triage_worker')}?{parts}"


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


def _taken(
    asked: dict[str, Any], narrowed: QueueFilter, holder: Holder
) -> tuple[list[UUID], bool, dict[str, str] | None]:
    """Return what the person is given, whether that began at the top again, and why one item was not to be had."""
    if asked["one"]:
        if gold.asked_for(asked["one"], holder):
            return [asked["one"]], False, None
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
    taken = next_of(narrowed, holder, asked["count"], asked["after"])
    return taken.keys, taken.is_from_the_top, None


def _conflicts(user: User) -> int:
    """Return how many detections a person is to settle: none for anybody but experts; a bounded count."""
    if not visibility.settles_conflicts(user):
        return 0
    return counting.count_bounded(Conflict.objects.not_hidden_from(user).filter(detection__status__in=OPEN))
