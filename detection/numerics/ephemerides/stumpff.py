"""Stumpff's functions, by which one formula holds for ellipses, parabolas and hyperbolas."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Below this the closed forms lose digits, and so few terms of the series are exact to rounding.
_SMALL = 0.5
_TERMS = 9


def stumpff(z: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Return c0 to c3 of z, ck(z) = Σ (-z)ⁿ / (k + 2n)!: cosine and sine of √z above 0, hyperbolic ones below.

    Stiefel & Scheifele 1971, Linear and Regular Celestial Mechanics, section 11; NaN where z is NaN.
    """
    c2, c3 = _series(np.where(np.abs(z) < _SMALL, z, 0.0))
    is_above, is_below = z >= _SMALL, z <= -_SMALL
    if np.any(is_above):
        root = np.sqrt(z[is_above])
        sine, cosine = np.sin(root / 2.0), np.cos(root / 2.0)
        c2[is_above] = 2.0 * (sine / root) ** 2
        c3[is_above] = (root - 2.0 * sine * cosine) / root**3
    if np.any(is_below):
        # A first guess may lie far beyond the solution: the next step needs a finite number only.
        root = np.minimum(np.sqrt(-z[is_below]), 300.0)
        c2[is_below] = 2.0 * (np.sinh(root / 2.0) / root) ** 2
        c3[is_below] = (np.sinh(root) - root) / root**3
    c2, c3 = (np.where(np.isnan(z), np.nan, value) for value in (c2, c3))
    return 1.0 - z * c2, 1.0 - z * c3, c2, c3


def _series(z: Floats) -> tuple[Floats, Floats]:
    """Sum the series of c2 and c3 from their last term."""
    c2, c3 = np.ones_like(z), np.ones_like(z)
    for n in range(_TERMS, 0, -1):
        c2 = 1.0 - c2 * z / ((2 * n + 1) * (2 * n + 2))
        c3 = 1.0 - c3 * z / ((2 * n + 2) * (2 * n + 3))
    return c2 / 2.0, c3 / 6.0
