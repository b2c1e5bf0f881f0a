"""What an administrator chooses the threshold by: written into the configuration, and calibrated for at once."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from catalog.configuration.values import set_value, snapshot
from catalog.people import audit
from curation.rates.ordering import order_for
from detection.models import RATES, Model


@dataclass(frozen=True)
class Choice:
    """By what the threshold is chosen, and what is asked for; None where it stays what it is."""

    by: str
    rate: float | None = None
    score: float | None = None


@transaction.atomic
def choose(model: Model, choice: Choice, actor: audit.Actor) -> None:
    """Keep a choice, with a line in the AuditLog for each value, and order the calibration of the model for it."""
    config = snapshot()
    asked = {
        "detection.threshold_by": choice.by,
        "detection.asked_rate": choice.rate if choice.by in RATES else None,
        "detection.confidence_threshold": None if choice.by in RATES else choice.score,
    }
    for key, value in asked.items():
        if value is not None and config[key] != value:
            set_value(key, value, actor)
    order_for(model, actor)
