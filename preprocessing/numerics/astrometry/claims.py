"""What a header's world coordinates are worth beside what the stars say."""

from __future__ import annotations

import numpy as np
from astropy.wcs import WCS

from observations.numerics.doubts import TRUSTED_POSITION_ARCSEC, Doubt

# Beyond what is trusted, a claim may be off by this many errors of the solution itself.
ERRORS = 3.0
# From here on a sentence names the difference: what moves a corner of a thousand pixels by more than one.
NAMED_SCALE, NAMED_TURN_DEG = 0.002, 0.1
ARCSEC_PER_DEGREE, ARCSEC_PER_ARCMIN = 3600.0, 60.0


def doubts_of_header(claimed: WCS, solved: WCS, shape: tuple[int, int], error_arcsec: float) -> tuple[Doubt, ...]:
    """Hold the world coordinates of a header against those that its stars gave.

    Parameters
    ----------
    claimed, solved : celestial, of one frame. shape : its (ny, nx).
    error_arcsec : of the solution's positions, 1 sigma in one axis.

    Returns
    -------
    tuple of Doubt
        one, `header_wcs_off`, where the middle or a corner is off by more than 2 arcsec and three errors. It blocks
        nothing, since the position that the stars gave is what is used.
    """
    x, y = _places(shape)
    told = claimed.celestial.pixel_to_world(x, y).icrs
    apart = told.separation(solved.celestial.pixel_to_world(x, y).icrs).arcsec
    if not np.isfinite(apart).all() or apart.max() <= TRUSTED_POSITION_ARCSEC + ERRORS * error_arcsec:
        return ()
    worst = float(apart.max())
    where = f"{_angle(float(apart[0]))} off at the frame's middle and up to {_angle(worst)} at its corners"
    named = _differences(claimed, solved)
    why = f": {' and '.join(named)}" if named else ""
    return (
        Doubt(
            "header_wcs_off", "position", "CRVAL1", round(worst, 2),
            f"The header's world coordinates are {where}{why}. The positions used are those that the stars gave.",
        ),
    )  # fmt: skip


def _places(shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    ny, nx = shape
    right, top = nx - 1.0, ny - 1.0
    return np.array([right / 2, 0.0, right, 0.0, right]), np.array([top / 2, 0.0, 0.0, top, top])


def _angle(arcsec: float) -> str:
    if arcsec < 2 * ARCSEC_PER_ARCMIN:
        return f"{arcsec:.1f} arcsec"
    if arcsec < 2 * ARCSEC_PER_DEGREE:
        return f"{arcsec / ARCSEC_PER_ARCMIN:.1f} arcmin"
    return f"{arcsec / ARCSEC_PER_DEGREE:.1f} degrees"


def _differences(claimed: WCS, solved: WCS) -> list[str]:
    """Name what is wrong with a header's scale and orientation."""
    matrix, truth = (np.asarray(w.celestial.pixel_scale_matrix) for w in (claimed, solved))
    names = []
    ratio = float(np.sqrt(abs(np.linalg.det(matrix) / np.linalg.det(truth))))
    if abs(ratio - 1) > NAMED_SCALE:
        names.append(f"its scale is {abs(ratio - 1):.1%} too {'large' if ratio > 1 else 'small'}")
    if np.linalg.det(matrix) * np.linalg.det(truth) < 0:
        return [*names, "it is mirrored"]
    turn = matrix @ np.linalg.inv(truth)
    angle = float(np.degrees(np.arctan2(turn[1, 0] - turn[0, 1], turn[0, 0] + turn[1, 1])))
    if abs(angle) > NAMED_TURN_DEG:
        names.append(f"it is turned by {abs(angle):.1f} degrees")
    return names
