"""Detections of which the answer is known, by experts or because they were injected, and how well people review them.

What people say of them when they are given them unmarked is no judgement: it makes no event, no source, no alert and no
label for training. Of each person the first answer to each counts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from django.db import transaction
from django.db.models import QuerySet

from catalog.models import User, Visitor
from catalog.people import audit
from catalog.roles import MAY_MARK_KNOWN
from curation.judgements.verdicts import REAL
from curation.models import GoldAnswer, GoldItem
from curation.numerics.agreement import Share, share_of
from detection.models import Detection, DetectionStatus

# Lower ends of the ranges of |S/N| that people are told of: about even steps of brightness.
SNR_FROM = (0.0, 7.0, 10.0, 20.0, 50.0)


class GoldRefused(ValueError):
    """This cannot be marked as known; the text says why."""


@dataclass(frozen=True)
class Completeness:
    """How often a person was right about known items of one kind and range of S/N.

    person : "" for all together. kind : the label that they are known to have, else real or bogus; of injected sources
    where they are. snr_from, snr_to : of |S/N|; None for the last
    range, and both None where it is not known.
    """

    person: str
    kind: str
    is_valid: bool
    snr_from: float | None
    snr_to: float | None
    right: Share


@dataclass(frozen=True)
class OfPerson:
    """The same of one person ("" for all together) at a glance.

    of_ranges : by the lower end of their range of S/N, None where it is not known. of_verdicts : by whether they are
    real. every : of all of them.
    """

    person: str
    of_ranges: dict[float | None, Share]
    of_verdicts: dict[bool, Share]
    every: Share


@transaction.atomic
def mark_known(detection: Detection, user: User, actor: audit.Actor) -> GoldItem:
    """Say that what people decided about a detection is known to be so; people are given it from now on."""
    if detection.status not in (*REAL, DetectionStatus.REJECTED):
        raise GoldRefused("It is not decided yet: review it first.")
    known = {"is_valid": detection.status in REAL, "label": detection.human_label}
    item, is_new = GoldItem.objects.get_or_create(detection=detection, defaults={**known, "marked_by": user})
    if not is_new and (item.is_valid, item.label) != tuple(known.values()) and item.answers.exists():
        raise GoldRefused("People have been told that it is something else: what is known must not change.")
    GoldItem.objects.filter(pk=item.pk).update(**known, is_active=True)
    audit.record(detection, "mark_known", actor=actor, new=known)
    return item


@transaction.atomic
def end_known(detection: Detection, actor: audit.Actor) -> None:
    """Give a known item to nobody any more; what people said of it is kept."""
    if GoldItem.objects.filter(detection=detection, is_active=True).update(is_active=False):
        audit.record(detection, "end_known", actor=actor)


def completeness_for(user: Visitor) -> list[Completeness]:
    """Return how well people review known items: of everybody for experts, for anybody else only of themselves."""
    return _completeness(_answers_for(user).filter(item__kind=""))


def found_injected_for(user: Visitor) -> list[Completeness]:
    """Return how many of the injected sources people find, by kind and the S/N that was injected; of whom as above.

    Experts are told of everybody together first, as a person without a name.
    """
    answers = list(_answers_for(user).exclude(item__kind=""))
    is_of_all = user.has_perm(MAY_MARK_KNOWN) and len({answer.person_id for answer in answers}) > 1
    return [*(_completeness(answers, is_of_all=True) if is_of_all else ()), *_completeness(answers)]


def by_person(found: Sequence[Completeness]) -> list[OfPerson]:
    """Return how often each person was right, kinds together."""
    told = []
    for person, several in groupby(found, key=lambda one: one.person):
        own = list(several)
        ranges = {
            one.snr_from: one for one in sorted(own, key=lambda one: -1.0 if one.snr_from is None else one.snr_from)
        }
        verdicts = dict.fromkeys(sorted((one.is_valid for one in own), reverse=True))
        told.append(
            OfPerson(
                person,
                {start: _together(one.right for one in own if one.snr_from == start) for start in ranges},
                {verdict: _together(one.right for one in own if one.is_valid == verdict) for verdict in verdicts},
                _together(one.right for one in own),
            )
        )
    return told


def range_in_words(start: float | None) -> str:
    """Return a range of S/N by its lower end."""
    if start is None:
        return "unknown"
    end = next((other for other in SNR_FROM if other > start), None)
    if end is None:
        return f"{start:.0f} and more"
    return f"{start:.0f} to {end:.0f}" if start else f"below {end:.0f}"


def _together(shares: Iterable[Share]) -> Share:
    several = list(shares)
    share = share_of(sum(one.part for one in several), sum(one.whole for one in several))
    if share is None:
        raise ValueError("There is nothing to add up.")
    return share


def _answers_for(user: Visitor) -> QuerySet[GoldAnswer]:
    answers = GoldAnswer.objects.not_hidden_from(user).filter(is_valid__isnull=False)
    if not user.has_perm(MAY_MARK_KNOWN):
        answers = answers.filter(person=user.pk)
    return answers.select_related("person", "item__detection__candidate")


def kind_of(item: GoldItem) -> str:
    """Return what a known item is: where it was injected, its label, else real or bogus."""
    return item.get_kind_display() or item.label or ("real" if item.is_valid else "bogus")


def _completeness(answers: Iterable[GoldAnswer], *, is_of_all: bool = False) -> list[Completeness]:
    right: dict[tuple[str, bool, str, int], list[bool]] = defaultdict(list)
    for answer in answers:
        item, candidate = answer.item, answer.item.detection.candidate
        snr = item.injected_snr or (candidate.snr if candidate else None)
        step = 0 if snr is None else sum(abs(snr) >= start for start in SNR_FROM)
        key = ("" if is_of_all else answer.person.get_username(), not item.is_valid, kind_of(item), step)
        right[key].append(answer.is_valid == item.is_valid)
    ends = (None, *SNR_FROM, None)
    return [
        Completeness(person, kind, not is_bogus, ends[step], ends[step + 1] if step else None, share)
        for (person, is_bogus, kind, step), several in sorted(right.items())
        if (share := share_of(sum(several), len(several))) is not None
    ]
