"""Models, what they made of candidates, and the objects behind it, for clients."""

from __future__ import annotations

from catalog.web.rest.filters import AT, FROM_TO, ONE_OF, ConeFilter, ListFilter
from catalog.web.rest.paging import NEWEST_FIRST
from catalog.web.rest.views import Rows, RowSerializer
from detection.models import Detection, Model, ModelRun, Source


class ModelSerializer(RowSerializer):
    class Meta:
        model = Model
        fields = "__all__"


class ModelFilter(ListFilter):
    class Meta:
        model = Model
        fields = {"name": AT, "version": AT, "model_type": ONE_OF, "is_active": AT}


class Models(Rows):
    """Registered models with their measured performance."""

    resource = "models"
    queryset = Model.objects.all()
    serializer_class = ModelSerializer
    filterset_class = ModelFilter


class ModelRunSerializer(RowSerializer):
    class Meta:
        model = ModelRun
        fields = "__all__"


class ModelRunFilter(ListFilter):
    class Meta:
        model = ModelRun
        fields = {"model": AT, "observation": AT, "status": ONE_OF, "failure_code": ONE_OF, "created_at": FROM_TO}


class ModelRuns(Rows):
    """Runs of a model over the images of a frame."""

    resource = "model-runs"
    queryset = ModelRun.objects.all()
    serializer_class = ModelRunSerializer
    filterset_class = ModelRunFilter


class DetectionSerializer(RowSerializer):
    class Meta:
        model = Detection
        exclude = ("healpix",)


class DetectionFilter(ListFilter):
    cone = ConeFilter()

    class Meta:
        model = Detection
        fields = {
            "id": ["in"], "observation": AT, "source": AT, "candidate": AT, "model_run": AT, "origin": AT,
            "status": ONE_OF, "detection_type": ONE_OF, "confidence_score": FROM_TO, "is_validated": AT,
            "human_label": ONE_OF, "created_at": FROM_TO,
        }  # fmt: skip


class Detections(Rows):
    """What a model took for real, with what people say of it."""

    resource = "detections"
    queryset = Detection.objects.all()
    serializer_class = DetectionSerializer
    filterset_class = DetectionFilter
    orderings = {
        "-created_at": ("-created_at", "-id"),
        "created_at": ("created_at", "id"),
        "-confidence_score": ("-confidence_score", "id"),
        "confidence_score": ("confidence_score", "-id"),
        **NEWEST_FIRST,
    }


class SourceSerializer(RowSerializer):
    class Meta:
        model = Source
        exclude = ("healpix",)


class SourceFilter(ListFilter):
    cone = ConeFilter()

    class Meta:
        model = Source
        fields = {
            "id": ["in"], "name": AT, "wcs_quality": ONE_OF, "detection_count": ["gte", "lte"],
            "first_detected_at": FROM_TO, "last_detected_at": FROM_TO, "created_at": FROM_TO,
        }  # fmt: skip


class Sources(Rows):
    """Astronomical objects, each with the mean position of its detections."""

    resource = "sources"
    queryset = Source.objects.all()
    serializer_class = SourceSerializer
    filterset_class = SourceFilter
    orderings = {
        "-last_detected_at": ("-last_detected_at", "id"),
        "last_detected_at": ("last_detected_at", "-id"),
        **NEWEST_FIRST,
    }
