"""Join the moving objects of different nights that are one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np
from django.db.models import Q

from catalog.configuration.values import Snapshot
from catalog.work import jobs
from differencing.models import Candidate, Mover, Tracklet
from differencing.numerics.movers import Joined, Tracklets, join, two_points
from differencing.stage.candidates import position_error_arcsec
from observations.models import Field, WcsQuality
from observations.numerics.barycentre import heliocentric_au
from observations.numerics.sphere import separation_deg
from observations.places import place_of

# Positions of different nights agree no better than so, arcsec, however many there are in each.
_ASTROMETRY_ARCSEC = 0.1
# The error of a position whose own is not known.
_UNKNOWN_ERROR_ARCSEC = 1.0
# Fields whose edges are closer than this are searched together: an asteroid of the main belt goes so far in a week.
_NEIGHBOURS_DEG = 2.0


class _Points(NamedTuple):
    """A tracklet and the two points that stand for it."""

    tracklet: Tracklet
    mjd: np.ndarray
    ra: np.ndarray
    dec: np.ndarray
    error_arcsec: float
    observer: np.ndarray


def join_nights(field: Field, night: date, config: Snapshot) -> None:
    """Find anew what the moving objects of a field and night are one with in the nights around; a repeat replaces it.

    Ends the job. A mover of the same tracklets keeps its row.
    """
    days = int(config["differencing.mover_max_days"])
    fields = _around(field)
    considered = _considered(fields, night, days)
    points = [each for tracklet in considered if (each := _points(tracklet)) is not None]
    limit = config["differencing.tracklet_max_chance_rate"]
    found = [each for each in join(_arrays(points), max_days=days) if each.chance_rate <= limit]
    with jobs.writing(last=True):
        # In one order: what is searched from a neighbour waits.
        list(Field.objects.select_for_update().filter(pk__in=[f.pk for f in fields]).order_by("pk"))
        _replace(considered, [([points[k].tracklet for k in each.members], each) for each in found])


def _around(field: Field) -> list[Field]:
    """Return a field and those near it."""
    rows = list(Field.objects.all())
    apart = separation_deg(np.array([f.ra for f in rows]), np.array([f.dec for f in rows]), field.ra, field.dec)
    reach = [f.radius_deg + field.radius_deg + _NEIGHBOURS_DEG for f in rows]
    return [f for f, d, r in zip(rows, apart, reach, strict=True) if d < r or f.pk == field.pk]


def _considered(fields: list[Field], night: date, days: int) -> list[Tracklet]:
    """Return the moving objects of the nights around, and all that belongs to what they are part of."""
    linked = Tracklet.objects.linked().moving()
    span = (night - timedelta(days=days), night + timedelta(days=days))
    near = linked.filter(field__in=fields, night__range=span)
    mine = Q(pk__in=near) | Q(mover__in=near.exclude(mover=None).values("mover"))
    return list(linked.filter(mine).order_by("night", "id"))


def _points(tracklet: Tracklet) -> _Points | None:
    """Return the points of a tracklet; None where its positions are not those of the sky."""
    members = list(
        tracklet.members.select_related("observation__telescope", "difference_run").order_by("observation__mjd_utc")
    )
    if len(members) < 2 or any(m.observation.wcs_quality == WcsQuality.NOMINAL for m in members):
        return None
    times, ra, dec = (np.array([read(m) for m in members]) for read in (_mjd, lambda m: m.ra, lambda m: m.dec))
    errors = np.array([position_error_arcsec(m) for m in members])
    errors = np.where(np.isfinite(errors), errors, _UNKNOWN_ERROR_ARCSEC)
    mjd, ra, dec, error = two_points(times, ra, dec, errors)
    observer, _ = heliocentric_au(mjd, place_of(members[0].observation.telescope))
    return _Points(tracklet, mjd, ra, dec, float(np.hypot(error, _ASTROMETRY_ARCSEC)), observer)


def _mjd(candidate: Candidate) -> float:
    return candidate.observation.mjd_utc


def _arrays(points: list[_Points]) -> Tracklets:
    """Return tracklets as the search wants them; dates are numbered."""
    n = len(points)
    return Tracklets(
        ra=np.array([p.ra for p in points]).reshape(n, 2),
        dec=np.array([p.dec for p in points]).reshape(n, 2),
        mjd=np.array([p.mjd for p in points]).reshape(n, 2),
        error_arcsec=np.array([p.error_arcsec for p in points]).reshape(n, 1) * np.ones(2),
        night=np.array([p.tracklet.night.toordinal() for p in points], dtype=np.int64),
        observer=np.array([p.observer for p in points]).reshape(n, 2, 3),
    )


def _replace(considered: Iterable[Tracklet], found: list[tuple[list[Tracklet], Joined]]) -> None:
    """Keep the row of a mover of the same tracklets, delete the others of these tracklets, make the new ones."""
    there = {t.pk: t.mover_id for t in Tracklet.objects.filter(pk__in=[t.pk for t in considered])}
    touched = Mover.objects.filter(Q(pk__in=set(there.values()) - {None}) | Q(tracklets=None))
    old = {frozenset(mover.tracklets.values_list("pk", flat=True)): mover for mover in touched}
    for tracklets, joined in found:
        keys = frozenset(t.pk for t in tracklets)
        # One that is gone by now is searched again by whoever replaced it.
        if not keys <= there.keys():
            continue
        values = {"rms_arcsec": joined.rms_arcsec, "chance_rate": joined.chance_rate}
        known = old.pop(keys, None)
        if known is None:
            Tracklet.objects.filter(pk__in=keys).update(mover=Mover.objects.create(**values))
        else:
            Mover.objects.filter(pk=known.pk).update(**values)
    Mover.objects.filter(pk__in=[mover.pk for mover in old.values()]).delete()
