"""The form by which the threshold is chosen."""

from __future__ import annotations

from django import forms

from catalog.configuration.changes import LONGEST_REASON
from catalog.configuration.keys import DECLARED
from catalog.configuration.values import Snapshot
from detection.models import RATES, ThresholdBy

_RATE, _SCORE = DECLARED["detection.asked_rate"], DECLARED["detection.confidence_threshold"]


class ThresholdForm(forms.Form):
    """By what the threshold is chosen, the rate in per cent, or the score; and why, once it is to be used."""

    by = forms.ChoiceField(
        label="Chosen by",
        choices=[
            (ThresholdBy.SCORE, "a fixed score"),
            (ThresholdBy.FALSE_POSITIVE_RATE, "the share of false candidates that is shown"),
            (ThresholdBy.MISSED_RATE, "the share of real ones that is missed"),
        ],
    )
    rate = forms.FloatField(
        label="Share in per cent",
        required=False,
        min_value=100.0 * float(_RATE.minimum or 0.0),
        max_value=100.0 * float(_RATE.maximum or 1.0),
        widget=forms.NumberInput(attrs={"step": "any"}),
    )
    score = forms.FloatField(
        label="Score", required=False, min_value=0.0, max_value=1.0, widget=forms.NumberInput(attrs={"step": "any"})
    )
    reason = forms.CharField(
        label="Reason", required=False, max_length=LONGEST_REASON, help_text="Needed to use it from now on."
    )

    def clean(self) -> dict[str, object]:
        """Ask for what the choice needs."""
        found: dict[str, object] = super().clean() or {}
        needed = "rate" if found.get("by") in RATES else "score"
        if found.get("by") and found.get(needed) is None and needed not in self.errors:
            self.add_error(needed, f"Give the {'share' if needed == 'rate' else 'score'} that the choice needs.")
        return found

    @property
    def rate_as_share(self) -> float:
        """Return the share that was asked for, 0 to 1."""
        return round(float(self.cleaned_data["rate"]) / 100.0, 8)

    @classmethod
    def of(cls, config: Snapshot) -> ThresholdForm:
        """Return a form that holds what is configured."""
        return cls(
            initial={
                "by": config["detection.threshold_by"],
                "rate": f"{100.0 * config['detection.asked_rate']:g}",
                "score": config["detection.confidence_threshold"],
            }
        )
