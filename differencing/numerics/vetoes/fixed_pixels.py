"""What keeps to the detector and its optics while the sky moves: a hot pixel, a spot of dust, a star thrown back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.spatial import KDTree

Array = NDArray[np.float64]
Counts = NDArray[np.int64]

# A pixel is the same within so many px; the sky has moved where what stands on it has moved by so many more.
SAME_PX, MOVED_PX = 1.5, 4.0
# Peaks that fall on one pixel by chance do so less often than this.
MOST_BY_CHANCE = 3e-3
# What is thrown back is out of focus, and its place less certain, by so many px.
SAME_MIRRORED_PX = 2.5
# A telescope that follows what moves keeps it on one pixel, too; then it moves evenly on the sky, to so many px.
EVEN_PX, FEWEST_UNEVEN = 1.5, 4
# Of one camera no more than so many things can be what the telescope follows; its parts are closer than so many px.
MOST_FOLLOWED, APART_PX = 1, 20.0


@dataclass(frozen=True)
class Seen:
    """Peaks of several frames of one detector, arrays (n,), of one sign.

    x, y : 0-based on the detector. sky_x, sky_y : the same places on one plane of the sky, in px of the detector.
    mjd : of its frame. frame : integers, equal within a frame. area_px : of the detector.
    """

    x: Array
    y: Array
    sky_x: Array
    sky_y: Array
    mjd: Array
    frame: NDArray[np.integer]
    area_px: float


def recurrences(seen: Seen) -> Counts:
    """Return in how many other frames each peak stands on the same pixel while the sky has moved; 0 where chance does.

    Peaks of other frames fall on a pixel by chance as often as their density says (Poisson). One thing alone that
    stays while the sky moves evenly may be what the telescope follows, an asteroid or a comet, and is spared: where
    the sky moved unevenly (dithers), or where more than one thing stays, it is the detector.
    """
    places = np.column_stack([seen.x, seen.y])
    groups = _groups(places, seen, SAME_PX)
    out = _other_frames(groups, seen)
    followed = [k for k, group in groups.items() if _moves_evenly(seen, group)]
    if _count_places(places[list(groups)]) <= MOST_FOLLOWED:
        out[followed] = 0
    return out


def reflections(seen: Seen, mirrored: Array) -> Counts:
    """Return in how many other frames each peak mirrors the same place of the sky; 0 where chance explains it.

    Light that the filter throws back comes to a focus at the other side of the optical axis: where the sky moves over
    the detector one way, it moves the other. mirrored : (n, 2), what of the sky, in px as in `seen`, stands at the
    place of each peak turned by half a turn about the middle of its detector. The axis need not be there: where the
    frames are not turned against each other, all such places are off by the same.
    """
    return _other_frames(_groups(mirrored, seen, SAME_MIRRORED_PX), seen)


def _other_frames(groups: dict[int, NDArray[np.intp]], seen: Seen) -> Counts:
    """Return for each peak in how many frames but its own its group stands."""
    out = np.zeros(len(seen.x), dtype=np.int64)
    for k, group in groups.items():
        out[k] = np.unique(seen.frame[group]).size - 1
    return out


def _groups(places: Array, seen: Seen, same_px: float) -> dict[int, NDArray[np.intp]]:
    """Return each peak that other frames have at the same place, with those, where chance does not explain them."""
    groups: dict[int, NDArray[np.intp]] = {}
    n = len(places)
    known = np.flatnonzero(np.isfinite(places).all(axis=1))
    if known.size < 2:
        return groups
    sizes = dict(zip(*np.unique(seen.frame, return_counts=True), strict=True))
    for k, near in zip(known, KDTree(places[known]).query_ball_point(places[known], same_px), strict=True):
        others = known[[j for j in near if seen.frame[known[j]] != seen.frame[k]]]
        moved = np.hypot(seen.sky_x[others] - seen.sky_x[k], seen.sky_y[others] - seen.sky_y[k]) > MOVED_PX
        count = np.unique(seen.frame[others[moved]]).size
        by_chance = (n - sizes[seen.frame[k]]) * np.pi * same_px**2 / seen.area_px
        if count and stats.poisson.sf(count - 1, by_chance) < MOST_BY_CHANCE:
            groups[int(k)] = np.append(others[moved], k)
    return groups


def _count_places(places: Array) -> int:
    """Return at how many places apart from each other something stays."""
    kept: list[Array] = []
    for place in places:
        if all(np.hypot(*(place - other)) > APART_PX for other in kept):
            kept.append(place)
    return len(kept)


def _moves_evenly(seen: Seen, group: NDArray[np.intp]) -> bool:
    """Tell whether the places on the sky may be those of something that moves evenly; three points may always be."""
    t = seen.mjd[group] - seen.mjd[group].mean()
    if group.size < FEWEST_UNEVEN or not np.ptp(t) > 0.0:
        return True
    off = [q[group] - np.polyval(np.polyfit(t, q[group], 1), t) for q in (seen.sky_x, seen.sky_y)]
    return bool(np.sqrt(np.mean(np.square(off)) * 2.0 * group.size / (group.size - 2.0)) < EVEN_PX)
