"""What narrows detections: their list, their answers to clients, and the queue of triage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar
from urllib.parse import urlencode

import django_filters
from django import forms
from django.db.models import QuerySet

from catalog.web.filters import AT, FROM_TO, ONE_OF, day_input, number
from curation.judgements import unmarked, visibility
from detection.models import Detection, DetectionOrigin, DetectionStatus, DetectionType
from detection.sources.filters import SkyFilter
from observations.frames.filters import FieldNameFilter
from observations.models import Survey


def _score(lookup: str, label: str) -> django_filters.NumberFilter:
    control = forms.NumberInput(attrs={"step": "any"})
    return django_filters.NumberFilter(
        "confidence_score", lookup, label=label, min_value=0, max_value=1, widget=control
    )


def _night(lookup: str, label: str) -> django_filters.DateFilter:
    return django_filters.DateFilter("observation__night", lookup, label=label, widget=day_input())


def _as_stored(label: str) -> str:
    return label.strip().lower().replace(" ", "_")


class DetectionFilter(SkyFilter):
    """Which detections to show.

    Whoever judges blind finds a detection by what they are shown of it, not by what others made of it.
    """

    controls: ClassVar[tuple[str, ...]] = (
        "place", "status", "score_min", "score_max", "detection_type", "label", "without_label", "night_from",
        "night_to", "field", "origin", "survey",
    )  # fmt: skip

    status = django_filters.ChoiceFilter(
        choices=[(value.value, value.value) for value in DetectionStatus], label="State", empty_label="Any"
    )
    score_min, score_max = _score("gte", "Score from"), _score("lte", "Score to")
    detection_type = django_filters.ChoiceFilter(choices=DetectionType, label="Type", empty_label="Any")
    label = django_filters.CharFilter(
        method="labelled", label="Label", max_length=64, widget=forms.TextInput(attrs={"placeholder": "asteroid"})
    )
    without_label = django_filters.CharFilter(
        method="not_labelled",
        label="Without label",
        max_length=64,
        widget=forms.TextInput(attrs={"placeholder": "ghost"}),
    )
    night = _night("exact", "Night (date of its evening)")
    night_from, night_to = _night("gte", "Night from"), _night("lte", "Night to")
    field = FieldNameFilter("observation__field")
    band = django_filters.CharFilter("observation__filter_band", label="Band", max_length=32)
    # Its own time, the middle of the exposure, and how bright it is against the reference, signed.
    mjd_utc__gte, mjd_utc__lte = number("observation__mjd_utc", "gte"), number("observation__mjd_utc", "lte")
    snr__gte, snr__lte = number("candidate__snr", "gte"), number("candidate__snr", "lte")
    flux__gte, flux__lte = number("candidate__flux", "gte"), number("candidate__flux", "lte")
    origin = django_filters.ChoiceFilter(choices=DetectionOrigin, label="Origin", empty_label="Any")
    survey = django_filters.CharFilter(
        method="of_survey", label="Survey", max_length=100, widget=forms.TextInput(attrs={"placeholder": "ZTF"})
    )

    class Meta:
        model = Detection
        fields = {
            "id": ["in"], "observation": AT, "source": AT, "candidate": AT, "model_run": AT, "origin": AT,
            "status": ONE_OF, "detection_type": ONE_OF, "confidence_score": FROM_TO, "is_validated": AT,
            "human_label": ONE_OF, "created_at": FROM_TO, "updated_at": FROM_TO,
        }  # fmt: skip

    def filter_queryset(self, queryset: QuerySet[Detection]) -> QuerySet[Detection]:
        """Ask what people made of a detection by the rule of who sees what."""
        given = self.form.cleaned_data
        for name, asked in self.filters.items():
            if asked.field_name in unmarked.COVERED and not asked.method:
                queryset = queryset.filter(unmarked.shown_as(self.request.user, asked, given[name]))
            elif asked.field_name not in visibility.DERIVED or asked.method:
                queryset = asked.filter(queryset, given[name])
            elif given[name] not in (None, "", []):
                queryset = self._as_shown(queryset, asked.field_name, asked.lookup_expr, given[name])
        return queryset

    def of_survey(self, rows: QuerySet[Detection], _name: str, name: str) -> QuerySet[Detection]:
        """Keep what a survey delivered or told of, by its name; frames of one's own are of "local"."""
        return rows.filter(observation__survey__in=list(Survey.objects.filter(name__iexact=name)))

    def labelled(self, rows: QuerySet[Detection], _name: str, label: str) -> QuerySet[Detection]:
        """Keep what people gave this label, written as on its button or as clients write it."""
        return self._as_shown(rows, "human_label", "exact", _as_stored(label))

    def not_labelled(self, rows: QuerySet[Detection], _name: str, label: str) -> QuerySet[Detection]:
        """Leave out what people gave this label."""
        return rows.exclude(visibility.shown_as(self.request.user, "human_label", "exact", _as_stored(label)))

    def _as_shown(self, rows: QuerySet[Detection], field: str, lookup: str, value: object) -> QuerySet[Detection]:
        return rows.filter(visibility.shown_as(self.request.user, field, lookup, value))


class DetectionListFilter(DetectionFilter):
    """Which detections the list shows, and in which order."""

    _NEWEST, _BEST = ("-created_at", "-id"), ("-queue_score", "id")
    _NEWEST_FRAMES = ("-observation__observation_time", "-observation_id", "-id")
    _OF_FRAMES = ("night", "night_from", "night_to", "field")
    _NOT_REVIEWED = (DetectionStatus.VALIDATING, DetectionStatus.ARCHIVED)
    controls = ("order", *DetectionFilter.controls)

    order = django_filters.ChoiceFilter(
        choices=[("newest", "Newest first"), ("score", "Best score first")],
        method="as_ordered", label="Order", empty_label=None,
    )  # fmt: skip

    @classmethod
    def ordering(cls, query: Mapping[str, str]) -> tuple[str, ...]:
        """Return the order that a query asks for.

        Where it narrows by frames, "newest" is that of the frames: then the list begins at the right ones, however long
        ago they were taken, and need not pass over all that was found since.
        """
        if query.get("order") == "score":
            return cls._BEST
        return cls._NEWEST_FRAMES if any(query.get(name) for name in cls._OF_FRAMES) else cls._NEWEST

    @classmethod
    def triage_query(cls, query: Mapping[str, str]) -> str | None:
        """Return what narrows the queue of triage to the same detections; None for a state that has no queue."""
        names = DetectionFilter.base_filters
        given = {name: value for name, value in query.items() if value and name in names}
        return None if given.get("status") in cls._NOT_REVIEWED else urlencode(given)

    def as_ordered(self, rows: QuerySet[Detection], _name: str, _value: str) -> QuerySet[Detection]:
        """Keep all: the view orders."""
        return rows
