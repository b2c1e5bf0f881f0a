"""Frames as delivered, what is in doubt about them, what is known of their instruments, and files on their way in."""

from observations.models.archives import (
    Archive,
    ArchiveHost,
    ArchiveKind,
    ArchiveProduct,
    ArchiveRun,
    ProductState,
    RunPurpose,
)
from observations.models.doubts import Doubt, DoubtOrigin, DoubtQuerySet, is_held
from observations.models.frames import (
    CalibrationFrame,
    CalibrationKind,
    CameraSetting,
    DetectorKind,
    Field,
    NoFrame,
    Observation,
    ObservationQuerySet,
    ObservationStatus,
    SaturationUnit,
    Telescope,
    WcsQuality,
    shown_by,
)
from observations.models.incoming import IncomingFile, IncomingRoute
from observations.models.profiles import InstrumentProfile
from observations.models.surveys import IS_TEAM, LOCAL_SURVEY, Survey

__all__ = [
    "IS_TEAM", "LOCAL_SURVEY",
    "Archive", "ArchiveHost", "ArchiveKind", "ArchiveProduct", "ArchiveRun", "CalibrationFrame", "CalibrationKind",
    "CameraSetting", "DetectorKind", "Doubt", "DoubtOrigin", "DoubtQuerySet", "Field", "IncomingFile", "IncomingRoute",
    "InstrumentProfile", "NoFrame", "Observation", "ObservationQuerySet", "ObservationStatus", "ProductState",
    "RunPurpose", "SaturationUnit", "Survey", "Telescope", "WcsQuality", "is_held", "shown_by",
]  # fmt: skip
