"""Calibrate a model anew by what people have answered about what it has scored."""

from __future__ import annotations

import hashlib
import json
import math
from uuid import UUID

import numpy as np

from catalog.configuration.values import Snapshot, snapshot
from catalog.people import audit
from catalog.work import jobs
from curation.numerics.shares import highest_share
from curation.rates import answers
from curation.rates.answers import Gathered, gather
from detection.models import RATES, Calibration, Model
from detection.numerics.rates import KINDS, Rates, grid_for, rates_at, withheld_rate
from detection.numerics.recalibration import NODES, fit_map
from detection.thresholds.in_force import latest_calibration

READS = (*answers.READS, "detection.asked_rate", "detection.threshold_by")


def run(model_id: UUID | str) -> None:
    """Add a calibration of a model; where neither answers nor what is asked for have changed, there is nothing to add.

    Earlier ones stay as they are: runs of the model point to those that they went by.
    """
    model = Model.objects.get(pk=model_id)
    config = snapshot().only(READS)
    gathered = gather(model, config)
    latest = latest_calibration(model)
    has_answers = bool(gathered.answered.scores.size or gathered.automatic.objects)
    if not has_answers or (latest is not None and latest.answers_sha256 == _digest(gathered, config)):
        return
    row = _calibration(model, gathered, config)
    with jobs.writing(last=True):
        Model.objects.select_for_update().get(pk=model.pk)
        last = Calibration.objects.filter(model=model).order_by("-version").values_list("version", flat=True).first()
        row.version = (last or 0) + 1
        row.save(force_insert=True)
        summary = f"{row}: {row.real_count} real, {row.bogus_count} not real, {row.night_count} nights"
        audit.record(row, "calibrate", new={"answers_sha256": row.answers_sha256}, summary=summary)


def _calibration(model: Model, gathered: Gathered, config: Snapshot) -> Calibration:
    """Return what answers come to as a row without its number: no database from here."""
    answered, automatic = gathered.answered, gathered.automatic
    kind, rate = config["detection.threshold_by"], config["detection.asked_rate"]
    found = fit_map(answered)
    row = Calibration(
        model=model,
        weights_sha256=model.weights_sha256,
        real_count=int(answered.is_real.sum()),
        bogus_count=int((~answered.is_real).sum()),
        drawn_count=gathered.drawn,
        stands_for=float(answered.weights.sum()),
        night_count=len(gathered.nights),
        first_night=gathered.nights[0] if gathered.nights else None,
        last_night=gathered.nights[-1] if gathered.nights else None,
        answers_sha256=_digest(gathered, config),
        map_name=found.name,
        map_points=[[float(score), float(value)] for score, value in zip(NODES, found.values, strict=True)],
        calibration_error=_known(found.error),
        calibration_error_raw=_known(found.error_raw),
        curve=_curve(gathered),
        asked_by=kind,
        asked_rate=rate if kind in RATES else None,
        automatic_score=automatic.score,
        automatic_snr=automatic.snr,
        automatic_objects=automatic.objects,
        automatic_false=automatic.false,
        automatic_nights=automatic.nights,
        automatic_false_high=highest_share(automatic.objects, automatic.false),
    )
    if kind in RATES:
        withheld = withheld_rate(answered, kind, rate)
        row.withheld_rate, row.withheld_rate_low, row.withheld_rate_high = (
            _known(float(one[0])) for one in (withheld.value, withheld.low, withheld.high)
        )
    return row


def _digest(gathered: Gathered, config: Snapshot) -> str:
    """Return the digest of the answers and of what is asked for."""
    kind, rate = config["detection.threshold_by"], config["detection.asked_rate"]
    text = json.dumps([gathered.digest, kind, rate if kind in RATES else None])
    return hashlib.sha256(text.encode()).hexdigest()


def _curve(gathered: Gathered) -> list[dict[str, object]]:
    """Return both rates by threshold, as they are stored; nothing where nothing is answered."""
    if not gathered.answered.scores.size:
        return []
    thresholds = grid_for(gathered.answered)
    both = {kind: rates_at(gathered.answered, thresholds, kind) for kind in KINDS}
    return [
        {"threshold": float(at), **{kind: _stored(rates, k) for kind, rates in both.items()}}
        for k, at in enumerate(thresholds)
    ]


def _stored(rates: Rates, k: int) -> list[float] | None:
    values = [float(one[k]) for one in (rates.value, rates.low, rates.high)]
    return values if np.isfinite(values).all() else None


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
