"""The stored cutouts of candidates as pictures for pages."""

from __future__ import annotations

import io
from uuid import UUID

import numpy as np
from PIL import Image

from catalog import storage
from detection.numerics.display import side_by_side


def path_of(observation_id: UUID, candidate_id: UUID) -> str:
    """Return where the detection stage keeps the cutouts of a candidate, scored high or low."""
    return f"cutouts/{observation_id}/{candidate_id}.npy"


# Pixels on a side and dots per pixel: all of it on a page of its own, the middle in a list.
_WHOLE, _SMALL = {"size": 63, "scale": 3}, {"size": 41, "scale": 2}


def picture(path: str, *, is_small: bool) -> bytes | None:
    """Return science, reference and difference beside each other as a PNG; None where the file is gone or no cutout."""
    try:
        cutouts = np.load(storage.open_stored(path), allow_pickle=False)
    except (FileNotFoundError, ValueError, storage.OutsideStorage, storage.StorageUnreachable):
        return None
    if cutouts.ndim != 3 or cutouts.shape[0] != 4:
        return None
    buffer = io.BytesIO()
    Image.fromarray(side_by_side(cutouts, **(_SMALL if is_small else _WHOLE))).save(buffer, format="png")
    return buffer.getvalue()
