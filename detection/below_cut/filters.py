"""What narrows the list of rejected candidates, each with its score."""

from __future__ import annotations

import django_filters
from django import forms
from django.db.models import Q, QuerySet

from catalog.web.filters import ListFilter, day_input
from detection.models import CandidateScore
from detection.sources.filters import PlaceField
from differencing.models import Candidate
from observations.frames.filters import FieldNameFilter
from observations.sky import Cone

_NUMBER = forms.NumberInput(attrs={"step": "any"})
_NOTHING_ELSE = Q(candidate__vetoes=[], candidate__is_reference_ghost=False, candidate__is_dipole=False)


class _PlaceOfCandidate(django_filters.Filter):
    field_class = PlaceField

    def filter(self, rows: QuerySet[CandidateScore], place: Cone | None) -> QuerySet[CandidateScore]:
        """Keep the scores of candidates within the radius of the place."""
        return rows if place is None else rows.filter(candidate__in=Candidate.objects.within([place]))


class BelowCutFilter(ListFilter):
    """Which rejected candidates to show."""

    controls = ("place", "reason", "score_min", "score_max", "snr_min", "field", "night_from", "night_to")

    place = _PlaceOfCandidate(
        label="Place", max_length=200, widget=forms.TextInput(attrs={"placeholder": "RA Dec [radius ″], or name"})
    )
    reason = django_filters.ChoiceFilter(
        choices=[("score", "its score alone"), ("veto", "a veto or a flag")],
        method="rejected_by",
        label="Rejected by",
        empty_label="Either",
    )
    score_min = django_filters.NumberFilter(
        "score", "gte", label="Score from", min_value=0, max_value=1, widget=_NUMBER
    )
    score_max = django_filters.NumberFilter("score", "lte", label="Score to", min_value=0, max_value=1, widget=_NUMBER)
    snr_min = django_filters.NumberFilter("candidate__snr", "gte", label="S/N from", widget=_NUMBER)
    field = FieldNameFilter("candidate__observation__field")
    night_from = django_filters.DateFilter(
        "candidate__observation__night", "gte", label="Night from", widget=day_input()
    )
    night_to = django_filters.DateFilter("candidate__observation__night", "lte", label="Night to", widget=day_input())

    class Meta:
        model = CandidateScore
        fields: dict[str, list[str]] = {}

    def rejected_by(self, rows: QuerySet[CandidateScore], _name: str, reason: str) -> QuerySet[CandidateScore]:
        """Keep those that nothing but the score speaks against, or the others."""
        return rows.filter(_NOTHING_ELSE if reason == "score" else ~_NOTHING_ELSE)
