"""Which answers about one detection stand, what they come to, and when that is enough."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from enum import StrEnum

# How much an answer weighs by how sure the person was: one expert outweighs two who are unsure, not two who are sure.
WEIGHTS = {"low": 1.0, "medium": 2.0, "high": 3.0, "expert": 5.0}
LEVELS = tuple(WEIGHTS)


@dataclass(frozen=True)
class Event:
    """One event of one person: a verdict, or a withdrawal of the event that `takes_back` names."""

    key: Hashable
    person: Hashable
    is_verdict: bool
    takes_back: Hashable | None = None


@dataclass(frozen=True)
class Answer:
    """One person's standing answer.

    weight : how much this person's answers count beside those of others. settles : whether it is an expert's about a
    conflict of others, which it ends.
    """

    is_valid: bool
    label: str
    confidence_level: str
    weight: float = 1.0
    settles: bool = False

    @property
    def weighs(self) -> float:
        """Return how much it counts: by who gave it, and how sure they were."""
        return self.weight * WEIGHTS[self.confidence_level]


@dataclass(frozen=True)
class Consensus:
    """What answers come to.

    is_valid : what the heavier side says; None where there is no answer or both weigh the same.
    share : weighted share of the answers that agree with it, (0.5, 1], less where an expert has settled a conflict;
        None as above.
    label : the label with the most weight on that side, of equals the latest, or the settling one; "" where none was
        given.
    highest_level : how sure the surest person on that side was; "" as above.
    """

    is_valid: bool | None = None
    share: float | None = None
    label: str = ""
    highest_level: str = ""


class Outcome(StrEnum):
    """Whether answers are enough."""

    SETTLED = "settled"
    NEEDS_ANOTHER = "needs_another"
    CONFLICT = "conflict"


@dataclass(frozen=True)
class Rule:
    """When people need not be asked about a detection any more.

    required : so many answers at least. least_agreement : share of the weight that has to agree, [0.5, 1]; it must be
    more than half in any case. conflict_after : so many answers that do not agree are a conflict; 0: never, and the
    next person is asked.
    """

    required: int = 1
    least_agreement: float = 0.5
    conflict_after: int = 0


def outcome(answers: Sequence[Answer], rule: Rule, *, asked_for: int = 0) -> Outcome:
    """Tell whether standing answers, given in order of time, are enough.

    asked_for : opinions that people asked for beyond those that the rule requires.
    """
    if any(answer.settles for answer in answers):
        return Outcome.SETTLED
    if len(answers) < max(rule.required, 1) + asked_for:
        return Outcome.NEEDS_ANOTHER
    share = consensus(answers).share
    if share is not None and (share >= rule.least_agreement or math.isclose(share, rule.least_agreement)):
        return Outcome.SETTLED
    return Outcome.CONFLICT if 0 < rule.conflict_after <= len(answers) else Outcome.NEEDS_ANOTHER


def standing(events: Sequence[Event]) -> list[Hashable]:
    """Return the keys of the verdicts that count, of events given in order of time.

    It is the latest of each person that was not withdrawn: to withdraw a change of mind brings back the answer before
    it, and to withdraw a withdrawal brings back what that had taken.
    """
    gone: set[Hashable | None] = set()
    latest: dict[Hashable, Hashable] = {}
    # Backwards, so that it is known of each event whether it was taken back before it takes something back itself.
    for event in reversed(events):
        if event.key in gone:
            continue
        if event.is_verdict:
            latest.setdefault(event.person, event.key)
        else:
            gone.add(event.takes_back)
    return [event.key for event in events if latest.get(event.person) == event.key]


def first_said(events: Sequence[Event]) -> list[Hashable]:
    """Return the keys of each person's first verdict that was not withdrawn, of events given in order of time."""
    gone: set[Hashable | None] = set()
    for event in reversed(events):
        if event.key not in gone and not event.is_verdict:
            gone.add(event.takes_back)
    first: dict[Hashable, Hashable] = {}
    for event in events:
        if event.is_verdict and event.key not in gone:
            first.setdefault(event.person, event.key)
    return list(first.values())


def consensus(answers: Sequence[Answer]) -> Consensus:
    """Weigh the standing answers of several people, given in order of time; what an expert settled is what they say."""
    weight = {side: sum(answer.weighs for answer in answers if answer.is_valid is side) for side in (True, False)}
    settling = next((answer for answer in reversed(answers) if answer.settles), None)
    if settling is None and math.isclose(weight[True], weight[False]):
        return Consensus()
    is_valid = settling.is_valid if settling else weight[True] > weight[False]
    agreeing = [answer for answer in answers if answer.is_valid is is_valid]
    label = (settling.label if settling else "") or _heaviest_label(agreeing)
    highest = max((answer.confidence_level for answer in agreeing), key=LEVELS.index)
    return Consensus(is_valid, weight[is_valid] / (weight[True] + weight[False]), label, highest)


def _heaviest_label(answers: Sequence[Answer]) -> str:
    labels: dict[str, float] = {}
    for answer in answers:
        # Taken out and put back, so that of two with one weight the later stands last.
        labels[answer.label] = labels.pop(answer.label, 0.0) + answer.weighs
    named = {label: total for label, total in labels.items() if label}
    return max(reversed(list(named)), key=lambda name: named[name], default="")
