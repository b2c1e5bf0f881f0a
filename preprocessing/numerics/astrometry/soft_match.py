"""Bring two star lists together whose errors are as large as the distances between their stars."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from preprocessing.numerics.astrometry.matching import Transform, similarity

Points = NDArray[np.float64]

# The reach starts at so many errors and falls to one, then the transform settles.
WIDEST_ERRORS, SHRINKING_ROUNDS, LAST_ROUNDS = 3.0, 8, 6
# Of a frame's stars, the share that a catalogue knows.
KNOWN_SHARE = 0.5


def align_softly(source_xy: Points, target_xy: Points, start: Transform, *, error_px: float) -> Transform:
    """Refine a similarity with every star paired to all of its neighbours, each by how likely it is the same star.

    Where errors reach the distance between stars, the nearest star is often the wrong one, and a fit of such pairs
    stays where it began. Here a star pulls on all, and the reach shrinks from three errors to one.

    Parameters
    ----------
    source_xy, target_xy : (n, 2) and (m, 2) px, finite, of like density.
    start : source -> target, right to within some errors; a similarity, mirrored or not.
    error_px : of a star's position on one list against the other, 1 sigma in one axis.

    Returns
    -------
    Transform
        a similarity; `start` itself where no star lies near another.

    Notes
    -----
    Expectation and maximisation over a Gaussian mixture with a uniform background: Myronenko & Song 2010 (IEEE TPAMI
    32, 2262), with the width given instead of fitted.
    """
    if min(len(source_xy), len(target_xy)) < 2:
        return start
    mirrored = start.is_flipped
    source = source_xy[:, 0] + 1j * source_xy[:, 1] * (-1 if mirrored else 1)
    target = target_xy[:, 0] + 1j * target_xy[:, 1]
    density = len(target) / max(float(np.prod(np.ptp(target_xy, axis=0))), 1.0)
    moved = _complex(start, source_xy)
    turn, offset = 1 + 0j, 0j
    for width in [*np.geomspace(WIDEST_ERRORS, 1.0, SHRINKING_ROUNDS), *np.ones(LAST_ROUNDS)]:
        sigma = width * error_px
        likely = KNOWN_SHARE * np.exp(-0.5 * (np.abs(moved[:, None] - target) / sigma) ** 2) / (2 * np.pi * sigma**2)
        weights = likely / (likely.sum(axis=1, keepdims=True) + (1 - KNOWN_SHARE) * density)
        each = weights.sum(axis=1)
        if each.sum() < 1e-9:
            return start
        pulled = weights @ target / np.maximum(each, 1e-300)
        from_, to = np.average(source, weights=each), np.average(pulled, weights=each)
        spread = source - from_
        turn = np.sum(each * (pulled - to) * spread.conj()) / np.sum(each * np.abs(spread) ** 2)
        offset = to - turn * from_
        moved = turn * source + offset
    centre = source_xy.mean(axis=0)
    middle = complex(centre[0], -centre[1] if mirrored else centre[1])
    return similarity(complex(turn), complex(turn * middle + offset), mirrored, centre)


def _complex(transform: Transform, xy: Points) -> NDArray[np.complex128]:
    x, y = transform(xy[:, 0], xy[:, 1])
    return np.asarray(x + 1j * y, dtype=np.complex128)
