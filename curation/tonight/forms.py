"""What the list of tonight is narrowed by: the telescope, the least altitude, the kind, and the time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from django import forms
from django.utils import timezone

from catalog.models import Visitor
from catalog.web.filters import NOT_FOUND, TimeField
from curation.tonight.plan import USUAL_ALTITUDE_DEG, telescopes_for
from curation.tonight.targets import Kind
from observations.models import Telescope

# The names of what may be asked for, in the order of the page.
NAMES = ("telescope", "altitude_min", "kind", "at")
_EARLIEST, _LATEST = dt.datetime(1960, 1, 1, tzinfo=dt.UTC), dt.datetime(2100, 1, 1, tzinfo=dt.UTC)


class TonightForm(forms.Form):
    """Read by `asked_*`, which have what is usual where nothing was asked for."""

    telescope = forms.UUIDField(required=False, label="Telescope", widget=forms.Select)
    altitude_min = forms.FloatField(
        required=False, min_value=0.0, max_value=89.0, label="Altitude at least",
        widget=forms.NumberInput(attrs={"placeholder": f"{USUAL_ALTITUDE_DEG:.0f}°", "step": "any"}),
    )  # fmt: skip
    kind = forms.ChoiceField(
        required=False, label="Kind", choices=[("", "all"), (Kind.SOURCE, "sources"), (Kind.MOVING, "moving objects")]
    )
    at = TimeField(
        required=False, label="At, UTC", widget=forms.TextInput(attrs={"placeholder": "2024-03-01T21:00", "size": 18})
    )

    def __init__(self, data: Mapping[str, object], user: Visitor) -> None:
        super().__init__(data)
        self.telescopes = telescopes_for(user)
        self.fields["telescope"].widget.choices = [("", "last used")] + [
            (str(row.pk), row.name) for row in self.telescopes
        ]

    def clean_telescope(self) -> object:
        """Refuse a key that is none of a telescope."""
        key = self.cleaned_data["telescope"]
        if key is not None and all(row.pk != key for row in self.telescopes):
            raise forms.ValidationError("There is no such telescope.", NOT_FOUND)
        return key

    def clean_at(self) -> dt.datetime | None:
        """Refuse times for which nobody knows how the Earth turns."""
        at: dt.datetime | None = self.cleaned_data["at"]
        if at is not None and not _EARLIEST <= at < _LATEST:
            raise forms.ValidationError("Give a time between 1960 and 2100.")
        return at

    @property
    def asked_telescope(self) -> Telescope | None:
        """The telescope; None where there is none."""
        key = self.cleaned_data.get("telescope")
        return next((row for row in self.telescopes if key in (None, row.pk)), None)

    @property
    def asked_altitude_deg(self) -> float:
        """The least altitude."""
        given: float | None = self.cleaned_data.get("altitude_min")
        return USUAL_ALTITUDE_DEG if given is None else given

    @property
    def asked_kinds(self) -> tuple[Kind, ...]:
        """The kinds."""
        kind = self.cleaned_data.get("kind")
        return (Kind(kind),) if kind else tuple(Kind)

    @property
    def asked_at(self) -> dt.datetime:
        """The time."""
        return self.cleaned_data.get("at") or timezone.now()
