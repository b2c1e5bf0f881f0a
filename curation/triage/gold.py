"""Known items among what people are given: unmarked, and with a word afterwards that only their person reads.

A known item looks as if nobody had answered it. What is said of it is kept apart from all judgements.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Abs
from django.utils import timezone

from catalog.configuration.values import Snapshot
from catalog.models import User
from curation.judgements import visibility
from curation.judgements.gold import kind_of
from curation.judgements.verdicts import Judgement
from curation.models import EventKind, GoldAnswer, GoldItem, LabelExample, ValidationEvent
from curation.triage import queue as queues
from curation.triage.queue import Holder, Queue
from curation.triage.review import Review
from detection.models import Detection

# An item that was given and not answered is given again after so long: until then the answer may be on its way.
_AGAIN_AFTER = dt.timedelta(days=1)


@dataclass(frozen=True)
class Mix:
    """So large a share of what people are given is what experts have marked as known, and what was injected."""

    marked: float = 0.0
    injected: float = 0.0

    @classmethod
    def configured(cls, config: Snapshot) -> Mix:
        return cls(config["curation.gold_share"], config["curation.fake_share"])

    def __bool__(self) -> bool:
        return bool(self.marked or self.injected)


def take(queue: Queue, holder: Holder, count: int, after: UUID | None, mix: Mix) -> tuple[list[UUID], bool]:
    """Lease the next items of a queue, in the place of some of which, by their shares, known ones are given.

    Otherwise as `queue.take`: returns the detections shown first, and whether it began at the top again.
    """
    after = _place_of(after, holder)
    given = _drawn(queue.rows, holder, count, after, mix.marked)
    if mix.injected and queue.injected is not None:
        given += _drawn(queue.injected, holder, count - len(given), after, mix.injected)
    taken = queues.take(queue, holder, count - len(given), after)
    return _mixed(taken.keys, given, after), taken.is_from_the_top


def _place_of(key: UUID | None, holder: Holder) -> UUID | None:
    """Return the detection of the queue itself that a person came to last, where that was a known item."""
    if key is None:
        return None
    given = _given([key], holder.user).filter(window=holder.window).first()
    return given.after if given else key


def open_in(keys: Collection[UUID], holder: Holder) -> set[UUID]:
    """Return those of some detections that are known items which this window was given, and that wait for an answer."""
    if not keys:
        return set()
    given = _given(keys, holder.user).filter(window=holder.window, is_valid__isnull=True)
    return set(given.values_list("item__detection", flat=True))


def is_given(key: UUID, holder: Holder) -> bool:
    """Tell whether this window was given a detection as a known item, answered or not."""
    return _given([key], holder.user).filter(window=holder.window).exists()


def asked_for(key: UUID, holder: Holder) -> bool:
    """Tell whether a detection that a person asks for by its key is an injected one that they were given.

    It is theirs in this window then. Anything else they judge themselves: what waits for an answer about it, to see
    how well they review, does so no more.
    """
    given = _given([key], holder.user)
    if given.filter(item__detection__is_injected=True).exists():
        given.update(window=holder.window)
        return True
    given.filter(is_valid__isnull=True).delete()
    return False


def is_injected(key: UUID) -> bool:
    """Tell whether a key is of an injected source."""
    return Detection.with_injected.filter(pk=key, is_injected=True).exists()


def unmarked(reviews: Sequence[Review], holder: Holder) -> list[Review]:
    """Return items with those that are known as this window sees them: as if nobody else had answered."""
    given = _given([review.detection.pk for review in reviews], holder.user).filter(window=holder.window)
    own = {one.item.detection_id: one for one in given.select_related("item")}
    return [_unmarked(one, own[one.detection.pk], holder) if one.detection.pk in own else one for one in reviews]


def kept(judgement: Judgement, holder: Holder) -> tuple[bool, str] | None:
    """Keep what a person says of a known item; None where it is a judgement like any other.

    Returns whether it is new, and what its person is told. The first answer counts: after it they know.
    """
    given = _given([judgement.detection_id], holder.user).select_for_update(of=("self",)).select_related("item").first()
    if given is None or (given.is_valid is not None and given.window != holder.window):
        return None
    if given.is_valid is None and judgement.kind == EventKind.VERDICT:
        given.event, given.is_valid, given.label = judgement.id, judgement.is_valid, judgement.label
        given.confidence_level, given.answered_at = judgement.confidence_level, timezone.now()
        given.save()
        return True, _told(given)
    return given.event != judgement.id, _told(given) if given.event == judgement.id else ""


def _given(keys: Collection[UUID], user: User) -> QuerySet[GoldAnswer]:
    return GoldAnswer.objects.not_hidden_from(user).filter(item__detection__in=keys, person=user)


def _unmarked(review: Review, given: GoldAnswer, holder: Holder) -> Review:
    for member in review.members:
        for name, value in visibility.DERIVED.items():
            setattr(member.detection, name, value)
    said = None
    if given.is_valid is not None and given.answered_at is not None:
        said = ValidationEvent(
            id=given.event, detection=review.detection, validator=holder.user, is_valid=given.is_valid,
            label=given.label, confidence_level=given.confidence_level, created_at=given.answered_at,
        )  # fmt: skip
    hidden: list[ValidationEvent] | None = None if visibility.is_blind(holder.user) else []
    return replace(
        review,
        members=[replace(one, is_open=not holder.by_detection or one == review.shown) for one in review.members],
        answers=[said] if said else hidden,
        own=said,
    )


def _told(given: GoldAnswer) -> str:
    """Return in a sentence whether an answer was right."""
    item = given.item
    if item.injected_snr is not None:
        found = "You found it" if given.is_valid else "You took it for bogus"
        what = f"an injected source, {item.get_kind_display()}, S/N {item.injected_snr:.0f}"
        return f"It was {what}. {found}; only you are told."
    verdict = "real" if item.is_valid else "bogus"
    known = f"{verdict}, {kind_of(item).replace('_', ' ')}" if item.label else verdict
    right = "You were right" if given.is_valid == item.is_valid else "You said the opposite"
    return f"This was an item whose answer is known: {known}. {right}; only you are told."


def _drawn(rows: QuerySet[Detection], holder: Holder, count: int, after: UUID | None, share: float) -> list[GoldAnswer]:
    """Give known items among some detections to a person, in each of so many places with this probability.

    They know nothing of one beforehand: neither those that they judged or marked, nor what is shown as an example. The
    best score comes first, so one of another score would stand out: those are given whose scores are nearest.
    """
    wanted = sum(random.random() < share for _ in range(count))  # noqa: S311  no secret, only no pattern
    if not wanted:
        return []
    own = ValidationEvent.objects.filter(detection=OuterRef("detection"), validator=holder.user)
    example = LabelExample.objects.filter(detection=OuterRef("detection"))
    given = GoldAnswer.objects.filter(item=OuterRef("pk"), person=holder.user)
    is_over = given.filter(is_valid__isnull=False) | given.filter(updated_at__gt=timezone.now() - _AGAIN_AFTER)
    shown = GoldItem.objects.not_hidden_from(holder.user)
    items = shown.filter(~Exists(own), ~Exists(example), ~Exists(is_over), is_active=True)
    found = items.filter(~Q(marked_by=holder.user), detection__in=rows).exclude(detection__cutouts_path="")
    here = Detection.objects.filter(pk=after).values_list("queue_score", flat=True).first() if after else None
    distance = Abs(F("detection__queue_score") - (1.0 if here is None else here))
    chosen = found.select_related("detection").order_by(distance, "?")[:wanted]
    return [
        GoldAnswer.objects.update_or_create(item=item, person=holder.user, defaults={"window": holder.window})[0]
        for item in chosen
    ]


def _mixed(keys: Sequence[UUID], given: Sequence[GoldAnswer], after: UUID | None) -> list[UUID]:
    """Return the keys with known items among them, each before what scores less; they note what they came after."""
    score = dict(Detection.objects.filter(pk__in=keys).values_list("pk", "queue_score")) if given else {}
    found, last, left = [], after, sorted(given, key=lambda one: one.item.detection.queue_score)
    for key in (*keys, None):
        while left and (key is None or left[-1].item.detection.queue_score > score[key]):
            one = left.pop()
            one.after = last
            one.save(update_fields=["after", "updated_at"])
            found.append(one.item.detection_id)
        if key is not None:
            last = key
            found.append(key)
    return found
