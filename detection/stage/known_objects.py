"""Compute where known bodies of the Solar System were in frames: evidence that nothing waits for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from django.utils import timezone
from numpy.typing import NDArray

from catalog.work import hold, jobs
from detection.known import orbit_rows
from detection.models import KnownObject, KnownObjectSearch, Orbit, OrbitSet, SearchOutcome
from detection.numerics.ephemerides import brightness, nbody, observer
from detection.numerics.ephemerides.nearby import Circle, Quality, find_nearby
from detection.numerics.ephemerides.uncertainty import runoff_of, spread_arcsec
from detection.stage.ranking import rank
from observations.models import Observation
from observations.numerics.sphere import separation_deg
from observations.places import frame_reach_deg, place_of

# Beyond the frame's corners: what a claimed position may err by, and the way of what moves.
_MARGIN_DEG = 0.1
# The Earth's radius as an angle at one au: how much the place of a body may differ for a site that is not known.
_PARALLAX_ARCSEC = 8.794
_ROWS_AT_ONCE = 1000

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _Known:
    """How new the orbits are; all of them with what they may run off by, where they can be integrated."""

    orbits_at: datetime
    kept: orbit_rows.KeptOrbits | None
    runoff: Floats


def run(observation_id: str) -> None:
    """Compute the known objects of one frame, in place of what was computed for it before."""
    update([Observation.objects.select_related("telescope").get(pk=observation_id)])


def update(observations: Sequence[Observation]) -> int:
    """Compute the known objects of frames, best of one night, and return how many were found; 0 without any orbits.

    All orbits are read once. Where they cannot be integrated, each frame is told so.
    """
    known = _read()
    if known is None:
        return 0
    found = 0
    for observation in observations:
        hold.check()
        found += _update(observation, known)
    return found


def _read() -> _Known | None:
    """Read all orbits; how new they are is told by the largest set. None where there are none."""
    newest = OrbitSet.objects.complete().order_by("-orbit_count", "-created_at").first()
    if newest is None:
        return None
    if not nbody.are_installed():
        return _Known(newest.orbits_at, None, np.array([]))
    kept = orbit_rows.read_all()
    by_parameter = np.array([*(runoff_of(parameter) for parameter in range(10)), np.nan])
    parameter = np.where(np.isfinite(kept.uncertainty_parameter), kept.uncertainty_parameter, 10.0)
    return _Known(newest.orbits_at, kept, by_parameter[np.clip(parameter, 0, 10).astype(int)])


def _update(observation: Observation, known: _Known) -> int:
    """Store what is known to have been in one frame."""
    reach = frame_reach_deg(observation)
    search = KnownObjectSearch(
        observation=observation,
        ra=observation.ra,
        dec=observation.dec,
        radius_deg=(reach or 0.0) + _MARGIN_DEG,
        mjd_utc=observation.mjd_utc,
        is_geocentric=_site(observation) is None,
        orbits_at=known.orbits_at,
        orbit_count=0,
        vague_count=0,
        searched_at=timezone.now(),
    )
    rows: list[KnownObject] = []
    if reach is None:
        search.outcome = SearchOutcome.NO_SIZE
    elif known.kept is None:
        search.outcome = SearchOutcome.NO_EPHEMERIDES
    else:
        rows = _look(search, known.kept, known.runoff)
    with jobs.writing():
        KnownObjectSearch.objects.filter(observation=observation).delete()
        KnownObject.objects.filter(observation=observation).delete()
        search.save(force_insert=True)
        KnownObject.objects.bulk_create(rows, batch_size=_ROWS_AT_ONCE)
        rank(observation)
    return len(rows)


def _site(observation: Observation) -> Floats | None:
    """Return where the telescope stands; by its code where its place is not known."""
    telescope = observation.telescope
    place = place_of(telescope)
    if place is not None:
        return observer.on_earth(place)
    return nbody.site_of_code(telescope.mpc_code) if telescope is not None else None


def _look(search: KnownObjectSearch, kept: orbit_rows.KeptOrbits, runoff: Floats) -> list[KnownObject]:
    """Return, unsaved, the bodies in a frame, and tell the search what was asked."""
    moment = nbody.Moment(search.mjd_utc, _site(search.observation))
    time = observer.tdb_of(moment.mjd_utc)
    place = observer.earth_from_sun(time) + observer.from_centre_au(moment.site, moment.mjd_utc)
    circle = Circle(search.ra, search.dec, search.radius_deg)
    nearby = find_nearby(kept.orbits, Quality(runoff, kept.last_observed_mjd), circle, time, place)
    search.orbit_count, search.vague_count = nearby.usable, len(kept.keys) - nearby.usable
    if nearby.usable == 0:
        search.outcome = SearchOutcome.NONE_USABLE
        return []
    (looks,) = nbody.apparent(kept.orbits[nearby.chosen], [moment])
    keys = kept.keys[nearby.chosen].tolist()
    rows = Orbit.objects.in_bulk(keys)
    found = _Found(looks, [rows.get(key) for key in keys], runoff[nearby.chosen], search)
    # One body may stand in two sets: the later orbit counts.
    return list({row.designation: row for row in found.rows()}.values())


@dataclass(frozen=True)
class _Found:
    """Bodies as they look, with their orbits (None: gone meanwhile) and what these may run off by."""

    looks: nbody.Apparent
    orbits: Sequence[Orbit | None]
    runoff: Floats
    search: KnownObjectSearch

    def rows(self) -> Iterator[KnownObject]:
        """Yield those whose place, or what its error allows, is in the circle, unsaved."""
        looks, search = self.looks, self.search
        along, across = self._errors()
        magnitudes = self._magnitudes()
        apart = separation_deg(looks.ra, looks.dec, search.ra, search.dec)
        for index in np.flatnonzero(apart <= search.radius_deg + 3.0 * along / 3600.0).tolist():
            orbit = self.orbits[index]
            if orbit is None:
                continue
            yield KnownObject(
                observation=search.observation,
                designation=orbit.designation,
                is_comet=orbit.is_comet,
                ra=float(looks.ra[index]),
                dec=float(looks.dec[index]),
                rate_arcsec_per_min=float(looks.rate_arcsec_per_min[index]),
                position_angle_deg=float(looks.position_angle_deg[index]),
                predicted_mag=float(magnitudes[index]) if np.isfinite(magnitudes[index]) else None,
                along_error_arcsec=float(along[index]),
                across_error_arcsec=float(across[index]),
                error_angle_deg=float(looks.way_angle_deg[index]),
                distance_au=float(looks.to_earth_au[index]),
                sun_distance_au=float(looks.to_sun_au[index]),
                epoch_mjd=orbit.epoch_mjd,
                uncertainty_parameter=orbit.uncertainty_parameter,
            )

    def _column(self, name: str) -> Floats:
        """Return a field of all orbits, NaN where it is empty."""
        values = (None if orbit is None else getattr(orbit, name) for orbit in self.orbits)
        return np.array([np.nan if value is None else value for value in values], dtype=np.float64)

    def _errors(self) -> tuple[Floats, Floats]:
        """Return the errors along and across each body's way; an unknown site adds its parallax to both."""
        looks, time = self.looks, self.search.mjd_utc
        days = np.fmax(np.abs(time - self._column("epoch_mjd")), np.abs(time - self._column("last_observed_mjd")))
        along, across = spread_arcsec(self.runoff, days, looks.to_sun_au, looks.to_earth_au, self._column("rms_arcsec"))
        parallax = _PARALLAX_ARCSEC / looks.to_earth_au if self.search.is_geocentric else 0.0
        return np.hypot(along, parallax), np.hypot(across, parallax)

    def _magnitudes(self) -> Floats:
        looks, h_mag, slope = self.looks, self._column("absolute_mag"), self._column("slope")
        asteroid = brightness.asteroid_mag(h_mag, slope, looks.to_sun_au, looks.to_earth_au, looks.sun_earth_au)
        comet = brightness.comet_mag(h_mag, slope, looks.to_sun_au, looks.to_earth_au)
        return np.where([orbit is not None and orbit.is_comet for orbit in self.orbits], comet, asteroid)
