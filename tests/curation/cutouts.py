"""Detections with cutouts in the data root of a test."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.files import storage
from detection.cutouts.pictures import path_of
from detection.models import Detection
from tests.factories import DetectionFactory

SIZE = 63


def cutouts(seed: int = 1) -> NDArray[np.float32]:
    """Return science, reference, difference and mask of a new source on a noisy sky, with what is hard to draw."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:SIZE, :SIZE]
    star = 400.0 * np.exp(-((x - 31.0) ** 2 + (y - 31.0) ** 2) / 8.0) + 900.0 * np.exp(
        -((x - 12) ** 2 + (y - 45) ** 2) / 8.0
    )
    old = 900.0 * np.exp(-((x - 12) ** 2 + (y - 45) ** 2) / 8.0)
    science = 1000.0 + star + random.normal(0.0, 12.0, (SIZE, SIZE))
    reference = 1000.0 + old + random.normal(0.0, 5.0, (SIZE, SIZE))
    stamps = np.stack([science, reference, science - reference, np.zeros((SIZE, SIZE))]).astype(np.float32)
    stamps[:3, :4, :9] = np.nan
    stamps[3, :4, :9] = stamps[3, 50:53, 40:60] = 1.0
    return stamps


def store(detection: Detection, stamps: NDArray[np.float32]) -> None:
    """Keep cutouts where the detection stage would."""
    buffer = io.BytesIO()
    np.save(buffer, stamps)
    path = path_of(detection.observation_id, detection.candidate_id)
    detection.cutouts_path = storage.write_atomically(path, buffer.getvalue())
    detection.save()


def detection_with_cutouts(seed: int = 1, **given: Any) -> Detection:
    """Return a detection with its file of cutouts."""
    detection: Detection = DetectionFactory(**given)
    store(detection, cutouts(seed))
    return detection
