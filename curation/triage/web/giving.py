"""What a page of triage gives a person of a query: what is next, why nothing is, and both in words."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from uuid import UUID

from catalog.configuration.values import snapshot
from curation.models import LabelDefinition, ValidationEvent
from curation.triage import gold, queue
from curation.triage.emptiness import empty, why_empty
from curation.triage.filters import QueueFilter
from curation.triage.items import name_of, said
from curation.triage.news import News
from curation.triage.orders import TITLES
from curation.triage.queue import Holder, Taken
from curation.triage.review import Review, reviews


def mix_of(narrowed: QueueFilter) -> gold.Mix:
    """Return the shares of what is given of a query that are known items."""
    return gold.Mix.configured(snapshot()) if narrowed.is_of_waiting else gold.Mix()


def next_of(narrowed: QueueFilter, holder: Holder, count: int, after: UUID | None = None) -> Taken:
    """Lease the next items of a query, known ones among them."""
    mix = mix_of(narrowed)
    if mix and queue.remaining(narrowed.queue, holder.user):
        return Taken(*gold.take(narrowed.queue, holder, count, after, mix))
    return queue.take(narrowed.queue, holder, count, after)


def reviews_of(keys: Collection[UUID], holder: Holder, known: Collection[UUID]) -> list[Review]:
    """Return the evidence about items as this window shows them; `known` are those whose answer is known."""
    found = reviews(keys, holder.user, by_detection=holder.by_detection)
    is_mixed = bool(known) or any(review.detection.is_injected for review in found)
    return gold.unmarked(found, holder) if is_mixed else found


def why_nothing(narrowed: QueueFilter, holder: Holder) -> dict[str, str]:
    """Say why nothing of a query could be given."""
    if not narrowed.form.is_valid():
        return empty("unreadable", "These filters cannot be read.", "Correct the marked fields and apply them again.")
    left = queue.rest(narrowed.queue, holder, narrowed.every)
    return why_empty(narrowed.queue, holder, left, is_narrowed=narrowed.is_narrowed)


def in_words(narrowed: QueueFilter) -> str:
    """Return in words what the queue is narrowed to."""
    data, asked = narrowed.data, narrowed.form.fields
    items = "conflicts" if narrowed.of_conflicts else "detections" if narrowed.by_detection else "objects"
    words = [f"{data.get('status') or 'pending'} {items}"]
    score = [data.get("score_min"), data.get("score_max")]
    if any(score):
        words.append(f"score {score[0] or 0} to {score[1] or 1}")
    others = (name for name in asked if name not in ("by", "order", "status", "score_min", "score_max"))
    words += [f"{str(asked[name].label).lower()} {data[name]}" for name in others if data.get(name)]
    return ", ".join([*words, TITLES[narrowed.in_order]])


def titles() -> dict[str, str]:
    """Return the titles of the labels."""
    return dict(LabelDefinition.objects.values_list("label", "title"))


def who_said(events: Iterable[ValidationEvent]) -> list[str]:
    """Return who said what; one person's answer about several epochs is told once."""
    several = list(events)
    named = titles() if several else {}
    return list(dict.fromkeys(f"{event.validator.get_username()} said {said(event, named)}" for event in several))


def in_words_of(news: News) -> str:
    """Return in a sentence who has contradicted a person, about what."""
    event = news.event
    count = f", {news.count} epochs" if news.count > 1 else ""
    mine = "real" if news.own.is_valid else "bogus"
    who, what = event.validator.get_username(), said(event, titles())
    return f"{who} said {what} about {name_of(event.detection)}{count}, where you said {mine}."
