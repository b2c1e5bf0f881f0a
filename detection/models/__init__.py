"""Models and what they made of the candidates: scores, detections, and the sources they belong to."""

from detection.models.detections import (
    CandidateScore,
    Detection,
    DetectionOrigin,
    DetectionQuerySet,
    DetectionStatus,
    DetectionType,
    Model,
    ModelRun,
    ModelType,
    Source,
)
from detection.models.forced import ForcedPhotometry, ForcedReason

__all__ = [
    "CandidateScore", "Detection", "DetectionOrigin", "DetectionQuerySet", "DetectionStatus", "DetectionType",
    "ForcedPhotometry", "ForcedReason", "Model", "ModelRun", "ModelType", "Source",
]  # fmt: skip
