"""Which answers about one detection stand, and what they come to."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

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
    """One person's standing answer."""

    is_valid: bool
    label: str
    confidence_level: str


@dataclass(frozen=True)
class Consensus:
    """What answers come to.

    is_valid : what the heavier side says; None where there is no answer or both weigh the same.
    share : weighted share of the answers that agree with it, (0.5, 1]; None as above.
    label : the label with the most weight on that side, of equals the latest; "" where none was given.
    highest_level : how sure the surest person on that side was; "" as above.
    """

    is_valid: bool | None = None
    share: float | None = None
    label: str = ""
    highest_level: str = ""


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


def consensus(answers: Sequence[Answer]) -> Consensus:
    """Weigh the standing answers of several people, given in order of time."""
    weight = {side: sum(WEIGHTS[a.confidence_level] for a in answers if a.is_valid is side) for side in (True, False)}
    if weight[True] == weight[False]:
        return Consensus()
    is_valid = weight[True] > weight[False]
    agreeing = [answer for answer in answers if answer.is_valid is is_valid]
    labels: dict[str, float] = {}
    for answer in agreeing:
        # Taken out and put back, so that of two with one weight the later stands last.
        labels[answer.label] = labels.pop(answer.label, 0.0) + WEIGHTS[answer.confidence_level]
    named = {label: total for label, total in labels.items() if label}
    label = max(reversed(list(named)), key=lambda name: named[name], default="")
    highest = max((answer.confidence_level for answer in agreeing), key=LEVELS.index)
    return Consensus(is_valid, weight[is_valid] / (weight[True] + weight[False]), label, highest)
