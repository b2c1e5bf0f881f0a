"""Whether a score alone may raise an alert: not before people's answers have shown how many of these are false."""

from __future__ import annotations

from dataclasses import dataclass

from catalog.configuration.values import Snapshot
from curation.numerics.shares import least_count
from detection.models import Calibration, Model, ModelType
from detection.thresholds.curve import LEAST_NIGHTS
from detection.thresholds.in_force import latest_calibration


@dataclass(frozen=True)
class AutomaticAlerts:
    """Whether alerts are automatic.

    model : the one whose scores raise them, None where none does. why : a sentence that says why they do, or do not.
    lacking : objects that would have to be answered about, none of them false, before they do; None where that is not
    what is missing.
    """

    model: Model | None
    why: str
    lacking: int | None = None

    @property
    def is_on(self) -> bool:
        return self.model is not None


def automatic(config: Snapshot) -> AutomaticAlerts:
    """Return whether the scores of the active model raise alerts now, and why."""
    if not config["alerts.automatic"]:
        return AutomaticAlerts(None, "Automatic alerts are switched off in the configuration.")
    model = Model.objects.filter(model_type=ModelType.CLASSIFIER, is_active=True).first()
    if model is None:
        return AutomaticAlerts(None, "No model is in use yet.")
    known = latest_calibration(model, is_whole=False)
    asked = (config["alerts.automatic_threshold"], config["alerts.automatic_min_snr"])
    if known is None or (known.automatic_score, known.automatic_snr) != asked:
        lacking = least_count(0, config["alerts.automatic_most_false"])
        return AutomaticAlerts(
            None,
            f"It is not known yet how many automatic alerts of {model} would be false. At least {lacking} objects that "
            f"it would alert must have been reviewed, in {LEAST_NIGHTS} nights or more.",
            lacking,
        )
    return _by_answers(model, known, config["alerts.automatic_most_false"])


def _by_answers(model: Model, known: Calibration, most: float) -> AutomaticAlerts:
    objects, false = known.automatic_objects, known.automatic_false
    found = f"{false} of {objects} reviewed objects that {model} would have alerted by itself were not real"
    if known.automatic_false_high > most:
        lacking, allowed = max(least_count(false, most) - objects, 1), f"{100 * most:.3g} %"
        if objects and false / objects > most:
            return AutomaticAlerts(None, f"Too many automatic alerts would be false: {found}, more than {allowed}.")
        return AutomaticAlerts(
            None,
            f"It is not certain enough yet that at most {allowed} of automatic alerts would be false: {found}. About "
            f"{lacking} more must be reviewed, none of them false.",
            lacking,
        )
    if known.automatic_nights < LEAST_NIGHTS:
        lacking_nights = LEAST_NIGHTS - known.automatic_nights
        return AutomaticAlerts(
            None,
            f"Few automatic alerts would be false: {found}. But these are of {known.automatic_nights} "
            f"night{'s' if known.automatic_nights != 1 else ''} alone: {lacking_nights} more must be reviewed.",
        )
    high = f"{100 * known.automatic_false_high:.2g} %"
    return AutomaticAlerts(model, f"{found}: with 95 % certainty at most {high} are false.")
