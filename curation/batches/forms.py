"""What is chosen in a list of detections, and what is said of it."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from django import forms

from curation.judgements.batches import MOST_AT_ONCE
from curation.models import LabelDefinition

REAL, BOGUS = "real", "bogus"


class ChosenForm(forms.Form):
    """Which detections: their keys, in one field with spaces between them."""

    detections = forms.CharField(widget=forms.HiddenInput)

    def clean_detections(self) -> list[UUID]:
        """Return the keys, each once."""
        try:
            keys = list(dict.fromkeys(UUID(key) for key in self.cleaned_data["detections"].split()))
        except ValueError as error:
            raise forms.ValidationError("One of these is no detection.") from error
        if len(keys) > MOST_AT_ONCE:
            raise forms.ValidationError(f"At most {MOST_AT_ONCE} detections at once: narrow the selection.")
        return keys


class BatchForm(ChosenForm):
    """What is said of them: real or bogus, or a label, which implies either."""

    group = forms.UUIDField(widget=forms.HiddenInput)
    shown = forms.IntegerField(min_value=0, widget=forms.HiddenInput)
    answer = forms.ChoiceField(widget=forms.RadioSelect)
    notes = forms.CharField(
        required=False, max_length=5000, label="Note", widget=forms.Textarea(attrs={"rows": 2}), strip=False
    )

    def __init__(self, data: Mapping[str, str] | None = None, initial: dict[str, object] | None = None) -> None:
        """Offer the labels in use."""
        super().__init__(data, initial=initial)
        self.labels = {row.label: row for row in LabelDefinition.objects.filter(is_active=True)}
        offered = [(row.label, f"{row.title}: {REAL if row.is_valid else BOGUS}") for row in self.labels.values()]
        answer = self.fields["answer"]
        if isinstance(answer, forms.ChoiceField):
            answer.choices = [(REAL, "Real"), (BOGUS, "Bogus"), *offered]

    @property
    def verdict(self) -> tuple[bool, str]:
        """Return whether it is real, and the label."""
        said = self.cleaned_data["answer"]
        return (said == REAL, "") if said in (REAL, BOGUS) else (self.labels[said].is_valid, said)
