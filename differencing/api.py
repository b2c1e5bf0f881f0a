"""Subtractions and what stood out in them, for clients."""

from __future__ import annotations

from catalog.web.filters import AT, FROM_TO, ONE_OF, ConeFilter, ListFilter
from catalog.web.rest.paging import NEWEST_FIRST
from catalog.web.rest.views import RowSerializer, RowViewSet
from differencing.models import Candidate, DifferenceRun


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
        exclude = ("healpix",)


class CandidateFilter(ListFilter):
    cone = ConeFilter()

    class Meta:
        model = Candidate
        fields = {
            "id": ["in"], "difference_run": AT, "observation": AT, "status": ONE_OF, "significance": FROM_TO,
            "snr": FROM_TO, "is_negative": AT, "is_dipole": AT, "is_reference_ghost": AT, "is_saturated": AT,
            "is_blended": AT, "is_edge": AT, "created_at": FROM_TO,
        }  # fmt: skip


class CandidateViewSet(RowViewSet):
    """Significant peaks in differences, scored high or low."""

    resource = "candidates"
    queryset = Candidate.objects.all()
    serializer_class = CandidateSerializer
    filterset_class = CandidateFilter
    orderings = {**NEWEST_FIRST, "-significance": ("-significance", "id"), "significance": ("significance", "-id")}
