"""Calibrations of frames, for clients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from catalog.json_classes import KeyOf, schema_of
from catalog.web.filters import AT, FROM_TO, ONE_OF, ListFilter
from catalog.web.rest.rows import RowSerializer
from catalog.web.rest.views import RowViewSet
from preprocessing.models import CalibrationMaster, PreprocessRun


@dataclass(frozen=True)
class MasterUsed:
    """A master that a frame was calibrated with."""

    id: Annotated[UUID, KeyOf("calibration-masters")]
    kind: str
    age_days: int
    frames: int


@extend_schema_field({"type": "array", "items": schema_of(MasterUsed)})
class MastersField(serializers.JSONField):
    """The masters as they are kept."""


class PreprocessRunSerializer(RowSerializer):
    masters = MastersField(help_text="Masters used, with their age.")

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


class CalibrationMasterSerializer(RowSerializer):
    class Meta:
        model = CalibrationMaster
        fields = "__all__"


class CalibrationMasterFilter(ListFilter):
    class Meta:
        model = CalibrationMaster
        fields = {
            "kind": ONE_OF, "telescope": AT, "camera": AT, "binning": AT, "filter_band": ONE_OF,
            "night": [*AT, *FROM_TO], "created_at": FROM_TO,
        }  # fmt: skip


class CalibrationMasterViewSet(RowViewSet):
    """Calibration frames of one kind combined."""

    resource = "calibration-masters"
    queryset = CalibrationMaster.objects.prefetch_related("members", "light_members")
    serializer_class = CalibrationMasterSerializer
    filterset_class = CalibrationMasterFilter
