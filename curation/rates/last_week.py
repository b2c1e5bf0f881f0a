"""What a threshold would have meant in the last nights: what would have been shown, and what people said of that."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Q
from django.utils import timezone

from curation.judgements.verdicts import REAL
from detection.models import CandidateScore, DetectionStatus, Model, ModelRun

DAYS = 7


@dataclass(frozen=True)
class Meant:
    """At one threshold: how many candidates are shown and hidden, and how many of them people call what."""

    threshold: float
    shown: int
    shown_real: int
    shown_false: int
    hidden: int
    hidden_real: int
    hidden_false: int


@dataclass(frozen=True)
class LastWeek:
    """The nights that are looked at, and what each threshold would have meant in them."""

    first: date
    last: date
    meant: tuple[Meant, ...]


def last_week(model: Model, thresholds: tuple[float, ...]) -> LastWeek | None:
    """Return what thresholds would have meant in the last week; where it had no frames, in the last that had.

    Of the candidates that no veto and no flag rejects: of the others the score does not decide. None where the model
    has scored nothing.
    """
    scored = ModelRun.objects.completed().filter(model=model, observation__night__lte=timezone.now().date())
    last = scored.order_by("-observation__night").values_list("observation__night", flat=True).first()
    if last is None:
        return None
    first = last - dt.timedelta(days=DAYS - 1)
    rows = CandidateScore.objects.filter(
        model=model,
        candidate__observation__night__range=(first, last),
        candidate__is_reference_ghost=False,
        candidate__is_dipole=False,
        candidate__vetoes=[],
    ).order_by()
    is_real, is_false = (Q(candidate__detections__status__in=states) for states in (REAL, (DetectionStatus.REJECTED,)))
    asked = {}
    for k, threshold in enumerate(thresholds):
        for name, side in (("shown", Q(score__gte=threshold)), ("hidden", Q(score__lt=threshold))):
            asked[f"{name}_{k}"] = Count("pk", filter=side)
            asked[f"{name}_real_{k}"] = Count("pk", filter=side & is_real)
            asked[f"{name}_false_{k}"] = Count("pk", filter=side & is_false)
    found = rows.aggregate(**asked)
    names = ("shown", "shown_real", "shown_false", "hidden", "hidden_real", "hidden_false")
    meant = tuple(
        Meant(threshold, **{name: found[f"{name}_{k}"] for name in names}) for k, threshold in enumerate(thresholds)
    )
    return LastWeek(first, last, meant)
