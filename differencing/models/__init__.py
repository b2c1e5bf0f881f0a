"""References, subtractions, and what stood out in them."""

from differencing.models.differences import (
    IMPORTED,
    Candidate,
    CandidateQuerySet,
    CandidateStatus,
    DifferenceRun,
    DifferenceRunQuerySet,
    Mover,
    Tracklet,
    TrackletKind,
    TrackletQuerySet,
)
from differencing.models.references import Reference, ReferenceOrigin

__all__ = [
    "IMPORTED", "Candidate", "CandidateQuerySet", "CandidateStatus", "DifferenceRun", "DifferenceRunQuerySet", "Mover",
    "Reference", "ReferenceOrigin", "Tracklet", "TrackletKind", "TrackletQuerySet",
]  # fmt: skip
