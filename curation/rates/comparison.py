"""A model beside the active one, on the candidates that both have scored."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, F, FloatField, Q, QuerySet, Sum, Value
from django.db.models.functions import Abs, Coalesce

from catalog.configuration.values import Snapshot
from catalog.hiding import hidden_from
from catalog.models import Visitor
from curation.judgements.unmarked import scores_shown
from curation.judgements.verdicts import REAL
from curation.numerics.shares import Share, Sums, weighted_share
from curation.rates.decided import CLEAN
from detection.models import CandidateScore, DetectionOrigin, DetectionStatus, Model
from detection.thresholds.in_force import in_force

# So many frames at least tell something of nights that differ.
ENOUGH_FRAMES = 20
_MOST_DIFFERENT = 20
# In what one model calls real and the other does not.
_ANSWERED = Q(
    candidate__detections__origin__in=(DetectionOrigin.PIPELINE, DetectionOrigin.SAMPLED),
    candidate__detections__is_injected=False,
)
_IS_REAL = _ANSWERED & Q(candidate__detections__status__in=REAL)
_IS_FALSE = _ANSWERED & Q(candidate__detections__status=DetectionStatus.REJECTED)
_WEIGHT = Coalesce(1.0 / F("candidate__detections__inclusion_probability"), Value(1.0), output_field=FloatField())


@dataclass(frozen=True)
class Side:
    """One of the two models: its threshold, and both rates by what people have answered; None where nothing is."""

    model: Model
    threshold: float
    false_positive_rate: Share | None
    missed_rate: Share | None


@dataclass(frozen=True)
class Comparison:
    """What both models show of the same candidates, those that neither a veto nor a flag rejects."""

    frames: int
    both: int
    neither: int
    only_own: int
    only_other: int
    own: Side
    other: Side

    @property
    def is_enough(self) -> bool:
        return self.frames >= ENOUGH_FRAMES

    @property
    def agreement(self) -> float | None:
        """Return the share of candidates that both show or both hide."""
        whole = self.both + self.neither + self.only_own + self.only_other
        return (self.both + self.neither) / whole if whole else None


def compare(model: Model, active: Model, config: Snapshot) -> Comparison:
    """Compare a model with the active one, each at its own threshold.

    Rates are over candidates that people have answered about, each counted by one over the probability with which it
    was shown to them.
    """
    rows = _scored_by_both(model, active)
    thresholds = {"own": in_force(model, config).threshold, "other": in_force(active, config).threshold}
    shows = {"own": Q(score__gte=thresholds["own"]), "other": Q(other__gte=thresholds["other"])}
    own, other = shows["own"], shows["other"]
    counts = rows.aggregate(
        frames=Count("model_run", distinct=True),
        both=Count("pk", filter=own & other),
        neither=Count("pk", filter=~own & ~other),
        only_own=Count("pk", filter=own & ~other),
        only_other=Count("pk", filter=~own & other),
    )

    def side(name: str, one: Model) -> Side:
        return Side(
            one,
            thresholds[name],
            false_positive_rate=_share(rows, _IS_FALSE, shows[name]),
            missed_rate=_share(rows, _IS_REAL, ~shows[name]),
        )

    return Comparison(**counts, own=side("own", model), other=side("other", active))


def most_different(model: Model, active: Model, user: Visitor) -> list[CandidateScore]:
    """Return the scores that differ most, with `other`, the active model's; those that the person may see."""
    shown = CandidateScore.objects.not_hidden_from(user).values("pk") if hidden_from(user) else None
    rows = _scored_by_both(model, active).filter(scores_shown(user), **({} if shown is None else {"pk__in": shown}))
    ordered = rows.annotate(apart=Abs(F("score") - F("other"))).order_by("-apart", "pk")
    return list(ordered.select_related("candidate__observation")[:_MOST_DIFFERENT])


def _scored_by_both(model: Model, active: Model) -> QuerySet[CandidateScore]:
    both = {"model": model, "candidate__scores__model": active}
    clean = CandidateScore.objects.filter(CLEAN, **both).order_by()
    return clean.annotate(other=F("candidate__scores__score"))


def _share(rows: QuerySet[CandidateScore], of: Q, counted: Q) -> Share | None:
    """Return the weighted share of what is counted among the answers of a class."""
    sums = rows.filter(of).aggregate(
        count=Count("pk"),
        weight=Coalesce(Sum(_WEIGHT), 0.0),
        weight2=Coalesce(Sum(_WEIGHT * _WEIGHT), 0.0),
        hits=Count("pk", filter=counted),
        hit_weight=Coalesce(Sum(_WEIGHT, filter=counted), 0.0),
        hit_weight2=Coalesce(Sum(_WEIGHT * _WEIGHT, filter=counted), 0.0),
    )
    return weighted_share(Sums(**sums))
