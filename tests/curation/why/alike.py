"""Detections that a model with features has scored."""

from __future__ import annotations

from typing import Any

import numpy as np

from detection.models import Detection, Model
from tests.curation.cutouts import detection_with_cutouts
from tests.curation.looks import judge
from tests.factories import CandidateScoreFactory, ModelRunFactory, SourceFactory


def scored(model: Model, place: float, *, seed: int = 1, **given: Any) -> Detection:
    """Return a detection of a source of its own, whose features are all 0 but the first."""
    features = np.zeros(48, dtype="<f2")
    features[0] = place
    row = detection_with_cutouts(seed, model_run=ModelRunFactory(model=model), source=SourceFactory(), **given)
    CandidateScoreFactory(
        candidate=row.candidate, model_run=row.model_run, score=row.confidence_score, features=features.tobytes(),
        p_supernova=0.7, p_variable=0.2, p_transient=0.1, anomaly=0.25,
    )  # fmt: skip
    return row


def answered(model: Model, place: float, is_valid: bool, **said: Any) -> Detection:
    """Return such a detection that somebody has answered."""
    row = scored(model, place)
    judge(row, is_valid, **said)
    return row
