"""Models and what they made of the candidates: scores, detections, and the sources they belong to."""

from detection.models.calibrations import RATES, Calibration, ThresholdBy
from detection.models.context import WHOLE_SKY_DEG, ContextArea, ContextKind, ContextSource
from detection.models.datasets import DataSet, DataSetQuerySet
from detection.models.detections import (
    AGAINST_THE_MODEL,
    CandidateScore,
    Detection,
    DetectionOrigin,
    DetectionQuerySet,
    DetectionStatus,
    DetectionType,
    Source,
    Urgency,
)
from detection.models.forced import ForcedPhotometry, ForcedReason, nanojanskys
from detection.models.known import KnownObject, KnownObjectSearch, Orbit, OrbitSet, SearchOutcome
from detection.models.registry import Model, ModelRun, ModelType

__all__ = [
    "AGAINST_THE_MODEL", "RATES", "WHOLE_SKY_DEG", "Calibration", "CandidateScore", "ContextArea", "ContextKind",
    "ContextSource", "DataSet", "DataSetQuerySet", "Detection", "DetectionOrigin", "DetectionQuerySet",
    "DetectionStatus", "DetectionType", "ForcedPhotometry", "ForcedReason", "KnownObject", "KnownObjectSearch", "Model",
    "ModelRun", "ModelType", "Orbit", "OrbitSet", "SearchOutcome", "Source", "ThresholdBy", "Urgency",
    "nanojanskys",
]  # fmt: skip
