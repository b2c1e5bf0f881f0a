"""Moving objects that no orbit is known of, and where they will be: on along their line, or on their own orbit."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from django.core.cache import cache

from catalog.models import Visitor
from curation.judgements import unmarked, visibility
from curation.tonight.targets import (
    AWAITS_ANSWER,
    KNOWN,
    LOST,
    POSITION_UNKNOWN,
    UNREADABLE,
    Kind,
    LeftOut,
    Target,
    nights_ago,
)
from detection.known.comparing import Known, Verdict, known_near_each
from detection.models import Detection, DetectionStatus, Urgency
from detection.sources.photometry import brightness_of, zero_points
from differencing.models import Candidate, Tracklet, TrackletKind
from differencing.numerics.extrapolation import Expected, Orbit, Seen, along_line, fitted
from observations.models import Observation, WcsQuality
from observations.numerics.barycentre import Place
from observations.numerics.site import mjd_of, time_of
from observations.places import place_of

# After two weeks a line leads nowhere; an orbit does.
_RECENT = dt.timedelta(days=14)
# So many are looked at, those seen last. An orbit takes a third of a second to fit, once.
_MOST_TRACKLETS, _MOST_ORBITS = 200, 10
_ORBIT_KEPT_SECONDS = 86_400
# Beyond this, 1 sigma, it is lost; what will be so far off by tomorrow is urgent.
_LOST_ARCSEC, _URGENT_ARCSEC = 3600.0, 300.0
# Of the registration to stars, and of a position whose own error is not known, arcsec in each axis.
_WCS_ARCSEC, _UNMEASURED_ARCSEC = 0.2, 1.0
_LONG = ("observation__header", "observation__facts", "observation__footprint")


@dataclass(frozen=True)
class _Thing:
    """One moving object: its tracklets and sightings in order of time, and its detections as they are shown."""

    tracklets: Sequence[Tracklet]
    sightings: Seen
    frame: Observation | None
    place: Place | None
    detections: Sequence[Detection]

    @property
    def key(self) -> UUID:
        return self.tracklets[-1].mover_id or self.tracklets[-1].pk

    @property
    def nights(self) -> int:
        return len({tracklet.night for tracklet in self.tracklets})


def movers_wanting(user: Visitor, at: dt.datetime, left_out: LeftOut) -> list[Target]:
    """Return the moving objects that a person may see and no orbit is known of; what is left out is counted."""
    things = [thing for group in _groups(user, at) if (thing := _thing(group, user, left_out)) is not None]
    newest = [thing.detections[-1] for thing in things if thing.detections]
    known = known_near_each(newest)
    brightness, runs = brightness_of(newest), zero_points({row.observation_id for row in newest})
    targets, orbits = [], 0
    for thing in things:
        last = thing.detections[-1] if thing.detections else None
        said = known[last.pk] if last else None
        if said is not None and said.verdict == Verdict.KNOWN:
            left_out.add(KNOWN)
            continue
        orbit = _orbit(thing) if thing.nights > 1 and orbits < _MOST_ORBITS else None
        orbits += thing.nights > 1
        expected = _by(orbit, thing)
        if expected(mjd_of(at)).major_arcsec > _LOST_ARCSEC:
            left_out.add(LOST)
            continue
        run = runs.get(last.observation_id) if last else None
        scale = thing.frame.pixel_scale if thing.frame else None
        fwhm = run.fwhm_px * scale if run and run.fwhm_px and scale else None
        mag = brightness[last.pk].mag if last else None
        targets.append(_target(thing, (at, said, orbit is not None), (mag, fwhm), expected))
    return targets


def _groups(user: Visitor, at: dt.datetime) -> list[list[Tracklet]]:
    """Return the tracklets of the last weeks, those of one mover together, with all others of it."""
    rows = Tracklet.objects.visible_to(user).filter(is_doubtful=False, night__lte=at.date())
    recent = list(rows.filter(night__gte=(at - _RECENT).date()).order_by("-night", "id")[:_MOST_TRACKLETS])
    movers = {row.mover_id for row in recent if row.mover_id is not None}
    together: dict[UUID, list[Tracklet]] = {row.pk: [row] for row in recent if row.mover_id is None}
    for row in rows.filter(mover__in=movers).order_by("night", "id"):
        if row.mover_id is not None:
            together.setdefault(row.mover_id, []).append(row)
    return list(together.values())


def _thing(tracklets: Sequence[Tracklet], user: Visitor, left_out: LeftOut) -> _Thing | None:
    """Return one moving object; None where it is not for this person, not real, or nowhere in the sky."""
    members = list(
        Candidate.objects.not_hidden_from(user)
        .filter(tracklets__in=tracklets)
        .select_related("observation__telescope")
        .defer(*_LONG)
        .order_by("observation__mjd_utc", "id")
        .distinct()
    )
    rows = Detection.objects.visible_to(user).live().filter(candidate__in=members)
    detections = list(rows.select_related("candidate", "observation").defer(*_LONG).order_by("observation__mjd_utc"))
    visibility.veil(detections, user)
    secret = unmarked.unanswered_and_unmarked(detections, user)
    if secret:
        left_out.add(AWAITS_ANSWER)
        return None
    if detections and all(row.status == DetectionStatus.REJECTED for row in detections):
        return None
    if any(row.observation.wcs_quality == WcsQuality.NOMINAL for row in members) or _is_nowhere(tracklets):
        left_out.add(POSITION_UNKNOWN)
        return None
    sightings = _sightings(tracklets, members)
    if sightings.mjd.size < 2 or float(np.ptp(sightings.mjd)) <= 0.0:
        left_out.add(UNREADABLE)
        return None
    frame = members[-1].observation if members else None
    return _Thing(tracklets, sightings, frame, place_of(frame.telescope) if frame else None, detections)


def _is_nowhere(tracklets: Sequence[Tracklet]) -> bool:
    """Tell whether a position angle lacks because the frames' places in the sky are from pointing only."""
    return any(row.kind == TrackletKind.STACKED and row.position_angle is None for row in tracklets)


def _sightings(tracklets: Sequence[Tracklet], members: Sequence[Candidate]) -> Seen:
    """Return where it was, in order of time: as candidates, and where frames were added along its motion."""
    seen = [(row.observation.mjd_utc, row.ra, row.dec, _error_arcsec(row)) for row in members]
    for tracklet in tracklets:
        if tracklet.kind == TrackletKind.STACKED:
            seen += [(one["mjd_utc"], one["ra"], one["dec"], _UNMEASURED_ARCSEC) for one in tracklet.positions]
    return Seen(*np.array(sorted(seen), dtype=np.float64).reshape(-1, 4).T)


def _error_arcsec(row: Candidate) -> float:
    scale, error = row.observation.pixel_scale, row.position_error_px
    return float(np.hypot(_WCS_ARCSEC, _UNMEASURED_ARCSEC if scale is None or error is None else scale * error))


def _orbit(thing: _Thing) -> Orbit | None:
    """Return the orbit of a mover, fitted once for its tracklets as they are."""
    parts = [*(each.tobytes() for each in vars(thing.sightings).values()), str(thing.place).encode()]
    name = f"orbit:{hashlib.sha256(b''.join(parts)).hexdigest()}"
    kept: tuple[Orbit | None] | None = cache.get(name)
    if kept is None:
        kept = (fitted(thing.sightings, thing.place),)
        cache.set(name, kept, _ORBIT_KEPT_SECONDS)
    return kept[0]


def _by(orbit: Orbit | None, thing: _Thing) -> Callable[[float], Expected]:
    """Return what tells where a thing is: its orbit, else the line of its last night."""
    if orbit is not None:
        return lambda mjd: orbit.expected(mjd, thing.place)
    seen = thing.sightings
    # Of one tracklet alone: a day apart, no line leads from one to the other.
    last = seen.mjd > seen.mjd[-1] - 0.5
    chosen = seen if np.count_nonzero(last) < 2 else Seen(*(each[last] for each in vars(seen).values()))
    return lambda mjd: along_line(chosen, mjd)


def _target(
    thing: _Thing,
    said: tuple[dt.datetime, Known | None, bool],
    measured: tuple[float | None, float | None],
    expected: Callable[[float], Expected],
) -> Target:
    (at, known, has_orbit), (mag, fwhm) = said, measured
    seen = time_of(float(thing.sightings.mjd[-1]))
    tomorrow = expected(mjd_of(at) + 1.0).major_arcsec
    entity_type = "mover" if thing.tracklets[-1].mover_id else "tracklet"
    unknown = known is not None and known.verdict == Verdict.NOT_KNOWN
    why = "moves, and no known body is there" if unknown else "moves; whether it is known cannot be said"
    on = f"{thing.nights} nights, one orbit" if has_orbit else "one night" if thing.nights == 1 else "several nights"
    grows = f"off by {tomorrow / 60.0:.0f}′ by tomorrow" if tomorrow >= 60.0 else f"off by {tomorrow:.0f}″ by tomorrow"
    return Target(
        kind=Kind.MOVING,
        entity_type=entity_type,
        key=thing.key,
        name=f"{entity_type[0].upper()}{thing.key.hex[-7:].upper()}",
        level=Urgency.CRITICAL if tomorrow > _URGENT_ARCSEC else Urgency.HIGH,
        why=f"{why}; seen on {on}, {nights_ago(seen, at)}; {grows}",
        nights=thing.nights,
        last_seen=seen,
        mag=mag,
        band=thing.frame.filter_band if thing.frame else "",
        fwhm_arcsec=fwhm,
        detection=thing.detections[-1].pk if thing.detections else None,
        expected=expected,
    )
