"""Join detections of one night into straight, uniform motions."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from observations.numerics.sphere import project

Array = NDArray[np.float64]


@dataclass(frozen=True)
class TrackletParameters:
    """Limits of a motion.

    max_rate_arcsec_per_min : main-belt asteroids move below 1, near-Earth ones rarely above 10; a higher limit
        joins chance pairs. min_members : three points are the fewest that can disagree with a straight line.
    min_motion_arcsec : less than this over the night is a star. tolerance_arcsec : distance of a member from the line.
    """

    max_rate_arcsec_per_min: float
    min_members: int
    tolerance_arcsec: float
    min_motion_arcsec: float = 3.0


@dataclass(frozen=True)
class Track:
    """members : indices into the input, by time. Angles in degrees, east of north."""

    members: tuple[int, ...]
    rate_arcsec_per_min: float
    position_angle_deg: float
    rms_arcsec: float


def link(
    ra: Array, dec: Array, mjd: Array, frame: NDArray[np.integer], *, parameters: TrackletParameters
) -> list[Track]:
    """Find uniform straight motions through detections of at least three frames.

    Every pair from two frames proposes a motion; the other frames' nearest detection within the tolerance of
    its prediction joins. Longer tracks win over shorter, then smaller rms; a detection belongs to one track.

    Parameters
    ----------
    ra, dec : (n,) ICRS degrees. mjd : (n,) mid-exposure, UTC days. frame : (n,) integer, equal within a frame.

    Returns
    -------
    List of Track, best first; empty with fewer than three frames.
    """
    p = parameters
    if len(np.unique(frame)) < p.min_members:
        return []
    x, y = _tangent_plane(np.asarray(ra, float), np.asarray(dec, float))
    minutes = (np.asarray(mjd, float) - np.min(mjd)) * 1440.0
    proposals = [t for pair in combinations(range(len(x)), 2) if (t := _follow(pair, x, y, minutes, frame, p))]
    proposals.sort(key=lambda t: (-len(t.members), t.rms_arcsec))
    used: set[int] = set()
    out = []
    for track in proposals:
        if used.isdisjoint(track.members):
            used.update(track.members)
            out.append(track)
    return out


def _tangent_plane(ra: Array, dec: Array) -> tuple[Array, Array]:
    """Return gnomonic offsets from the mean direction in arcsec, east and north: straight motions stay straight."""
    a, d = np.radians(ra), np.radians(dec)
    mean = np.mean([np.cos(d) * np.cos(a), np.cos(d) * np.sin(a), np.sin(d)], axis=1)
    pole = np.arctan2(mean[1], mean[0]), np.arctan2(mean[2], np.hypot(mean[0], mean[1]))
    east, north = project(ra, dec, *np.degrees(pole))
    return 3600.0 * east, 3600.0 * north


def _follow(
    pair: tuple[int, int], x: Array, y: Array, minutes: Array, frame: NDArray[np.integer], p: TrackletParameters
) -> Track | None:
    """Extend the motion of a pair to the other frames; None where it is not a track."""
    i, j = pair
    span = minutes[j] - minutes[i]
    if frame[i] == frame[j] or span == 0.0:
        return None
    vx, vy = (x[j] - x[i]) / span, (y[j] - y[i]) / span
    if np.hypot(vx, vy) > p.max_rate_arcsec_per_min:
        return None
    distance = np.hypot(x - x[i] - vx * (minutes - minutes[i]), y - y[i] - vy * (minutes - minutes[i]))
    members = []
    for number in np.unique(frame):
        inside = np.flatnonzero(frame == number)
        best = inside[np.argmin(distance[inside])]
        if distance[best] <= p.tolerance_arcsec:
            members.append(int(best))
    if len(members) < p.min_members:
        return None
    return _fit(sorted(members, key=lambda m: minutes[m]), x, y, minutes, p)


def _fit(members: list[int], x: Array, y: Array, minutes: Array, p: TrackletParameters) -> Track | None:
    """Fit the motion by least squares; None where it hardly moves or is not straight."""
    t = minutes[members]
    (vx, x0), (vy, y0) = np.polyfit(t, x[members], 1), np.polyfit(t, y[members], 1)
    residual = np.hypot(x[members] - x0 - vx * t, y[members] - y0 - vy * t)
    rms, rate = float(np.sqrt(np.mean(residual**2))), float(np.hypot(vx, vy))
    if rate * (t[-1] - t[0]) < p.min_motion_arcsec or rms > p.tolerance_arcsec:
        return None
    angle = float(np.degrees(np.arctan2(vx, vy)) % 360.0)
    return Track(tuple(members), rate, angle, rms)
