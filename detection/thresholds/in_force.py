"""The score from which a model's candidates are shown: set, or given by the rate that was asked for."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

from catalog.configuration.values import Snapshot, snapshot
from detection.models import Calibration, Model, ModelRun, ThresholdBy
from detection.thresholds.curve import usable_for

# The keys that decide.
READS = ("detection.asked_rate", "detection.confidence_threshold", "detection.threshold_by")
# As training names them on a card: `threshold_fpr_0_01`.
_ON_CARD = "threshold_fpr_"


@dataclass(frozen=True)
class InForce:
    """A threshold, and where it comes from.

    calibration : the one that gave it; None where it was set, or is the card's. why : a sentence where it is not what
    was asked for, "" where it is.
    """

    threshold: float
    calibration: Calibration | None = None
    why: str = ""


def in_force(model: Model, config: Snapshot) -> InForce:
    """Return the threshold by which a model's scores are judged now.

    A rate that was asked for is kept by the latest calibration of the model. Until answers are enough, the threshold is
    the one that the model's card gives for that rate, else the score that is set.
    """
    kind, rate = config["detection.threshold_by"], config["detection.asked_rate"]
    if kind == ThresholdBy.SCORE:
        return InForce(config["detection.confidence_threshold"])
    latest = latest_calibration(model)
    found = usable_for(latest, kind, rate) if latest is not None else None
    if found is not None:
        return InForce(found.threshold, latest)
    of_card = card_threshold(model, rate) if kind == ThresholdBy.FALSE_POSITIVE_RATE else None
    if of_card is not None:
        return InForce(
            of_card,
            why="Too few answers yet to know it on the site’s own nights: the threshold is the one that the model’s "
            "card gives for this rate, measured on its own examples.",
        )
    return InForce(
        config["detection.confidence_threshold"],
        why="Too few answers yet to know it on the site’s own nights, and the model’s card gives no threshold for this "
        "rate: the score that is set holds.",
    )


def of_run(run: ModelRun) -> float:
    """Return the score from which a run made detections; of one from before that was kept, the score that is set."""
    if run.threshold is not None:
        return float(run.threshold)
    return float(snapshot()["detection.confidence_threshold"])


def latest_calibration(model: Model, *, is_whole: bool = True) -> Calibration | None:
    """Return the latest calibration of a model with the weights that it has; its large curve can be left out."""
    rows = Calibration.objects.filter(model=model, weights_sha256=model.weights_sha256).order_by("-version")
    return (rows if is_whole else rows.defer("curve", "map_points")).first()


def card_threshold(model: Model, rate: float) -> float | None:
    """Return the threshold that a model's card gives for a false-positive rate, between those it has; None outside."""
    metrics = model.training_metrics if isinstance(model.training_metrics, dict) else {}
    known = sorted(
        (float(name.removeprefix(_ON_CARD).replace("_", ".", 1)), float(value))
        for name, value in metrics.items()
        if name.startswith(_ON_CARD) and isinstance(value, int | float) and 0.0 <= value <= 1.0
    )
    for (low, first), (high, last) in itertools.pairwise(known):
        if low <= rate <= high:
            part = math.log(rate / low) / math.log(high / low)
            return first + part * (last - first)
    return next((value for at, value in known if math.isclose(at, rate)), None)
