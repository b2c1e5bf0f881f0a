"""Triage without scripts: one item on a page, and a form that says what it is.

Where the window is stands in the address, so that a page that is loaded again shows the same item, still held.
"""

from __future__ import annotations

import json
from functools import wraps
from typing import cast
from uuid import UUID, uuid4

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods

from catalog.configuration.values import one_snapshot
from catalog.models import User
from catalog.people.actors import actor_of
from catalog.roles import MAY_JUDGE
from catalog.web.access import View, requires
from catalog.writing import utc
from curation.judgements.deferrals import Deferment
from curation.judgements.tags import tags_in_use
from curation.judgements.verdicts import EventRefused, Judgement, answers_about
from curation.models import LabelDefinition, SavedFilter, ValidationEvent
from curation.saved_filters.saved import default_query
from curation.triage import gold, news, queue
from curation.triage.answers import Recorded
from curation.triage.filters import QueueFilter
from curation.triage.items import facts_of, name_of, said
from curation.triage.plain import done as kept_done
from curation.triage.plain.answers import FRAME, Done, put_off, say, take_back
from curation.triage.plain.forms import PlaceForm, SaidForm
from curation.triage.plain.sights import Sight, sight_of
from curation.triage.plain.web import frame
from curation.triage.plain.web.window import Window
from curation.triage.queue import Holder
from curation.triage.review import Review, reviews
from curation.triage.web.giving import in_words, in_words_of, next_of, titles, who_said, why_nothing
from detection.cutouts.overlay import overlay_of
from detection.models import Detection, DetectionStatus
from detection.shown import shown_among

_GONE = "What you asked for no longer exists: here is the next one."
_SKIP, _TAKE_OVER, _UNDO = "skip", "take over", "undo"


def _in_one_snapshot(view: View) -> View:
    @wraps(view)
    def with_it(request: HttpRequest) -> HttpResponse:
        with one_snapshot():
            return cast(HttpResponse, view(request))

    return with_it


@requires(MAY_JUDGE)
@require_http_methods(["GET", "HEAD", "POST"])
# Not "no-store": a page that one goes back to has then forgotten what was typed.
@cache_control(private=True, no_cache=True)
@_in_one_snapshot
def triage_plain(request: HttpRequest) -> HttpResponse:
    """Show the next item, or the one in the address; keep what is said of it, and lead to the next."""
    user = cast(User, request.user)
    if not request.GET and (query := default_query(user)):
        return redirect(f"{reverse('curation:triage_plain')}?{query}")
    placed = PlaceForm(request.GET)
    is_placed = placed.is_valid()
    place = {name: placed.cleaned_data.get(name) for name in placed.fields}
    narrowed = QueueFilter(request.GET, request)
    window = Window(request, narrowed, Holder(user, place["window"] or uuid4(), narrowed.by_detection), place)
    if request.method == "POST" and is_placed:
        return _post(window)
    if place["window"] is None:
        return redirect(window.address(**({"detection": place["detection"]} if place["detection"] else {})))
    return _show(window)


# --- Coming to an item ---


def _show(window: Window) -> HttpResponse:
    """Show the item in the address, or lead to the one that is next."""
    request, item, asked_for = window.request, window.place["item"], window.place["detection"]
    if asked_for is not None:
        gold.asked_for(asked_for, window.holder)
        why = _why_not(asked_for, window, is_asked_for=True)
        if why:
            messages.warning(request, why)
        return redirect(window.address() if why else window.address(item=asked_for))
    if item is None:
        return _next(window)
    why = _why_not(item, window)
    if not why and window.place["frame"] is not None:
        return frame.preview(window)
    found = [] if why else reviews([item], window.holder.user, by_detection=window.holder.by_detection)
    if not found:
        messages.warning(request, why or _GONE)
        return redirect(window.address(after=item))
    return _page(window, gold.unmarked(found, window.holder)[0])


def _next(window: Window) -> HttpResponse:
    """Lead to what this window holds, or to what is next; where nothing is, say why."""
    holder, narrowed = window.holder, window.narrowed
    held = queue.held_in(holder)
    fitting = set(narrowed.queue.rows.filter(pk__in=held).values_list("pk", flat=True)) if held else set()
    key = next((key for key in held if key in fitting), None)
    if key is None:
        queue.release(holder)
        taken = next_of(narrowed, holder, 1, window.place["after"])
        key = taken.keys[0] if taken.keys else None
        if key and taken.is_from_the_top:
            messages.info(window.request, "That was the last one: it begins at the top again.")
    if key is not None:
        return redirect(window.address(item=key))
    context = {"empty": why_nothing(narrowed, holder), "remaining": 0, "take_over": _TAKE_OVER}
    return render(window.request, "curation/triage_plain.html", _around(window) | context)


def _why_not(key: UUID, window: Window, *, is_asked_for: bool = False) -> str:
    """Hold an item of a window; return why that cannot be, "" where it can or where its person has answered already."""
    holder = window.holder
    if not shown_among([key], holder.user):
        return _GONE
    if key in queue.hold([key], holder) or gold.is_given(key, holder):
        return ""
    is_own = any(event.validator_id == holder.user.pk for event in answers_about([key]).get(key, []))
    if is_asked_for or is_own or window.narrowed.state != DetectionStatus.PENDING:
        lease = queue.take_one(key, holder)
        if lease is None:
            return _GONE
        is_mine = lease.holder_id == holder.user.pk
        return "" if is_mine or is_own else f"{lease.holder.get_username()} is reviewing it now: here is the next one."
    lease = queue.lease_of(key, holder)
    if lease is None:
        return "Your lease on it had expired, and others have decided it meanwhile: here is the next one."
    if lease.holder_id == holder.user.pk:
        return "You review it in another window: here is the next one."
    return f"Your lease on it had expired, and {lease.holder.get_username()} is reviewing it now: here is the next one."


# --- What is said ---


def _post(window: Window) -> HttpResponse:
    """Do what the form says."""
    request, pressed = window.request, window.request.POST.get("say", "")
    if pressed == _UNDO:
        return _undo(window)
    if pressed == _TAKE_OVER:
        keys = queue.take_over(window.narrowed.queue, window.holder, 1)
        return redirect(window.address(**({"item": keys[0]} if keys else {})))
    item = window.place["item"]
    if pressed == frame.REJECT:
        return frame.reject(window)
    if pressed == _SKIP or item is None:
        queue.release(window.holder)
        return redirect(window.address(**({"after": item} if item else {})))
    form = SaidForm(request.POST)
    if not form.is_valid():
        return _again(window, form, form.refusal)
    if form.cleaned_data["person"] != request.user.pk:
        who = request.user.get_username()
        return _again(window, form, f"You are logged in as {who} now. Nothing was kept: answer again as {who}.", 409)
    try:
        done = _said(window, form)
    except EventRefused as refusal:
        return _again(window, form, f"Nothing was kept: {refusal}")
    kept_done.remember(request.session, window.holder.window, done)
    queue.release(window.holder)
    return redirect(window.address(after=item))


def _said(window: Window, form: SaidForm) -> Done:
    """Keep an answer, or what is done in its place, and tell its person; raises EventRefused."""
    holder, actor = window.holder, actor_of(window.request)
    judgement, deferral = form.judgement, form.deferral
    large = Detection.with_injected.visible_to(holder.user).filter(pk=form.cleaned_data["detection"]).first()
    if large is None:
        raise EventRefused("It no longer exists. Skip it.")
    name, others = name_of(large), form.covered
    count = f", {1 + len(others)} epochs" if others else ""
    if judgement is not None:
        kept, group = say(judgement, others, holder, actor, was_held=form.cleaned_data["was_held"])
        words = said(judgement, titles())
        _tell(window, judgement, kept, name)
        messages.success(window.request, f"Saved: {name}: {words}{count}.")
        return Done(group, large.pk, judgement.kind, name, f"{words}{count}")
    if deferral is None:
        raise EventRefused("There is no such answer: press one of those on the page.")
    kind, until, words = deferral
    asked = Deferment(form.cleaned_data["key"], (large.pk, *others), kind, until, form.cleaned_data["notes"].strip())
    group = put_off(asked, words, holder.user, actor)
    messages.success(window.request, f"{name}: {words}{f' ({utc(until)} UTC)' if until else ''}{count}.")
    return Done(group, large.pk, kind, name, f"{words}{count}")


def _tell(window: Window, judgement: Judgement, kept: Recorded, name: str) -> None:
    """Tell of an answer what a person must hear: a lease that had expired, who says the opposite, a known item."""
    others, opposed = who_said(kept.others), who_said(kept.opposed)
    if kept.has_lapsed:
        told = f"{'; '.join(others)}." if others else "Nobody else has answered."
        text = f"Your lease on {name} had expired. Your answer was kept all the same. {told}"
    elif kept.feedback:
        text = f"{name}: {kept.feedback}"
    elif opposed:
        words = said(judgement, titles())
        text = f"{name}: you said {words}, but {'; '.join(opposed)}. Both answers are kept."
    else:
        return
    messages.warning(window.request, format_html("{} {}", text, _again_link(window, judgement.detection_id)))


def _again_link(window: Window, detection: UUID) -> str:
    return format_html('<a href="{}">Look at it again</a>', window.address(item=detection))


def _undo(window: Window) -> HttpResponse:
    """Take back what a press has said, and show the item again."""
    done = kept_done.find(window.request.session, window.request.POST.get("group", ""))
    if done is None:
        messages.warning(window.request, "There is nothing to undo.")
        return redirect(window.address())
    queue.release(window.holder)
    try:
        take_back(done, window.holder, actor_of(window.request))
    except EventRefused as refusal:
        messages.error(window.request, f"It was not taken back: {refusal}")
        return redirect(window.address())
    kept_done.end(window.request.session, done)
    messages.success(window.request, f"Undone: {done.name}: {done.said}.")
    # With its frame an item was answered that this window may hold no longer: it is asked for anew.
    is_here = done.kind != FRAME or gold.is_given(done.detection, window.holder)
    return redirect(window.address(**{"item" if is_here else "detection": done.detection}))


# --- The page ---


def _again(window: Window, form: SaidForm, refusal: str, status: int = 422) -> HttpResponse:
    """Show the item again with all that was typed, and why that was not taken."""
    item = window.place["item"]
    found = reviews([item], window.holder.user, by_detection=window.holder.by_detection) if item else []
    if not found:
        messages.error(window.request, f"{refusal} {_GONE}")
        return redirect(window.address())
    return _page(window, gold.unmarked(found, window.holder)[0], form, refusal, status)


def _page(
    window: Window, review: Review, form: SaidForm | None = None, refusal: str = "", status: int = 200
) -> HttpResponse:
    holder = window.holder
    large = window.place["large"] or review.detection.pk
    sight = sight_of(review, _own(review, large, holder.user), large)
    labels = titles()
    is_known = gold.open_in([review.detection.pk], holder)
    left = queue.remaining(window.narrowed.queue, holder.user, by_detection=holder.by_detection) + len(is_known)
    context = (
        _around(window)
        | facts_of(review, labels)
        | {
            "sight": sight,
            "name": name_of(sight.large.detection),
            "overlay": overlay_of(sight.large.detection),
            "own_said": said(sight.own, labels) if sight.own else "",
            "remaining": left,
            "form": form or SaidForm(),
            "refusal": refusal,
            "covers": _ticked(sight, form),
            "covers_unseen": form is None or bool(form.data.get("covers_unseen")),
            "of_page": _of_page(window, sight),
            "labels": LabelDefinition.objects.visible_to(holder.user).filter(is_active=True),
            "tags": tags_in_use(holder.user),
            "here": window.address(item=review.detection.pk),
            "of_frame": window.address(item=review.detection.pk, frame=sight.large.detection.pk),
            "skip": _SKIP,
        }
    )
    return render(window.request, "curation/triage_plain.html", context, status=status)


def _own(review: Review, large: UUID, user: User) -> ValidationEvent | None:
    if large == review.detection.pk:
        return review.own
    return next((event for event in answers_about([large]).get(large, []) if event.validator_id == user.pk), None)


def _ticked(sight: Sight, form: SaidForm | None) -> set[UUID]:
    """Return the epochs that are ticked: all that can be, or those that were in what is shown again."""
    offered = set(sight.covered)
    if form is None:
        return offered
    return offered & set(form.cleaned_data.get("covers") or ())


def _of_page(window: Window, sight: Sight) -> dict[str, object]:
    """Return what the form says of the page itself."""
    key = sight.review.detection.pk
    return {
        "person": window.holder.user.pk,
        "key": uuid4(),
        "detection": sight.large.detection.pk,
        "was_held": "1" if key in queue.held_in(window.holder) and sight.own is None else "",
        "supersedes": sight.own.pk if sight.own else "",
        "begun": timezone.now().isoformat(),
        "context": json.dumps(sight.context),
        "unseen": ",".join(map(str, sight.review.unseen)),
    }


def _tell_news(window: Window) -> None:
    """Tell who has contradicted this person meanwhile: the page comes with it, and says so once."""
    found = news.next_for(window.holder.user)
    if found is None:
        return
    news.mark_told(found.keys, window.holder.user)
    link = _again_link(window, found.event.detection_id)
    messages.warning(window.request, format_html("{} {}", in_words_of(found), link))


def _around(window: Window) -> dict[str, object]:
    """Return what stands around an item, and where there is none."""
    narrowed, session = window.narrowed, window.request.session
    _tell_news(window)
    query = window.request.GET.copy()
    for name in PlaceForm.base_fields:
        query.pop(name, None)
    return {
        "window": window.holder.window,
        "kept": {"window": window.holder.window},
        "form_of_filters": narrowed.form,
        "controls": narrowed.offered(),
        "narrowed_by": in_words(narrowed),
        "saved": SavedFilter.objects.visible_to(window.request.user).select_related("person"),
        "undoable": kept_done.last(session, window.holder.window),
        "undo": _UNDO,
        "with_scripts": f"{reverse('curation:triage')}?{query.urlencode() or 'by=object'}",
        "action": window.request.get_full_path(),
    }
