"""Subtractions and what stood out in them, for clients."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Q, QuerySet

from catalog.web.filters import AT, FROM_TO, ONE_OF, ConeFilter, ListFilter
from catalog.web.rest.paging import NEWEST_FIRST
from catalog.web.rest.rows import RowSerializer
from catalog.web.rest.views import RowViewSet
from differencing.judges import rules
from differencing.models import Candidate, DifferenceRun, Mover, Reference, Tracklet


class DifferenceRunSerializer(RowSerializer):
    class Meta:
        model = DifferenceRun
        fields = "__all__"


class DifferenceRunFilter(ListFilter):
    class Meta:
        model = DifferenceRun
        fields = {
            "observation": AT, "reference_observation": AT, "reference": AT, "status": ONE_OF, "algorithm": AT,
            "failure_code": ONE_OF, "created_at": FROM_TO,
        }  # fmt: skip


class DifferenceRunViewSet(RowViewSet):
    """Subtractions of references from frames."""

    resource = "difference-runs"
    queryset = DifferenceRun.objects.all()
    serializer_class = DifferenceRunSerializer
    filterset_class = DifferenceRunFilter


class CandidateSerializer(RowSerializer):
    class Meta:
        model = Candidate
        exclude = ("healpix", "is_injected")


class CandidateFilter(ListFilter):
    cone = ConeFilter()

    class Meta:
        model = Candidate
        fields = {
            "id": ["in"], "difference_run": AT, "observation": AT, "status": ONE_OF, "significance": FROM_TO,
            "snr": FROM_TO, "trail_length_arcsec": FROM_TO, "is_negative": AT, "is_dipole": AT,
            "is_reference_ghost": AT, "is_saturated": AT, "is_blended": AT, "is_edge": AT, "created_at": FROM_TO,
        }  # fmt: skip

    def filter_queryset(self, queryset: QuerySet[Candidate]) -> QuerySet[Candidate]:
        """Find a candidate by what this person is shown of it."""
        given = self.form.cleaned_data
        found_as = rules().found_as
        for name, asked in self.filters.items():
            covered = found_as(self.request.user, asked, given[name])
            queryset = asked.filter(queryset, given[name]) if covered is None else queryset.filter(covered)
        return queryset


class CandidateViewSet(RowViewSet):
    """Significant peaks in differences, scored high or low."""

    resource = "candidates"
    queryset = Candidate.objects.all()
    serializer_class = CandidateSerializer
    filterset_class = CandidateFilter
    orderings = {**NEWEST_FIRST, "-significance": ("-significance", "id"), "significance": ("significance", "-id")}

    def get_queryset(self) -> QuerySet[Candidate]:
        """Return what lists hold; by its key, also what the person was given to review."""
        rows: QuerySet[Candidate] = super().get_queryset()
        if self.action != "retrieve":
            return rows
        user = self.request.user
        by_key: QuerySet[Candidate] = Candidate.with_injected.visible_to(user)
        return by_key.filter(Q(is_injected=False) | Q(pk__in=rules().given(user)))

    def cover(self, rows: Sequence[Candidate]) -> None:
        rules().cover(rows, self.request.user)


class ReferenceSerializer(RowSerializer):
    class Meta:
        model = Reference
        fields = "__all__"


class ReferenceFilter(ListFilter):
    class Meta:
        model = Reference
        fields = {
            "field": AT, "filter_band": ONE_OF, "is_active": AT, "origin": ONE_OF, "deeper_by_mag": FROM_TO,
            "created_at": FROM_TO,
        }  # fmt: skip


class ReferenceViewSet(RowViewSet):
    """Frames or stacks that others are compared with."""

    resource = "references"
    queryset = Reference.objects.prefetch_related("members")
    serializer_class = ReferenceSerializer
    filterset_class = ReferenceFilter


class TrackletSerializer(RowSerializer):
    class Meta:
        model = Tracklet
        fields = "__all__"


class TrackletFilter(ListFilter):
    class Meta:
        model = Tracklet
        fields = {
            "field": AT,
            "night": [*AT, *FROM_TO],
            "rate_arcsec_per_min": FROM_TO,
            "kind": ONE_OF,
            "chance_rate": FROM_TO,
            "is_doubtful": AT,
            "mover": AT,
            "created_at": FROM_TO,
        }


class TrackletViewSet(RowViewSet):
    """Candidates of one night on one line at one rate: something that moves."""

    resource = "tracklets"
    queryset = Tracklet.objects.prefetch_related("members")
    serializer_class = TrackletSerializer
    filterset_class = TrackletFilter


class MoverSerializer(RowSerializer):
    class Meta:
        model = Mover
        fields = "__all__"


class MoverFilter(ListFilter):
    class Meta:
        model = Mover
        fields = {"chance_rate": FROM_TO, "created_at": FROM_TO}


class MoverViewSet(RowViewSet):
    """Things that moved in several nights: one orbit explains their tracklets, which name them."""

    resource = "movers"
    queryset = Mover.objects.all()
    serializer_class = MoverSerializer
    filterset_class = MoverFilter
