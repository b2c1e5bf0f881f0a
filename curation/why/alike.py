"""The answered detections that are most alike to one, by what its model goes by."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np

from catalog.models import Visitor
from curation.judgements import visibility
from curation.judgements.objects import keys_of
from curation.judgements.verdicts import REAL, answers_about
from curation.models import GoldItem, LabelDefinition, Shown, ValidationEvent
from detection.models import CandidateScore, Detection, DetectionStatus
from detection.numerics.nearest import Floats, distances, unpacked, usual_distance

# So many of the latest answered ones of each kind are compared: 2 MB, read in a tenth of a second.
_LATEST = 10_000
MOST_OF_A_KIND = 3
# The nearest are looked at by so many at a time, and no further than that: those that cannot be shown are few.
_AT_ONCE, _LOOKED_AT = 40, 400
# Of what two answered ones usually lie apart.
_LIKENESS = ((0.1, "almost the same"), (0.3, "very alike"), (0.6, "alike"), (1.0, "not very alike"))
_UNLIKE = "no more alike than any other"


@dataclass(frozen=True)
class Alike:
    """An answered detection: what people say of it, and how alike it is.

    apart : its distance over what two answered ones usually lie apart; None where that is not known.
    """

    detection: Detection
    says: str
    apart: float | None

    @property
    def likeness(self) -> str:
        """Return how alike it is in words, "" where nothing is known to compare with."""
        if self.apart is None:
            return ""
        return next((words for most, words in _LIKENESS if self.apart < most), _UNLIKE)


@dataclass(frozen=True)
class Examples:
    """The nearest of each kind that a person may see, the nearest first."""

    real: Sequence[Alike]
    bogus: Sequence[Alike]

    def __bool__(self) -> bool:
        return bool(self.real or self.bogus)


@dataclass(frozen=True)
class _Answered:
    """Detections of one kind, and what the model goes by in each."""

    keys: Sequence[UUID]
    features: Floats


def examples_for(row: Detection, scored: CandidateScore, user: Visitor) -> Examples:
    """Return the answered detections that are nearest to one, as far as this person may see what was answered.

    What is of the same object is left out, as are known items, whose answer nobody may learn here, and what was
    answered without having been seen. Of each object the nearest detection stands for all.
    """
    if scored.features is None:
        return Examples((), ())
    here = unpacked([bytes(scored.features)])[0]
    if not np.isfinite(here).all():
        return Examples((), ())
    kinds = [_answered(scored, REAL), _answered(scored, (DetectionStatus.REJECTED,))]
    usual = usual_distance(np.concatenate([kind.features for kind in kinds]))
    titles = dict(LabelDefinition.objects.values_list("label", "title"))
    real, bogus = (
        [Alike(one, _in_words(one, answers, user, titles), _over(apart, usual)) for one, answers, apart in nearest]
        for nearest in (_nearest(row, here, kind, user) for kind in kinds)
    )
    return Examples(real, bogus)


def _answered(scored: CandidateScore, states: Sequence[str]) -> _Answered:
    """Return the latest detections in some states that the same model, with the same weights, has scored."""
    latest = Detection.objects.filter(status__in=states).order_by("-created_at", "-id")[:_LATEST]
    rows = CandidateScore.objects.filter(
        model=scored.model_id,
        weights_sha256=scored.weights_sha256,
        features__isnull=False,
        candidate__detections__in=latest.values("pk"),
    ).values_list("candidate__detections", "features")
    found = [(key, bytes(stored)) for key, stored in rows if stored is not None]
    features = unpacked([stored for _, stored in found])
    # What was too large for a float16 is near nothing.
    known = np.flatnonzero(np.isfinite(features).all(axis=1))
    return _Answered([found[k][0] for k in known], features[known])


def _nearest(
    row: Detection, here: Floats, kind: _Answered, user: Visitor
) -> list[tuple[Detection, list[ValidationEvent], float]]:
    """Return the nearest of one kind that may be shown, with the answers that are such, and how far away each is."""
    apart = distances(here, kind.features)
    order = np.argsort(apart, kind="stable")[:_LOOKED_AT]
    own = keys_of([row.pk])
    passed = set(own.values())
    found: list[tuple[Detection, list[ValidationEvent], float]] = []
    for start in range(0, len(order), _AT_ONCE):
        some = order[start : start + _AT_ONCE]
        keys = [kind.keys[k] for k in some]
        objects = keys_of(keys)
        shown = dict(_shown(keys, user))
        for k in some:
            key = kind.keys[k]
            if key in shown and objects[key] not in passed:
                passed.add(objects[key])
                found.append((*shown[key], float(apart[k])))
            if len(found) == MOST_OF_A_KIND:
                return found
    return found


def _shown(keys: Sequence[UUID], user: Visitor) -> Iterator[tuple[UUID, tuple[Detection, list[ValidationEvent]]]]:
    """Yield of some detections those that a person may see as examples, with the answers that agree with the state."""
    rows = Detection.objects.visible_to(user).filter(pk__in=keys, status__in=visibility.DECIDED)
    known = GoldItem.objects.filter(is_active=True, detection__in=keys).values("detection")
    rows = rows.exclude(pk__in=known)
    hidden, answers = visibility.hidden_from(user, keys), answers_about(keys)
    for row in rows.exclude(pk__in=hidden):
        is_real = row.status in REAL
        agreeing = [
            event for event in answers.get(row.pk, []) if event.is_valid == is_real and event.shown != Shown.UNSEEN
        ]
        if agreeing:
            yield row.pk, (row, agreeing)


def _in_words(row: Detection, answers: Sequence[ValidationEvent], user: Visitor, titles: dict[str, str]) -> str:
    """Return what people say of an example, and how many."""
    verdict = "real" if row.status in REAL else "bogus"
    label = titles.get(row.human_label, row.human_label.replace("_", " "))
    others = sum(event.validator_id != user.pk for event in answers)
    who = "by you" if others < len(answers) else ""
    if others:
        people = f"{others} {'person' if others == 1 else 'people'}"
        who = f"{who} and {people}" if who else f"by {people}"
    return ", ".join(filter(None, (verdict, label[:1].lower() + label[1:] if label else "", who)))


def _over(apart: float, usual: float) -> float | None:
    return apart / usual if math.isfinite(usual) and usual > 0.0 else None
