"""What shines up in one frame of a night, where the others would have shown it: a flash, or light that went astray."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Counts = NDArray[np.int64]

# What a frame would have shown with such an S/N is missing there; one frame alone may have a fault at that place.
SURE_SNR, FEWEST_FRAMES = 12.0, 2
_LIMIT_SNR = 5.0
# It is the same place within so many px, and moves where another frame has something as bright to so many magnitudes.
SAME_PX, SAME_MAG = 3.0, 1.0
_MINUTES = 1440.0


@dataclass(frozen=True)
class Peaks:
    """Peaks of one sign of several frames, arrays (n,).

    x, y : on one plane of the sky, px. mag : NaN where it is not known. frame : number in `Frames`.
    """

    x: Array
    y: Array
    mag: Array
    frame: NDArray[np.integer]


@dataclass(frozen=True)
class Frames:
    """All frames of the night whose peaks are known, arrays (m,), also those that have none.

    mjd : of the middle of the exposure. limit_mag : of a point source at 5 sigma; NaN where it is not known. band :
    equal for frames through one filter.
    """

    mjd: Array
    limit_mag: Array
    band: NDArray[np.str_]


def seen_once(peaks: Peaks, frames: Frames, covers: Flags, px_per_min: float) -> Counts:
    """Return how many other frames would have shown each peak and do not; 0 where it was seen again, or may have moved.

    A frame would have shown what would have an S/N of 12 there, through the same filter. A peak for which only one
    frame would is not judged. It may have moved where another frame has a peak, seen there alone as well, that is as
    bright to a magnitude and no farther than `px_per_min` allows.

    Parameters
    ----------
    covers : (n, m), whether the place of each peak lies well within each frame.
    px_per_min : the fastest motion on the sky that counts, px per minute.

    Returns
    -------
    (n,) counts.
    """
    count = len(peaks.x)
    if not count:
        return np.zeros(0, dtype=np.int64)
    is_other = np.arange(len(frames.mjd)) != peaks.frame[:, None]
    needed = frames.limit_mag - 2.5 * np.log10(SURE_SNR / _LIMIT_SNR)
    same_band = frames.band[None, :] == frames.band[peaks.frame][:, None]
    shows = covers & is_other & same_band & (peaks.mag[:, None] <= needed)  # False for NaN
    places = np.column_stack([peaks.x, peaks.y])
    near = KDTree(places).query_ball_point(places, SAME_PX)
    is_alone = np.array([np.all(peaks.frame[own] == peaks.frame[k]) for k, own in enumerate(near)])
    found = np.where(is_alone, shows.sum(axis=1), 0)
    found[found < FEWEST_FRAMES] = 0
    alone = np.flatnonzero(is_alone)
    for k in np.flatnonzero(found):
        minutes = np.abs(frames.mjd[peaks.frame[alone]] - frames.mjd[peaks.frame[k]]) * _MINUTES
        is_near = np.hypot(*(places[alone] - places[k]).T) <= SAME_PX + px_per_min * minutes
        is_like = ~(np.abs(peaks.mag[alone] - peaks.mag[k]) > SAME_MAG)  # True for NaN: it may be
        if (is_near & is_like & (peaks.frame[alone] != peaks.frame[k])).any():
            found[k] = 0
    return found
