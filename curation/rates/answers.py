"""What people have answered about candidates that a model has scored, and for how many others each answer stands."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import numpy as np
from django.db.models import Case, Exists, F, IntegerField, OuterRef, Q, Sum, Value, When
from django.db.models.functions import Coalesce
from django.utils import timezone

from catalog.configuration.values import Snapshot
from curation.judgements.verdicts import OPEN, REAL
from curation.rates.decided import CLEAN
from detection.models import Detection, DetectionOrigin, DetectionQuerySet, DetectionStatus, Model, ModelRun
from detection.numerics.rates import Answered

# Beyond this many, the latest: what a calibration takes does not grow with what was ever said.
MOST_ANSWERS = 50_000
# What waits is taken to be like what was answered within these ranges of score, and by how it came to be shown.
_EDGES = (0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.97)
# With fewer nights than this, exposures are what varies.
_LEAST_NIGHTS = 3
READS = ("alerts.automatic_min_snr", "alerts.automatic_threshold", "detection.calibration_days")


@dataclass(frozen=True)
class Gathered:
    """The answers that a calibration is made from.

    answered : about clean candidates of frames from which some of what is hidden was drawn. drawn : how many of them
    are about what was drawn. nights : of them, rising. digest : of all that the calibration follows from.
    """

    answered: Answered
    drawn: int
    nights: tuple[date, ...]
    automatic: Automatic
    digest: str


@dataclass(frozen=True)
class Automatic:
    """What a score alone would have alerted and people have answered about, by object.

    objects : with an answer. false : whose first detection people call not real. nights : they were found in.
    """

    score: float
    snr: float
    objects: int
    false: int
    nights: int


def gather(model: Model, config: Snapshot) -> Gathered:
    """Return what people have answered about the candidates that a model, shown or not, has scored with its weights."""
    rows = _scored_by(model, _since(model, config["detection.calibration_days"]))
    automatic = _automatic(rows, config)
    known = rows.filter(CLEAN, _was_drawn_from(), origin__in=(DetectionOrigin.PIPELINE, DetectionOrigin.SAMPLED))
    factors = _factors(known)
    columns = ("pk", "score", "status", "origin", "inclusion_probability", "cell", "night", "observation_id")
    answers = known.filter(status__in=(*REAL, DetectionStatus.REJECTED)).annotate(night=F("observation__night"))
    found = sorted(answers.order_by("-pk").values_list(*columns)[:MOST_ANSWERS])
    weights = [factors[origin, cell] / (chance or 1.0) for _, _, _, origin, chance, cell, *_ in found]
    nights = sorted({row[6] for row in found})
    of_night = len(nights) >= _LEAST_NIGHTS
    answered = Answered(
        scores=np.array([row[1] for row in found], dtype=np.float64),
        is_real=np.array([row[2] in REAL for row in found], dtype=bool),
        weights=np.array(weights, dtype=np.float64),
        groups=_numbered(row[6] if of_night else row[7] for row in found),
    )
    drawn = sum(row[3] == DetectionOrigin.SAMPLED for row in found)
    digest = _digest(found, weights, automatic)
    return Gathered(answered, drawn, tuple(nights), automatic, digest)


def _since(model: Model, days: int) -> date:
    """Return the first night that counts, by the latest that the model has scored: archives are old."""
    scored = ModelRun.objects.completed().filter(model=model).order_by("-observation__night")
    last = scored.values_list("observation__night", flat=True).first()
    return (last or timezone.now().date()) - dt.timedelta(days=days)


def _scored_by(model: Model, since: date) -> DetectionQuerySet:
    """Return detections of these nights with the model's `score` of each and the `cell` that it lies in."""
    own = {"candidate__scores__model": model, "candidate__scores__weights_sha256": model.weights_sha256}
    rows = Detection.objects.filter(**own, observation__night__gte=since).annotate(score=F("candidate__scores__score"))
    steps = (When(score__lt=edge, then=Value(k)) for k, edge in enumerate(_EDGES))
    return rows.annotate(cell=Case(*steps, default=Value(len(_EDGES)), output_field=IntegerField()))


def _was_drawn_from() -> Exists:
    """Elsewhere it is not known what lies below the threshold, and what lies above is no share of anything."""
    return Exists(ModelRun.objects.filter(observation=OuterRef("observation"), hidden_draw__isnull=False))


def _factors(rows: DetectionQuerySet) -> dict[tuple[str, int], float]:
    """Return by what an answer counts for those like it that wait: what is near the top of the queue is answered first.

    Where nothing in a range is answered, its like are all of the same origin.
    """
    weight = Coalesce(1.0 / F("inclusion_probability"), 1.0)
    sums: dict[tuple[str, int], list[float]] = defaultdict(lambda: [0.0, 0.0])
    of_origin: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for k, states in enumerate(((*REAL, DetectionStatus.REJECTED), OPEN)):
        grouped = rows.filter(status__in=states).order_by().values("origin", "cell").annotate(total=Sum(weight))
        for row in grouped:
            sums[row["origin"], row["cell"]][k] += row["total"]
    for (origin, _), (answered, waiting) in sums.items():
        # What waits in a range without answers is left to the ranges that have some.
        of_origin[origin][0] += answered
        of_origin[origin][1] += 0.0 if answered else waiting
    shared = {origin: 1.0 + lost / all_ if all_ else 1.0 for origin, (all_, lost) in of_origin.items()}
    return {
        (origin, cell): shared[origin] * (answered + waiting) / answered
        for (origin, cell), (answered, waiting) in sums.items()
        if answered
    }


def _automatic(rows: DetectionQuerySet, config: Snapshot) -> Automatic:
    """Return what the rule of automatic alerts would have told about, of what is answered."""
    score, snr = config["alerts.automatic_threshold"], config["alerts.automatic_min_snr"]
    bright = Q(candidate__snr__gte=snr) | Q(candidate__snr__lte=-snr)
    sure = rows.filter(CLEAN, bright, score__gte=score, status__in=(*REAL, DetectionStatus.REJECTED))
    first: dict[UUID, tuple[bool, date]] = {}
    columns = ("pk", "source_id", "status", "observation__night")
    for pk, source, status, night in sure.order_by("observation__mjd_utc", "pk").values_list(*columns):
        first.setdefault(source or pk, (status == DetectionStatus.REJECTED, night))
    return Automatic(
        score=score,
        snr=snr,
        objects=len(first),
        false=sum(is_false for is_false, _ in first.values()),
        nights=len({night for _, night in first.values()}),
    )


def _numbered(values: Iterable[object]) -> np.ndarray:
    numbers: dict[object, int] = {}
    return np.array([numbers.setdefault(value, len(numbers)) for value in values], dtype=np.int64)


def _digest(found: Iterable[tuple[object, ...]], weights: Iterable[float], automatic: Automatic) -> str:
    text = hashlib.sha256(repr(automatic).encode())
    for row, weight in zip(found, weights, strict=True):
        text.update(f"{row[0]} {row[1]!r} {row[2]} {weight:.9g}\n".encode())
    return text.hexdigest()
