"""How far people agree, told for the page of statistics: by pairs, together, and for each label.

What is compared is what each person said first of an object, before they were shown what others said of it: a second
thought is no independent answer. An answer about several epochs of one object counts once.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import combinations
from uuid import UUID

from django.db.models import Count, QuerySet

from catalog.models import User, Visitor
from curation.judgements import visibility
from curation.judgements.consensus import Event, first_said
from curation.judgements.objects import keys_of
from curation.models import EventKind, ValidationEvent
from curation.numerics.agreement import Kappa, Share, cohen_kappa, fleiss_kappa, share_of

# Of what several people judged the latest so many detections are compared.
MOST_COMPARED = 20_000
_SHOWN = "visible_context__answers_shown"


@dataclass(frozen=True)
class PairAgreement:
    """How far two people agree whether objects are real: about so many, the share that they say the same of, kappa.

    kappa : None where it is not defined, since both said one and the same of all.
    """

    first: str
    second: str
    same: Share
    kappa: Kappa | None


@dataclass(frozen=True)
class LabelDisagreement:
    """Of the pairs of answers one of which, at least, gave a label: in how many the other did not."""

    label: str
    differing: Share


@dataclass(frozen=True)
class Agreement:
    """How far people agree.

    objects : so many were judged independently by several people. pairs : by those who share most. together : kappa of
    all people at once, None as above. labels : those people disagree about most come first.
    """

    objects: int
    pairs: tuple[PairAgreement, ...]
    together: Kappa | None
    labels: tuple[LabelDisagreement, ...]


@dataclass(frozen=True)
class _Said:
    """What one person said first of an object."""

    person: UUID
    is_valid: bool
    label: str


def agreement_for(user: Visitor, *, since: dt.datetime | None = None) -> Agreement:
    """Return how far people agree, as far as this person may read what they said; `since`: of what was said since."""
    events = visibility.judgements_for(user)
    if since is not None:
        events = events.filter(created_at__gte=since)
    several = events.filter(kind=EventKind.VERDICT).order_by().values("detection")
    several = several.annotate(people=Count("validator", distinct=True)).filter(people__gt=1)
    keys = list(several.order_by("-detection").values_list("detection", flat=True)[:MOST_COMPARED])
    return _agreement(_said(events.filter(detection__in=keys), keys))


def _said(events: QuerySet[ValidationEvent], keys: Sequence[UUID]) -> list[list[_Said]]:
    """Return what people said first, and without knowing of others, of each object that several spoke about."""
    names = ("pk", "detection", "validator", "kind", "supersedes", "is_valid", "label", _SHOWN)
    rows = list(events.order_by("created_at", "id").values_list(*names))
    object_of = keys_of(keys)
    of_object: dict[UUID, list[Event]] = defaultdict(list)
    found: dict[Hashable, _Said] = {}
    for pk, detection, person, kind, supersedes, is_valid, label, shown in rows:
        if detection in object_of:
            of_object[object_of[detection]].append(Event(pk, person, kind == EventKind.VERDICT, supersedes))
        if kind == EventKind.VERDICT and not shown:
            found[pk] = _Said(person, is_valid, label)
    said = ([found[pk] for pk in first_said(several) if pk in found] for several in of_object.values())
    return [several for several in said if len(several) > 1]


def _agreement(objects: Sequence[Sequence[_Said]]) -> Agreement:
    shared: dict[tuple[UUID, UUID], list[tuple[bool, bool]]] = defaultdict(list)
    differing: dict[str, list[bool]] = defaultdict(list)
    for several in objects:
        for one, other in combinations(sorted(several, key=lambda said: said.person), 2):
            shared[one.person, other.person].append((one.is_valid, other.is_valid))
            for label in {_label(one), _label(other)}:
                differing[label].append(_label(one) != _label(other))
    named = dict(User.objects.filter(pk__in={key for pair in shared for key in pair}).values_list("pk", "username"))
    labels = ((label, share_of(sum(pairs), len(pairs))) for label, pairs in differing.items())
    told = [LabelDisagreement(label, share) for label, share in labels if share is not None]
    return Agreement(
        objects=len(objects),
        pairs=tuple(
            PairAgreement(named[one], named[other], same, cohen_kappa(answers))
            for (one, other), answers in sorted(shared.items(), key=lambda pair: -len(pair[1]))
            if (same := share_of(sum(a == b for a, b in answers), len(answers))) is not None
        ),
        together=fleiss_kappa([[said.is_valid for said in several] for several in objects]),
        labels=tuple(sorted(told, key=lambda one: (-one.differing.value, one.label))),
    )


def _label(said: _Said) -> str:
    """Return what somebody called an object: real or bogus where they gave no label."""
    return said.label or ("real" if said.is_valid else "bogus")
