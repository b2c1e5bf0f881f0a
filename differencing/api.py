"""Subtractions and what stood out in them, for clients."""

from __future__ import annotations

from catalog.web.filters import AT, FROM_TO, ONE_OF, ConeFilter, ListFilter
from catalog.web.rest.paging import NEWEST_FIRST
from catalog.web.rest.views import RowSerializer, RowViewSet
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


class CandidateViewSet(RowViewSet):
    """Significant peaks in differences, scored high or low."""

    resource = "candidates"
    queryset = Candidate.objects.all()
    serializer_class = CandidateSerializer
    filterset_class = CandidateFilter
    orderings = {**NEWEST_FIRST, "-significance": ("-significance", "id"), "significance": ("significance", "-id")}


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
