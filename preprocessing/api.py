"""Calibrations of frames, for clients."""

from __future__ import annotations

from catalog.web.filters import AT, FROM_TO, ONE_OF, ListFilter
from catalog.web.rest.views import RowSerializer, RowViewSet
from preprocessing.models import PreprocessRun


class PreprocessRunSerializer(RowSerializer):
    class Meta:
        model = PreprocessRun
        fields = "__all__"


class PreprocessRunFilter(ListFilter):
    class Meta:
        model = PreprocessRun
        fields = {"observation": AT, "status": ONE_OF, "failure_code": ONE_OF, "created_at": FROM_TO}


class PreprocessRunViewSet(RowViewSet):
    """Calibration and measurement of single frames."""

    resource = "preprocess-runs"
    queryset = PreprocessRun.objects.all()
    serializer_class = PreprocessRunSerializer
    filterset_class = PreprocessRunFilter
