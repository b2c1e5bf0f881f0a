"""The forms by which people say what is sent to them, and where."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from django import forms
from django.http import QueryDict
from django.utils import timezone

from catalog.files.mail import can_send_mail
from catalog.web.filters import day_input, start_of
from curation.alerts.criteria import Criteria, criteria_of
from curation.models import AlertPriority, AlertType, Destination, LabelDefinition, Subscription
from curation.push.history import NIGHTS
from curation.push.kafka import has_kafka
from curation.push.keeping import Wish
from detection.models import DetectionType
from detection.sources.filters import PlaceField

_DEFAULT_NIGHTS = 7
# Of a detection that is alerted; an artefact is not.
_TYPES = [choice for choice in DetectionType.choices if choice[0] != DetectionType.ARTIFACT]


def _several(label: str, choices: list[tuple[str, str]]) -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(label=label, choices=choices, required=False, widget=forms.CheckboxSelectMultiple)


def _bound(label: str, low: float, high: float) -> forms.FloatField:
    control = forms.NumberInput(attrs={"step": "any"})
    return forms.FloatField(label=label, required=False, min_value=low, max_value=high, widget=control)


class NightsForm(forms.Form):
    """How far back a filter is held against what was published."""

    nights = forms.TypedChoiceField(
        label="Looked back", coerce=int, choices=[(n, f"{n} night{'s' * (n > 1)}") for n in NIGHTS]
    )

    @classmethod
    def asked(cls, given: Mapping[str, str]) -> int:
        """Return the nights that were asked for; a week where nothing sensible was."""
        form = cls({"nights": given.get("nights", _DEFAULT_NIGHTS)})
        return int(form.cleaned_data["nights"]) if form.is_valid() else _DEFAULT_NIGHTS


class SubscriptionForm(forms.Form):
    """One subscription: its name, where it leads, until when, and which alerts it gets."""

    name = forms.CharField(max_length=100, label="Name")
    destination = forms.ChoiceField(label="Sent by", choices=Destination.choices)
    address = forms.CharField(
        max_length=500,
        required=False,
        label="Address: a URL, an e-mail address, or a topic of Kafka",
        widget=forms.TextInput(),
    )
    until = forms.DateField(required=False, label="Until the end of (UTC; empty: no end)", widget=day_input())
    kinds = _several("Kind", AlertType.choices)
    priorities = _several("Priority", AlertPriority.choices)
    detection_types = _several("Type", _TYPES)
    labels = _several("Label", [])
    place = PlaceField(
        required=False,
        max_length=200,
        label="Place",
        widget=forms.TextInput(attrs={"placeholder": "RA Dec [radius ″], or name"}),
    )
    score_min = _bound("Score from", 0.0, 1.0)
    snr_min = _bound("S/N from (either sign)", 0.0, 1e6)
    mag_max = _bound("Magnitude, at the faintest", -30.0, 40.0)
    includes_automatic = forms.BooleanField(
        required=False, label="Also automatic alerts, which no person has judged, while the site makes any"
    )

    def __init__(
        self, data: QueryDict | None = None, *, row: Subscription | None = None, criteria: Criteria | None = None
    ) -> None:
        self.row = row
        super().__init__(data, initial=_initial(row, criteria or Criteria()), auto_id="subscription_%s")
        labels = self.fields["labels"]
        if isinstance(labels, forms.MultipleChoiceField):
            known = LabelDefinition.objects.filter(is_active=True, is_valid=True)
            labels.choices = list(known.values_list("label", "title"))
        destination = self.fields["destination"]
        lacks = [*([] if can_send_mail() else [Destination.EMAIL]), *([] if has_kafka() else [Destination.KAFKA])]
        if isinstance(destination, forms.ChoiceField):
            destination.choices = [
                (value, f"{title} (not set up on this site)" if value in lacks else title)
                for value, title in Destination.choices
            ]

    @property
    def several(self) -> list[forms.BoundField]:
        """The fields of several choices."""
        return [self[name] for name in ("kinds", "priorities", "detection_types", "labels")]

    @property
    def bounds(self) -> list[forms.BoundField]:
        """The fields that bound a value."""
        return [self[name] for name in ("place", "score_min", "snr_min", "mag_max")]

    def clean_until(self) -> dt.datetime | None:
        """Return the end of the day; one that is over would end the subscription before it began."""
        day = self.cleaned_data["until"]
        if day is None:
            return None
        end = start_of(day + dt.timedelta(days=1))
        if end <= timezone.now():
            raise forms.ValidationError("That day is over: give today or a later one, or leave it empty.")
        return end

    def clean(self) -> dict[str, object]:
        """Require an address, but of who keeps the one that is not shown; an e-mail's must be one."""
        given: dict[str, object] = super().clean() or {}
        address, destination = str(given.get("address") or "").strip(), given.get("destination")
        if not address and self.row is not None and destination == self.row.destination == Destination.SLACK:
            address = self.row.address
        if not address and "address" not in self.errors:
            self.add_error("address", "Give the address to which alerts are sent.")
        elif destination == Destination.EMAIL:
            try:
                forms.EmailField().clean(address)
            except forms.ValidationError as error:
                self.add_error("address", error)
        given["address"] = address
        return given

    @property
    def criteria(self) -> Criteria:
        """Return which alerts are asked for; of a form that is valid in that."""
        given = self.cleaned_data
        ra, dec, radius = given.get("place") or (None, None, None)
        return Criteria(
            kinds=tuple(AlertType(value) for value in given.get("kinds", ())),
            priorities=tuple(AlertPriority(value) for value in given.get("priorities", ())),
            detection_types=tuple(DetectionType(value) for value in given.get("detection_types", ())),
            labels=tuple(given.get("labels", ())),
            ra_deg=ra,
            dec_deg=dec,
            radius_arcsec=radius,
            score_min=given.get("score_min"),
            snr_min=given.get("snr_min"),
            mag_max=given.get("mag_max"),
            includes_automatic=bool(given.get("includes_automatic")),
        )

    @property
    def wish(self) -> Wish:
        """Return what is asked for."""
        given = self.cleaned_data
        where = Destination(given["destination"])
        return Wish(given["name"].strip(), self.criteria, where, given["address"], given["until"])


def _initial(row: Subscription | None, criteria: Criteria) -> dict[str, object]:
    wanted = criteria if row is None else criteria_of(row.criteria)
    place = "" if wanted.ra_deg is None else f"{wanted.ra_deg:.6f} {wanted.dec_deg:+.6f} {wanted.radius_arcsec:g}"
    given: dict[str, object] = {
        "kinds": list(wanted.kinds),
        "priorities": list(wanted.priorities),
        "detection_types": list(wanted.detection_types),
        "labels": list(wanted.labels),
        "place": place,
        "score_min": wanted.score_min,
        "snr_min": wanted.snr_min,
        "mag_max": wanted.mag_max,
        "includes_automatic": bool(wanted.includes_automatic),
    }
    if row is None:
        return given
    until = None if row.until is None else (row.until - dt.timedelta(days=1)).date()
    address = "" if row.destination == Destination.SLACK else row.address
    return given | {"name": row.name, "destination": row.destination, "address": address, "until": until}
