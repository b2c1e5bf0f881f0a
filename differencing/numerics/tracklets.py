"""Join the sightings of one night into straight, uniform motions, and tell how many chance alone would make."""

from __future__ import annotations

from dataclasses import dataclass, replace
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from differencing.numerics.motion import (
    Array,
    Indices,
    Lines,
    Plane,
    Rates,
    affordable,
    fewest_members,
    plane_of,
    search,
)
from observations.numerics.sphere import project

Flags = NDArray[np.bool_]

# Shuffled sightings move by up to so many tolerances: far enough to end every motion, near enough to leave crowds of
# false peaks as crowded as they are: those at one star (5) and those around a glare or along an edge (20).
_SHUFFLE_TOLERANCES = (5.0, 20.0)
# Nights of this many sightings are shuffled once for each; larger ones need fewer to know their chance as well.
_SIGHTINGS_SHUFFLED = 20_000
_SHUFFLES = (3, 50)
# Where shuffles made too few lines to know how their scatter is distributed, they are taken to have this one.
_TYPICAL_RMS = 0.6
_FEWEST_RMS = 10
# Less than this says no more: what is not random has not been counted.
_LEAST_CHANCE = 1e-6
# Of what chance makes more often than this nothing can be said, not even a doubt.
_MOST_CHANCE = 1.0
# Motions up to these (arcsec per minute) are looked for one after the other: pairs grow with the square of the fastest
# rate, and what is slow needs not be told from the fast ones that chance makes.
_FASTEST = (1.0, 3.0, 10.0)
# About something wide, peaks as near as its FWHM are itself, and what is so many times fainter within so many FWHM are
# the bumps of its wings.
_BUMP_FAINTER, _BUMP_FWHM = 3.0, 4.0


@dataclass(frozen=True)
class TrackletParameters:
    """Limits of a motion.

    min_rate_arcsec_per_min, max_rate_arcsec_per_min : main-belt asteroids move below 1, near-Earth ones rarely above
        30. min_members : three points are the fewest that can disagree with a
        straight line. max_rms_arcsec : largest distance of a member from the line, however uncertain its position.
    min_motion_arcsec : less than this over the night is a star. max_chance_rate : more chance tracklets of its quality
        in this night make a tracklet doubtful.
    same_px : what stays within so many pixels of the detector while the sky moves over it is a defect.
    """

    min_rate_arcsec_per_min: float
    max_rate_arcsec_per_min: float
    min_members: int
    max_rms_arcsec: float
    min_motion_arcsec: float
    max_chance_rate: float
    same_px: float = 2.0


@dataclass(frozen=True)
class Sightings:
    """Where something was seen, one entry each; frames are integers, equal within a frame.

    tolerance_arcsec : how far from its true place a sighting may lie, NaN where unknown. is_trusted : what was taken
    for real; trusted sightings are joined first and by themselves. pixel_x, pixel_y : on the detector. width_arcsec :
    FWHM of what is wider than a star, 0 of all else. snr : of all its light. is_followed : of a frame whose stars are
    lines, since the telescope followed something else: that stays on its pixel and is no defect.
    """

    ra: Array
    dec: Array
    mjd: Array
    frame: NDArray[np.integer]
    tolerance_arcsec: Array
    is_trusted: Flags
    pixel_x: Array
    pixel_y: Array
    width_arcsec: Array
    snr: Array
    is_followed: Flags


@dataclass(frozen=True)
class Track:
    """members : indices into the input, by time. Angles in degrees, east of north.

    chance_rate : how many tracklets as good as this one the night's sightings are expected to make by chance.
    """

    members: tuple[int, ...]
    rate_arcsec_per_min: float
    position_angle_deg: float
    rms_arcsec: float
    chance_rate: float


def link(sightings: Sightings, *, parameters: TrackletParameters) -> list[Track]:
    """Find uniform straight motions through sightings of at least `min_members` frames.

    Two sightings of neighbouring frames propose a motion; the nearest sighting of every other frame joins where it
    lies within its own tolerance and the prediction's. Longer tracks win over shorter, then smaller scatter; a
    sighting belongs to one track, and two tracks that run side by side within the tolerance are one. What stays in
    its place for half of the frames is a star and takes no part, nor does what stays on its pixel, nor the bumps in the
    wings of something wide. Slow motions are looked for first, and what is no chance among them takes no part in the
    search for faster ones. In a night so crowded that it would take minutes, the fastest are not looked for.

    The chance rate is measured: every sighting is moved at random by up to 5 or 20 tolerances, many times, and the
    motions found then are counted that have more members, or as many and no larger scatter. The scatter of m points
    about a chance line grows as r^(2m - 4), which extends the count below the smallest seen; one is added to the
    count, so that nothing counts as impossible. The seed follows from the data. What is surely no chance is then left
    out, and the rest is measured again without it. What chance makes more than once a night is not returned.

    Returns
    -------
    List of Track, best first; empty with fewer frames than members.
    """
    p, s = parameters, sightings
    if len(s.ra) == 0:
        return []
    east, north = _tangent_plane(s.ra, s.dec)
    minutes = (s.mjd - s.mjd.min()) * 1440.0
    tolerance = np.minimum(np.where(np.isfinite(s.tolerance_arcsec), s.tolerance_arcsec, np.inf), p.max_rms_arcsec)
    all_rates = Rates(p.min_rate_arcsec_per_min, p.max_rate_arcsec_per_min, p.min_motion_arcsec)
    whole = _Part(np.arange(len(s.ra)), plane_of(east, north, minutes, tolerance, s.frame))
    moving = whole.only(~_static(whole.plane, all_rates) & ~_bumps(whole.plane, s))
    sure: list[Track] = []
    unsure: list[Track] = []
    for fastest in sorted({*(r for r in _FASTEST if r < all_rates.fastest), all_rates.fastest}):
        if fastest <= all_rates.slowest:
            continue
        tracks, moving = _pass(whole, moving, s, replace(all_rates, fastest=fastest), p)
        sure += [t for t in tracks if t.chance_rate <= p.max_chance_rate]
        unsure += [t for t in tracks if p.max_chance_rate < t.chance_rate <= max(_MOST_CHANCE, p.max_chance_rate)]
    used = {m for t in sure for m in t.members}
    for track in sorted(unsure, key=lambda t: t.chance_rate):
        if used.isdisjoint(track.members):
            used.update(track.members)
            sure.append(track)
    return sure


def _pass(whole: _Part, moving: _Part, s: Sightings, rates: Rates, p: TrackletParameters) -> tuple[list[Track], _Part]:
    """Return the tracks between some rates, the trusted first, and the sightings that no sure one explains."""
    tracks = _tracks(moving.only(s.is_trusted[moving.index]), s, rates, p)
    rest = moving.only(~np.isin(moving.index, [m for t in tracks for m in t.members]))
    explained: list[int] = []
    for k, track in enumerate(tracks):
        tracks[k], beside = _extended(track, rest, whole.plane, p.min_motion_arcsec)
        if track.chance_rate <= p.max_chance_rate:
            explained += [*tracks[k].members, *rest.index[beside].tolist()]
        rest = rest.only(~beside)
    others = _tracks(rest, s, rates, p)
    explained += [m for t in others if t.chance_rate <= p.max_chance_rate for m in t.members]
    return tracks + others, moving.only(~np.isin(moving.index, explained))


@dataclass(frozen=True)
class _Part:
    """Some of the sightings: their indices in the input, and their plane."""

    index: Indices
    plane: Plane

    def only(self, keep: Flags) -> _Part:
        """Return those that a mask keeps."""
        p = self.plane
        return _Part(
            self.index[keep], plane_of(p.x[keep], p.y[keep], p.minutes[keep], p.tolerance[keep], p.frame[keep])
        )

    def moved(self, dx: Array, dy: Array) -> Plane:
        """Return the plane with every sighting elsewhere."""
        return replace(self.plane, x=self.plane.x + dx, y=self.plane.y + dy)


def _tangent_plane(ra: Array, dec: Array) -> tuple[Array, Array]:
    """Return gnomonic offsets from the mean direction in arcsec, east and north: straight motions stay straight."""
    a, d = np.radians(ra), np.radians(dec)
    mean = np.mean([np.cos(d) * np.cos(a), np.cos(d) * np.sin(a), np.sin(d)], axis=1)
    pole = np.arctan2(mean[1], mean[0]), np.arctan2(mean[2], np.hypot(mean[0], mean[1]))
    east, north = project(ra, dec, *np.degrees(pole))
    return 3600.0 * east, 3600.0 * north


def _static(plane: Plane, rates: Rates) -> Flags:
    """Tell which sightings have company at their place in half of the other frames, two at least, that does not move.

    Company within the smallest motion is fitted with a line: a slow mover's moves on by more over the whole night.
    """
    n, frames = len(plane.x), len(plane.rows)
    if frames < 3:
        return np.zeros(n, dtype=bool)
    near = np.full((n, frames), -1)
    for k in range(frames):
        near[:, k] = plane.nearest(plane.x, plane.y, np.full(n, k), rates.min_motion)[1]
    there = near >= 0
    t = np.where(there, plane.minutes[near], 0.0)
    count = there.sum(axis=1)
    dt = np.where(there, t - (t.sum(axis=1) / count)[:, None], 0.0)
    spread = np.maximum((dt**2).sum(axis=1), 1e-9)
    vx, vy = ((dt * np.where(there, q[near] - q[:, None], 0.0)).sum(axis=1) / spread for q in (plane.x, plane.y))
    motion = np.hypot(vx, vy) * np.ptp(plane.times)
    return (count - 1 >= max(2, (frames - 1) / 2)) & (motion < rates.min_motion)


def _bumps(plane: Plane, s: Sightings) -> Flags:
    """Tell which sightings are no things of their own, but peaks that noise makes in something wide."""
    out = np.zeros(len(plane.x), dtype=bool)
    order = np.argsort(-s.snr, kind="stable")
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    for k in order[s.width_arcsec[order] > 0.0]:
        if not out[k]:
            distance = np.where(
                plane.frame == plane.frame[k], np.hypot(plane.x - plane.x[k], plane.y - plane.y[k]), np.inf
            )
            is_itself = (distance < s.width_arcsec[k]) & (place > place[k])
            is_faint = (s.snr < s.snr[k] / _BUMP_FAINTER) & ~s.is_trusted
            out |= is_itself | (is_faint & (distance < _BUMP_FWHM * s.width_arcsec[k]))
    return out


def _tracks(part: _Part, s: Sightings, rates: Rates, p: TrackletParameters) -> list[Track]:
    """Return the tracks of one part of the sightings, best first, with their chance rates."""
    if len(part.plane.rows) < p.min_members:
        return []
    rates = affordable(part.plane, rates, p.min_members)
    least = fewest_members(part.plane, rates, p.min_members)
    lines = _chosen(part, search(part.plane, rates, least), s, p)
    tracks = [_track(part, lines, k) for k in range(len(lines.vx))]
    unsure = list(range(len(tracks)))
    while unsure:
        inside = ~np.isin(part.index, [m for k in set(range(len(tracks))) - set(unsure) for m in tracks[k].members])
        chance = _chance(part.only(inside), lines, rates, least)
        tracks = [replace(t, chance_rate=chance[k]) if k in unsure else t for k, t in enumerate(tracks)]
        doubtful = [k for k in unsure if chance[k] > p.max_chance_rate]
        if len(doubtful) == len(unsure):
            break
        unsure = doubtful
    return tracks


def _chosen(part: _Part, lines: Lines, s: Sightings, p: TrackletParameters) -> Lines:
    """Keep the best motions that share no sighting, do not run beside a better one, and do not stay on a pixel."""
    plane = part.plane
    used: set[int] = set()
    kept: list[int] = []
    for k in np.lexsort((lines.rms_tolerances, -lines.counts)):
        members = lines.members[k][lines.members[k] >= 0]
        on_detector = part.index[members]
        stays = np.hypot(np.ptp(s.pixel_x[on_detector]), np.ptp(s.pixel_y[on_detector])) < p.same_px
        stays &= not s.is_followed[on_detector].all()
        beside = any(_runs_beside(plane, lines, (int(k), other), p.min_motion_arcsec) for other in kept)
        if used.isdisjoint(members.tolist()) and not stays and not beside:
            used.update(members.tolist())
            kept.append(int(k))
    return lines.only(np.array(kept, dtype=int))


def _runs_beside(plane: Plane, lines: Lines, pair: tuple[int, int], reach: float) -> bool:
    """Tell whether a motion was nowhere seen farther from another's line than a star is wide: two peaks of a trail."""
    one, other = pair
    members = lines.members[one][lines.members[one] >= 0]
    better = lines.members[other][lines.members[other] >= 0]
    t0, x0, y0 = (float(q[better].mean()) for q in (plane.minutes, plane.x, plane.y))
    dt = plane.minutes[members] - t0
    away = np.hypot(plane.x[members] - x0 - lines.vx[other] * dt, plane.y[members] - y0 - lines.vy[other] * dt)
    return bool((away < reach + plane.tolerance[members]).all())


def _track(part: _Part, lines: Lines, k: int) -> Track:
    members = lines.members[k][lines.members[k] >= 0]
    angle = float(np.degrees(np.arctan2(lines.vx[k], lines.vy[k])) % 360.0)
    rate = float(np.hypot(lines.vx[k], lines.vy[k]))
    return Track(tuple(part.index[members].tolist()), rate, angle, float(lines.rms_arcsec[k]), float("nan"))


def _chance(part: _Part, lines: Lines, rates: Rates, least: int) -> Array:
    """Return the expected number of chance motions as good as each of some lines, the larger of two ways to shuffle."""
    plane = part.plane
    rng = np.random.default_rng(crc32(np.concatenate([plane.x, plane.y, plane.minutes]).tobytes()))
    n = len(plane.x)
    shuffles = int(np.clip(_SIGHTINGS_SHUFFLED // max(n, 1), *_SHUFFLES))
    expected = np.full(len(lines.vx), _LEAST_CHANCE)
    for tolerances in _SHUFFLE_TOLERANCES if len(plane.rows) >= least else ():
        reach = tolerances * float(plane.tolerance.max())
        found = []
        for _ in range(shuffles):
            radius, angle = reach * np.sqrt(rng.uniform(size=n)), rng.uniform(0.0, 2.0 * np.pi, n)
            found.append(search(part.moved(radius * np.cos(angle), radius * np.sin(angle)), rates, least))
        counts = np.concatenate([each.counts for each in found])
        scatter = np.concatenate([each.rms_tolerances for each in found])
        for k, (count, own) in enumerate(zip(lines.counts, lines.rms_tolerances, strict=True)):
            as_good = np.count_nonzero(counts > count) + _as_straight(scatter[counts == count], float(own), int(count))
            expected[k] = max(expected[k], as_good / shuffles)
    return expected


def _as_straight(scatter: Array, own: float, count: int) -> float:
    """Return how many of as many members lie as straight, one added; r^(2m - 4) below the median of those seen."""
    number = len(scatter) + 1.0
    middle = float(np.median(scatter)) if len(scatter) >= _FEWEST_RMS else _TYPICAL_RMS
    if own >= middle and len(scatter) >= _FEWEST_RMS:
        return float(np.count_nonzero(scatter <= own)) + 1.0
    return number * (0.5 if len(scatter) >= _FEWEST_RMS else 1.0) * min(1.0, own / middle) ** (2 * count - 4)


def _extended(track: Track, rest: _Part, plane: Plane, reach: float) -> tuple[Track, Flags]:
    """Add what lies on a track in the frames without a member of it, however little it was taken for real.

    Returns the track, and which of the rest it explains: what joined, and other peaks of the same trail.
    """
    (vx, vy, x0, y0), _ = _line(plane, track.members)
    minutes = rest.plane.minutes
    away = np.hypot(rest.plane.x - x0 - vx * minutes, rest.plane.y - y0 - vy * minutes)
    added = []
    for rows in rest.plane.rows:
        best = rows[np.argmin(away[rows])]
        if minutes[best] not in plane.minutes[list(track.members)] and away[best] <= rest.plane.tolerance[best]:
            added.append(int(rest.index[best]))
    if not added:
        return track, away < reach
    members = tuple(sorted([*track.members, *added], key=lambda m: plane.minutes[m]))
    (vx, vy, _, _), rms = _line(plane, members)
    angle = float(np.degrees(np.arctan2(vx, vy)) % 360.0)
    return Track(members, float(np.hypot(vx, vy)), angle, rms, track.chance_rate), away < reach


def _line(plane: Plane, members: tuple[int, ...]) -> tuple[tuple[float, float, float, float], float]:
    """Return velocity and place at minute 0 of a straight motion, and the scatter about it."""
    t, x, y = (q[list(members)] for q in (plane.minutes, plane.x, plane.y))
    (vx, x0), (vy, y0) = np.polyfit(t, x, 1), np.polyfit(t, y, 1)
    rms = float(np.sqrt(np.mean((x - x0 - vx * t) ** 2 + (y - y0 - vy * t) ** 2)))
    return (float(vx), float(vy), float(x0), float(y0)), rms
