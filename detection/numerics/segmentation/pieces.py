"""From probabilities to what is called: pieces that hang together, and trails whose pieces lie on one line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Flags = NDArray[np.bool_]
Map = NDArray[np.float32]
Vector = NDArray[np.float64]

# What belongs to a piece, where some of it is certain: so is a fainter part called, and noise is not.
CERTAIN, POSSIBLE = 0.8, 0.5
# What is no longer as a whole, in FWHM, is no satellite's trail: an asteroid may be that long, and a galaxy.
SHORTEST_FWHM = 15.0
# Pieces that are shorter, or not twice as long as wide, have no direction.
SHORTEST_PIECE_FWHM = 3.0
LEAST_ELONGATION = 2.0
# Pieces are of one trail up to so far apart, as a multiple of the longer; flashes are no farther than that.
LARGEST_GAP = 3.0
# They lie on one line to so many FWHM, and to a share of what lies between.
OFF_LINE_FWHM, OFF_LINE_SHARE = 1.0, 0.03
# What is masked for the most part is an edge and not a trail.
MOST_MASKED = 0.6
SMALLEST_ARTEFACT = 6.0  # pixels of the map
ALL_NEIGHBOURS = np.ones((3, 3), dtype=bool)


@dataclass(frozen=True)
class Piece:
    """A piece that is longer than wide: its ends (2, 2) as x, y, and its full width, pixels of the map."""

    label: int
    ends: Vector
    width: float

    @property
    def length(self) -> float:
        return float(np.hypot(*(self.ends[1] - self.ends[0])))


def call_artefacts(chance: Map) -> tuple[Flags, int]:
    """Return where artefacts are called, and how many pieces they have."""
    labels, kept = _certain(chance, np.zeros(chance.shape, dtype=bool))
    boxes = ndimage.find_objects(labels)
    large = [k for k in kept if np.hypot(*(side.stop - side.start for side in boxes[k - 1])) >= SMALLEST_ARTEFACT]
    return np.isin(labels, large), len(large)


def call_trails(chance: Map, mask: Flags, fwhm: float) -> tuple[Flags, int]:
    """Return where trails are called, and how many there are.

    Pieces on one line are one trail, and what lies between them is called too: a satellite that flashes went there.

    Parameters
    ----------
    chance : (ny, nx) probability. mask : (ny, nx), True = bad. fwhm : seeing, pixels of the map.
    """
    labels, kept = _certain(chance, mask)
    boxes = ndimage.find_objects(labels)
    pieces = [piece for k in kept if (piece := _piece(labels, k, boxes[k - 1], fwhm)) is not None]
    out = np.zeros(chance.shape, dtype=bool)
    count = 0
    for group in _groups(sorted(pieces, key=lambda piece: -piece.length), fwhm):
        ends = np.concatenate([piece.ends for piece in group])
        if np.hypot(*np.ptp(ends, axis=0)) < SHORTEST_FWHM * fwhm:
            continue
        count += 1
        out |= np.isin(labels, [piece.label for piece in group])
        _bridge(out, group)
    return out, count


def _certain(chance: Map, mask: Flags) -> tuple[NDArray[np.int32], list[int]]:
    """Return the pieces, numbered, and the numbers of those that are certain somewhere and not mostly masked."""
    labels, count = ndimage.label(chance > POSSIBLE, ALL_NEIGHBOURS)
    numbers = np.arange(1, count + 1)
    if not count:
        return labels, []
    is_kept = ndimage.maximum(chance, labels, numbers) > CERTAIN
    is_kept &= ndimage.mean(mask, labels, numbers) <= MOST_MASKED
    return labels, numbers[is_kept].tolist()


def _piece(labels: NDArray[np.int32], number: int, box: tuple[slice, slice], fwhm: float) -> Piece | None:
    """Measure a piece by its moments; None where it has no direction."""
    y, x = np.nonzero(labels[box] == number)
    points = np.column_stack([x + box[1].start, y + box[0].start]).astype(np.float64)
    centre = points.mean(axis=0)
    spread, axes = np.linalg.eigh(np.cov((points - centre).T) if len(points) > 1 else np.eye(2))
    along = (points - centre) @ axes[:, 1]
    length, width = float(np.ptp(along)) + 1, float(np.sqrt(12 * max(spread[0], 0))) + 1
    if length < max(SHORTEST_PIECE_FWHM * fwhm, LEAST_ELONGATION * width):
        return None
    return Piece(number, np.array([centre + end * axes[:, 1] for end in (along.min(), along.max())]), width)


def _groups(pieces: Sequence[Piece], fwhm: float) -> list[list[Piece]]:
    """Put each piece, the longest first, to the first group with a piece on its line."""
    groups: list[list[Piece]] = []
    for piece in pieces:
        for group in groups:
            if any(_on_one_line(other, piece, fwhm) for other in group):
                group.append(piece)
                break
        else:
            groups.append([piece])
    return groups


def _on_one_line(longer: Piece, other: Piece, fwhm: float) -> bool:
    """Tell whether both ends of a piece lie on the line of a longer one, and not too far from it."""
    direction = (longer.ends[1] - longer.ends[0]) / longer.length
    away = other.ends - longer.ends[0]
    along, across = away @ direction, np.abs(away @ np.array([-direction[1], direction[0]]))
    gaps = np.maximum(np.maximum(-along, along - longer.length), 0)
    is_near = float(gaps.min()) <= LARGEST_GAP * longer.length
    return is_near and bool((across <= OFF_LINE_FWHM * fwhm + 1 + OFF_LINE_SHARE * gaps).all())


def _bridge(out: Flags, group: Sequence[Piece]) -> None:
    """Call what lies between the pieces of a trail, as wide as the narrower of its neighbours."""
    first = group[0]
    direction = (first.ends[1] - first.ends[0]) / first.length
    ordered = sorted(group, key=lambda piece: float(piece.ends.mean(axis=0) @ direction))
    for before, after in pairwise(ordered):
        start = max(before.ends, key=lambda end: float(end @ direction))
        stop = min(after.ends, key=lambda end: float(end @ direction))
        if (stop - start) @ direction > 0:
            _draw(out, start, stop, 0.5 * min(before.width, after.width))


def _draw(out: Flags, start: Vector, stop: Vector, half_width: float) -> None:
    corners = np.array([start, stop])
    left, top = np.maximum(np.floor(corners.min(axis=0) - half_width), 0).astype(int)
    right, bottom = (np.ceil(corners.max(axis=0) + half_width) + 1).astype(int)
    y, x = np.ogrid[top : min(bottom, out.shape[0]), left : min(right, out.shape[1])]
    direction = (stop - start) / np.hypot(*(stop - start))
    across = (x - start[0]) * direction[1] - (y - start[1]) * direction[0]
    out[top:bottom, left:right] |= np.abs(across) <= half_width
