"""What an administrator chooses the threshold by: written into the configuration, and calibrated for at once."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from catalog.configuration.changes import change
from catalog.people import audit
from curation.rates.ordering import order_for
from detection.models import RATES, Model


@dataclass(frozen=True)
class Choice:
    """By what the threshold is chosen, what is asked for, None where it stays what it is, and why."""

    by: str
    rate: float | None = None
    score: float | None = None
    reason: str = ""


@transaction.atomic
def choose(model: Model, choice: Choice, actor: audit.Actor) -> None:
    """Keep a choice as one change of the configuration, and order the calibration of the model for it.

    Raises ChangeRefused, also where nobody says why.
    """
    asked = {
        "detection.threshold_by": choice.by,
        "detection.asked_rate": choice.rate if choice.by in RATES else None,
        "detection.confidence_threshold": None if choice.by in RATES else choice.score,
    }
    change({key: value for key, value in asked.items() if value is not None}, choice.reason, actor)
    order_for(model, actor)
