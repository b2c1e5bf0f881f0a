"""From probabilities to what is called an artefact: pieces that hang together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Flags = NDArray[np.bool_]
Map = NDArray[np.float32]

# What belongs to a piece, where some of it is certain: so is a fainter part called, and noise is not.
CERTAIN, POSSIBLE = 0.8, 0.5
SMALLEST_PX = 6.0  # of the map
ALL_NEIGHBOURS = np.ones((3, 3), dtype=bool)


def call_artefacts(chance: Map, columns: Flags) -> tuple[Flags, int]:
    """Return where artefacts are called, and how many pieces they have; bad columns (ny, nx) are called as well."""
    labels, count = ndimage.label((chance > POSSIBLE) | columns, ALL_NEIGHBOURS)
    if not count:
        return columns.copy(), 0
    numbers = np.arange(1, count + 1)
    is_certain = ndimage.maximum(np.where(columns, 1, chance), labels, numbers) > CERTAIN
    sides = [np.hypot(*(side.stop - side.start for side in box)) for box in ndimage.find_objects(labels)]
    kept = numbers[is_certain & (np.array(sides) >= SMALLEST_PX)]
    return np.isin(labels, kept), int(kept.size)
