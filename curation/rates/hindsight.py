"""What the last night that was scored tells of other values in the configuration, by what is kept of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Abs
from django.utils import timezone

from catalog.configuration.changes import Plan
from catalog.configuration.preview import Hindsight
from curation.alerts.automatic import automatic
from curation.alerts.rule import sure_enough
from detection.models import CandidateScore, Detection, DetectionOrigin, Model, ModelRun, ModelType, Urgency
from detection.sources.photometry import brightness_of
from detection.sources.urgency import urgency_of
from detection.thresholds.would_be import is_asked_for, would_be_detections
from differencing.models import Candidate, DifferenceRun, Tracklet

_SIGMA, _MOST = "differencing.threshold_sigma", "differencing.max_candidates"
_AUTOMATIC = frozenset({"alerts.automatic", "alerts.automatic_most_false"})
_SURE = frozenset({"alerts.automatic_threshold", "alerts.automatic_min_snr"})
_URGENCY = frozenset({"alerts.critical_mag", "alerts.high_snr"})
_AT_ONCE = 1000


def hindsight(plan: Plan) -> list[Hindsight]:
    """Return what the last scored night tells of a plan, a sentence for each thing that can be counted."""
    model = Model.objects.filter(model_type=ModelType.CLASSIFIER, is_active=True).first()
    night = None if model is None else _last_night(model)
    keys = frozenset(change.key.name for change in plan.changes)
    told: list[Hindsight] = []
    for rule, concerned in _RULES:
        mine = frozenset(key for key in keys if concerned(key))
        if mine and model is not None and night is not None:
            told += [Hindsight(mine, sentence) for sentence in rule(model, night, plan)]
    if keys & (_AUTOMATIC | _SURE):
        told.append(Hindsight(keys & (_AUTOMATIC | _SURE), automatic(plan.after).why))
    return told


def _last_night(model: Model) -> date | None:
    scored = ModelRun.objects.completed().filter(model=model, observation__night__lte=timezone.now().date())
    night: date | None = scored.order_by("-observation__night").values_list("observation__night", flat=True).first()
    return night


def _detections(model: Model, night: date, plan: Plan) -> Iterator[str]:
    rows = CandidateScore.objects.filter(
        model=model, candidate__observation__night=night, candidate__is_injected=False, candidate__is_imported=False
    )
    found = rows.order_by().aggregate(
        before=Count("pk", filter=would_be_detections(model, plan.before)),
        after=Count("pk", filter=would_be_detections(model, plan.after)),
        whole=Count("pk"),
    )
    yield (
        f"The night {night} would have given {_many(found['after'], 'detection')} instead of {found['before']}, "
        f"of {_many(found['whole'], 'scored candidate')}."
    )


def _candidates(_model: Model, night: date, plan: Plan) -> Iterator[str]:
    before, after = plan.before[_SIGMA], plan.after[_SIGMA]
    rows = Candidate.objects.filter(observation__night=night, is_imported=False).order_by()
    found = rows.annotate(sigma=Abs("significance")).aggregate(
        whole=Count("pk"), left=Count("pk", filter=Q(sigma__gte=after))
    )
    if after >= before:
        yield f"Of {_many(found['whole'], 'candidate')} of the night {night}, {found['left']} reach {after:g} sigma."
    else:
        yield (
            f"The night {night} has {_many(found['whole'], 'candidate')}. How many more there would have been is not "
            f"known: peaks below {before:g} sigma were not kept."
        )


def _runs(_model: Model, night: date, plan: Plan) -> Iterator[str]:
    most = plan.after[_MOST]
    rows = DifferenceRun.objects.completed().filter(observation__night=night).order_by()
    found = rows.aggregate(whole=Count("pk"), failing=Count("pk", filter=Q(candidates_found__gt=most)))
    yield f"Of {_many(found['whole'], 'subtraction')} of the night {night}, {found['failing']} have more candidates."


def _sure(model: Model, night: date, plan: Plan) -> Iterator[str]:
    rows = _pipelines(night).order_by()
    before, after = (rows.filter(sure_enough(model, config)).count() for config in (plan.before, plan.after))
    yield (
        f"In the night {night}, {_many(after, 'detection')} would have been sure and bright enough for an automatic "
        f"alert instead of {before}."
    )


def _urgencies(_model: Model, night: date, plan: Plan) -> Iterator[str]:
    before, after = Counter[Urgency](), Counter[Urgency]()
    for rows in _pages(night):
        brightness = brightness_of(rows)
        moving = Tracklet.objects.linked().moving().filter(members__in=[row.candidate_id for row in rows])
        moves = set(moving.values_list("members", flat=True))
        for row in rows:
            candidate = row.candidate
            if candidate is None:
                continue  # Of another survey, which these keys do not concern.
            is_rising = not candidate.is_negative and candidate.pk not in moves
            for config, counts in ((plan.before, before), (plan.after, after)):
                mag = brightness[row.pk].mag
                counts[urgency_of(mag, candidate.snr, is_rising=is_rising, config=config)] += 1
    yield (
        f"Of {_many(before.total(), 'detection')} of the night {night}, {after[Urgency.CRITICAL]} would have been "
        f"critical instead of {before[Urgency.CRITICAL]}, and {after[Urgency.HIGH]} of high priority instead of "
        f"{before[Urgency.HIGH]}, before anybody reviewed them."
    )


def _pipelines(night: date) -> QuerySet[Detection]:
    return Detection.objects.filter(observation__night=night, origin=DetectionOrigin.PIPELINE)


def _pages(night: date) -> Iterator[list[Detection]]:
    rows, last = _pipelines(night).select_related("candidate").order_by("pk"), None
    while True:
        page = list((rows if last is None else rows.filter(pk__gt=last))[:_AT_ONCE])
        if page:
            yield page
        if len(page) < _AT_ONCE:
            return
        last = page[-1].pk


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


Rule = Callable[[Model, date, Plan], Iterator[str]]
_RULES: tuple[tuple[Rule, Callable[[str], bool]], ...] = (
    (_candidates, _SIGMA.__eq__),
    (_runs, _MOST.__eq__),
    (_detections, is_asked_for),
    (_sure, _SURE.__contains__),
    (_urgencies, _URGENCY.__contains__),
)
