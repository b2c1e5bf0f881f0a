"""The page of a model's threshold: what it is chosen by, what comes of it, and what another would have meant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from catalog.configuration.changes import ChangeRefused
from catalog.configuration.values import Snapshot, snapshot
from catalog.models import Visitor
from catalog.people.actors import actor_of
from catalog.roles import MAY_CONFIGURE, MAY_ORDER_JOBS
from catalog.web.access import requires
from curation.alerts.automatic import automatic
from curation.judgements import visibility
from curation.rates.choosing import Choice, choose
from curation.rates.comparison import ENOUGH_FRAMES, compare, most_different
from curation.rates.drawing import plot_of
from curation.rates.drift import BASE_NIGHTS, LEAST_BASE, alarms_among, drift_of, shown_of
from curation.rates.forms import ThresholdForm
from curation.rates.last_week import LastWeek, last_week
from curation.rates.ordering import order_for
from detection.models import RATES, Calibration, Model, ThresholdBy
from detection.thresholds.curve import KNOWN_WITHIN, ForRate, Point, answers_lacking, points_of, rates_at, threshold_for
from detection.thresholds.in_force import InForce, in_force, latest_calibration

_MOST_SHOWN = 20
# Of the curve so many lines stand in the table.
_LINES = 16


@dataclass(frozen=True)
class Asked:
    """What was tried on the page: the threshold that it comes to, or why there is none."""

    form: ThresholdForm
    threshold: float | None = None
    found: ForRate | None = None
    lacking: int = 0
    why: str = ""


@requires("detection.view_model", "detection.view_detection", "curation.view_validationevent")
@require_safe
def threshold(request: HttpRequest, model_id: UUID) -> HttpResponse:
    """Show the threshold of a model, and what another, tried by the form, would have meant last week."""
    model = get_object_or_404(Model.objects.visible_to(request.user), pk=model_id)
    return render(request, "curation/threshold.html", _context(request, model, request.GET if request.GET else None))


@requires(MAY_CONFIGURE)
@require_POST
def choose_threshold(request: HttpRequest, model_id: UUID) -> HttpResponse:
    """Let the threshold be chosen so from the next frame on."""
    model = get_object_or_404(Model.objects.visible_to(request.user), pk=model_id)
    form = ThresholdForm(request.POST)
    if not form.is_valid():
        return render(request, "curation/threshold.html", _context(request, model, request.POST), status=422)
    by, values = form.cleaned_data["by"], form.cleaned_data
    rate, score = (form.rate_as_share, None) if by in RATES else (None, values["score"])
    try:
        choose(model, Choice(by, rate, score, values["reason"]), actor_of(request))
    except ChangeRefused as refusal:
        messages.error(request, str(refusal))
        return render(request, "curation/threshold.html", _context(request, model, request.POST), status=422)
    messages.success(request, "It holds for frames that are scored from now on. What was detected before stays.")
    return redirect("curation:threshold", model_id)


@requires(MAY_ORDER_JOBS)
@require_POST
def recalibrate(request: HttpRequest, model_id: UUID) -> HttpResponse:
    """Calibrate the model now instead of tonight."""
    model = get_object_or_404(Model.objects.visible_to(request.user), pk=model_id)
    order_for(model, actor_of(request))
    messages.success(request, "Ordered: this page shows the new calibration when it is done.")
    return redirect("curation:threshold", model_id)


@requires("detection.view_model", "detection.view_candidatescore", "curation.view_validationevent")
@require_safe
def comparison(request: HttpRequest, model_id: UUID) -> HttpResponse:
    """Show a model beside the active one of its type, on what both have scored."""
    model = get_object_or_404(Model.objects.visible_to(request.user), pk=model_id)
    active = Model.objects.filter(model_type=model.model_type, is_active=True).exclude(pk=model.pk).first()
    context = {
        "model": model,
        "active": active,
        "found": compare(model, active, snapshot()) if active is not None else None,
        "different": most_different(model, active, request.user) if active is not None else [],
        "enough": ENOUGH_FRAMES,
        "is_blind": visibility.is_blind(request.user),
    }
    return render(request, "curation/comparison.html", context)


@requires("detection.view_model", "detection.view_candidatescore", "curation.view_validationevent")
@require_safe
def drift(request: HttpRequest, model_id: UUID) -> HttpResponse:
    """Show how the scores of a model, and the share of false ones, go from night to night."""
    model = get_object_or_404(Model.objects.visible_to(request.user), pk=model_id)
    is_blind = visibility.is_blind(request.user)
    rows = [] if is_blind else shown_of(drift_of(model), request.user)
    context = {
        "model": model,
        "is_blind": is_blind,
        "nights": [(night, list(of_night)) for night, of_night in groupby(rows, key=lambda row: row.night)],
        "alarms": alarms_among(rows),
        "base": BASE_NIGHTS,
        "least": LEAST_BASE,
    }
    return render(request, "curation/drift.html", context)


def _context(request: HttpRequest, model: Model, given: Mapping[str, str] | None) -> dict[str, object]:
    config = snapshot()
    latest = latest_calibration(model)
    points = points_of(latest) if latest is not None else []
    now = in_force(model, config)
    is_blind = visibility.is_blind(request.user)
    asked = _asked(model, config, latest, given)
    return {
        "model": model,
        "now": now,
        "by": config["detection.threshold_by"],
        "asked_rate": config["detection.asked_rate"],
        "latest": latest,
        "now_found": _found(latest, points, config),
        "rates_now": _rates(points, now),
        "asked": asked,
        "week": _week(model, now, asked),
        "plot": plot_of(points, now.threshold) if points else None,
        "lines": points[:: max(len(points) // _LINES, 1)],
        "known_within": KNOWN_WITHIN,
        "hidden_share": config["detection.hidden_share"],
        "automatic": automatic(config) if model.is_active else None,
        "is_blind": is_blind,
        "calibrations": _calibrations(request.user, model),
    }


def _asked(model: Model, config: Snapshot, latest: Calibration | None, given: Mapping[str, str] | None) -> Asked:
    """Return what the form asks about; nothing has been kept yet."""
    if given is None:
        return Asked(ThresholdForm.of(config))
    form = ThresholdForm(given)
    if not form.is_valid():
        return Asked(form)
    by = form.cleaned_data["by"]
    if by not in RATES:
        return Asked(form, form.cleaned_data["score"])
    rate = form.rate_as_share
    values = {**config.values, "detection.threshold_by": by, "detection.asked_rate": rate}
    tried = in_force(model, Snapshot(values))
    found = threshold_for(points_of(latest), by, rate) if latest is not None else None
    lacking = answers_lacking(latest, found) if latest is not None and found is not None else 0
    return Asked(form, tried.threshold, found, lacking, tried.why)


def _found(latest: Calibration | None, points: list[Point], config: Snapshot) -> ForRate | None:
    kind = config["detection.threshold_by"]
    return threshold_for(points, kind, config["detection.asked_rate"]) if latest is not None and kind in RATES else None


def _rates(points: list[Point], now: InForce) -> list[tuple[str, object]]:
    """Return what both rates are at the threshold in force; None where it is not known."""
    titles = {
        ThresholdBy.FALSE_POSITIVE_RATE: "False candidates that are shown",
        ThresholdBy.MISSED_RATE: "Real ones that are missed",
    }
    return [(title, rates_at(points, now.threshold, kind)) for kind, title in titles.items()]


def _week(model: Model, now: InForce, asked: Asked) -> LastWeek | None:
    """Return what the threshold in force, and the one that is tried, would have meant."""
    tried = () if asked.threshold is None or asked.threshold == now.threshold else (asked.threshold,)
    return last_week(model, (now.threshold, *tried))


def _calibrations(user: Visitor, model: Model) -> list[Calibration]:
    rows = Calibration.objects.visible_to(user).filter(model=model).defer("curve", "map_points")
    return list(rows.order_by("-version")[:_MOST_SHOWN])
