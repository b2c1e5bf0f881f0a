"""Registered models, their runs, and what they say of candidates, for clients."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import QuerySet

from catalog.web.filters import AT, FROM_TO, ONE_OF, ListFilter
from catalog.web.rest.rows import RowSerializer
from catalog.web.rest.views import RowViewSet
from detection.models import Calibration, CandidateScore, DataSet, Model, ModelRun
from detection.shown import without_frames
from differencing.judges import rules


class DataSetSerializer(RowSerializer):
    class Meta:
        model = DataSet
        fields = "__all__"


class DataSetFilter(ListFilter):
    class Meta:
        model = DataSet
        fields = {"name": AT, "version": AT, "sha256": AT, "is_golden": AT, "made_at": FROM_TO}


class DataSetViewSet(RowViewSet):
    """What models are trained with and measured by: what each data set is made of, and how it is divided."""

    resource = "data-sets"
    queryset = DataSet.objects.all()
    serializer_class = DataSetSerializer
    filterset_class = DataSetFilter

    def cover(self, rows: Sequence[DataSet]) -> None:
        without_frames(rows, self.request.user)


class ModelSerializer(RowSerializer):
    class Meta:
        model = Model
        fields = "__all__"


class ModelFilter(ListFilter):
    class Meta:
        model = Model
        fields = {
            "name": AT, "version": AT, "model_type": ONE_OF, "is_active": AT, "is_shadow": AT, "data_set": AT,
        }  # fmt: skip


class ModelViewSet(RowViewSet):
    """Registered models with their measured performance."""

    resource = "models"
    queryset = Model.objects.all()
    serializer_class = ModelSerializer
    filterset_class = ModelFilter


class CalibrationSerializer(RowSerializer):
    class Meta:
        model = Calibration
        fields = "__all__"


class CalibrationFilter(ListFilter):
    class Meta:
        model = Calibration
        fields = {"model": AT, "version": AT, "created_at": FROM_TO}


class CalibrationViewSet(RowViewSet):
    """What scores of a model were worth, by what people had answered; rows never change."""

    resource = "calibrations"
    queryset = Calibration.objects.all()
    serializer_class = CalibrationSerializer
    filterset_class = CalibrationFilter


class ModelRunSerializer(RowSerializer):
    class Meta:
        model = ModelRun
        exclude = ("hidden_draw",)


class ModelRunFilter(ListFilter):
    class Meta:
        model = ModelRun
        fields = {"model": AT, "observation": AT, "status": ONE_OF, "failure_code": ONE_OF, "created_at": FROM_TO}


class ModelRunViewSet(RowViewSet):
    """Runs of a model over the images of a frame."""

    resource = "model-runs"
    queryset = ModelRun.objects.all()
    serializer_class = ModelRunSerializer
    filterset_class = ModelRunFilter


class CandidateScoreSerializer(RowSerializer):
    class Meta:
        model = CandidateScore
        exclude = ("features",)


class CandidateScoreFilter(ListFilter):
    class Meta:
        model = CandidateScore
        fields = {"candidate": AT, "model": AT, "model_run": AT, "score": FROM_TO, "created_at": FROM_TO}


class CandidateScoreViewSet(RowViewSet):
    """What one model says of one candidate, also below the threshold.

    Whoever may judge is shown none of what waits for their own answer, where hidden or injected ones are mixed in.
    """

    resource = "candidate-scores"
    queryset = CandidateScore.objects.all()
    serializer_class = CandidateScoreSerializer
    filterset_class = CandidateScoreFilter

    def get_queryset(self) -> QuerySet[CandidateScore]:
        """Return what the person may see: of what waits for their answer maybe none."""
        rows: QuerySet[CandidateScore] = super().get_queryset()
        return rows.filter(rules().scored(self.request.user))
