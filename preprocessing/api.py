"""Calibrations of frames, for clients."""

from __future__ import annotations

from catalog.web.rest.filters import AT, FROM_TO, ONE_OF, ListFilter
from catalog.web.rest.views import Rows, RowSerializer
from preprocessing.models import PreprocessRun


class PreprocessRunSerializer(RowSerializer):
    class Meta:
        model = PreprocessRun
        fields = "__all__"


class PreprocessRunFilter(ListFilter):
    class Meta:
        model = PreprocessRun
        fields = {"observation": AT, "status": ONE_OF, "failure_code": ONE_OF, "created_at": FROM_TO}


class PreprocessRuns(Rows):
    """Calibration and measurement of single frames."""

    resource = "preprocess-runs"
    queryset = PreprocessRun.objects.all()
    serializer_class = PreprocessRunSerializer
    filterset_class = PreprocessRunFilter
