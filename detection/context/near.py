"""Which stars, variables and galaxies are near detections: from what was loaded, with few queries for many of them."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import numpy as np

from catalog.configuration.values import snapshot
from detection.context.stars import fields_about, kept_near
from detection.models import ContextArea, ContextKind, ContextSource, Detection
from detection.numerics.light_radius import in_light_radii
from observations.models import WcsQuality
from observations.numerics.site import MJD_J2000
from observations.numerics.sphere import project, separation_deg
from preprocessing.models import StarCatalogField

# Two catalogues' places of one star differ by less.
_SAME_ARCSEC = 1.0
# Within four of them lie the supernovae of a galaxy, but for a few in a hundred.
HOST_LIGHT_RADII = 4.0
_DAYS_PER_YEAR, _MAS_PER_DEGREE = 365.25, 3.6e6
_SLOWEST_COSINE = 1e-3


@dataclass(frozen=True)
class Near:
    """A source of a catalogue near a detection, where it stood when the frame was taken."""

    catalogue: str
    name: str
    type_name: str
    ra: float
    dec: float
    mag: float | None
    band: str
    separation_arcsec: float
    # Of the source from the detection, from north by east.
    position_angle_deg: float
    parallax_mas: float | None = None
    motion_mas_per_year: tuple[float, float] | None = None
    redshift: float | None = None
    # The detection's distance from its middle, in the radius that holds half its light in that direction.
    light_radii: float | None = None

    @property
    def speed_mas_per_year(self) -> float | None:
        """How fast it moves over the sky."""
        return None if self.motion_mas_per_year is None else math.hypot(*self.motion_mas_per_year)

    @property
    def may_be_host(self) -> bool:
        """Whether a galaxy may be where the detection happened; of one without a shape nobody knows better."""
        return self.light_radii is None or self.light_radii <= HOST_LIGHT_RADII


@dataclass(frozen=True)
class Cover:
    """A catalogue that holds everything of a kind around a detection; None where it does not say since when."""

    catalogue: str
    loaded_at: datetime | None
    faintest_mag: float | None = None


@dataclass(frozen=True)
class Neighbours:
    """What catalogues hold near one detection: by kind, the nearest first, and which of them hold all that is there.

    cannot : why nothing can be said; "" where something can.
    """

    radius_arcsec: Mapping[ContextKind, float]
    near: Mapping[ContextKind, Sequence[Near]] = field(default_factory=dict)
    covers: Mapping[ContextKind, Sequence[Cover]] = field(default_factory=dict)
    cannot: str = ""


@dataclass(frozen=True)
class _Asked:
    """What all detections of one question share."""

    radius_arcsec: Mapping[ContextKind, float]
    areas: Sequence[ContextArea]
    sources: Sequence[ContextSource]
    star_fields: Sequence[StarCatalogField]


def neighbours_of(detection: Detection, within_arcsec: float | None = None) -> Neighbours:
    """Return what catalogues hold near one detection."""
    return neighbours_of_each([detection], within_arcsec)[detection.pk]


def neighbours_of_each(detections: Collection[Detection], within_arcsec: float | None = None) -> dict[UUID, Neighbours]:
    """Return what catalogues hold near each detection, by its key; their observations are loaded already.

    within_arcsec : how near; None for what the configuration calls near.
    """
    config = snapshot()
    stars = within_arcsec or float(config["context.search_radius_arcsec"])
    radius = {ContextKind.STAR: stars, ContextKind.VARIABLE: stars}
    radius[ContextKind.GALAXY] = within_arcsec or float(config["context.host_radius_arcsec"])
    placed = [row for row in detections if row.observation.wcs_quality != WcsQuality.NOMINAL]
    areas, sources = _loaded(placed, max(radius.values()))
    asked = _Asked(radius, areas, sources, fields_about([row.dec for row in placed]))
    answers = {row.pk: _answer(row, asked) for row in placed}
    nowhere = Neighbours(radius, cannot="the frame’s position is from pointing and optics only")
    return {row.pk: answers.get(row.pk, nowhere) for row in detections}


def _loaded(rows: Sequence[Detection], radius_arcsec: float) -> tuple[list[ContextArea], list[ContextSource]]:
    """Return the areas about some detections, and the sources near any of them, those too that have moved there."""
    if not rows:
        return [], []
    decs = [row.dec for row in rows]
    strip = list(ContextArea.objects.defer("columns").reaching(min(decs), max(decs)))
    areas = [area for area in strip if any(area.holds(row.ra, row.dec, 0.0) for row in rows)]
    if not areas:
        return [], []
    times = [_year(row) for row in rows]
    moved = max(
        area.fastest_mas_per_year * max(abs(year - area.epoch_year) for year in times) / 1000.0 for area in areas
    )
    cones = [(row.ra, row.dec, radius_arcsec + moved) for row in rows]
    return areas, list(ContextSource.objects.within(cones).filter(area__in=areas))


def year_of(mjd_utc: float) -> float:
    """Return the Julian year of a time."""
    return 2000.0 + (mjd_utc - MJD_J2000) / _DAYS_PER_YEAR


def stood_at(source: ContextSource, area: ContextArea, year: float) -> tuple[float, float]:
    """Return where a source stood in a year, as far as its motion is known."""
    if source.pm_ra_mas_per_year is None or source.pm_dec_mas_per_year is None:
        return source.ra, source.dec
    years = year - area.epoch_year
    east = years * source.pm_ra_mas_per_year / max(math.cos(math.radians(source.dec)), _SLOWEST_COSINE)
    return (
        source.ra + east / _MAS_PER_DEGREE
    ) % 360.0, source.dec + years * source.pm_dec_mas_per_year / _MAS_PER_DEGREE


def _year(row: Detection) -> float:
    return year_of(row.observation.mjd_utc)


def _answer(row: Detection, asked: _Asked) -> Neighbours:
    areas = {area.pk: area for area in asked.areas}
    near: dict[ContextKind, list[Near]] = {kind: [] for kind in ContextKind}
    covers: dict[ContextKind, list[Cover]] = {kind: [] for kind in ContextKind}
    for area in asked.areas:
        kind = ContextKind(area.kind)
        if area.is_complete and area.holds(row.ra, row.dec, asked.radius_arcsec[kind] / 3600.0):
            covers[kind].append(Cover(area.catalogue, area.loaded_at))
    for source in asked.sources:
        area = areas[source.area_id]
        kind = ContextKind(area.kind)
        found = _near(row, source, area)
        if found.separation_arcsec <= asked.radius_arcsec[kind]:
            near[kind].append(found)
    _add_kept(row, asked, near[ContextKind.STAR], covers[ContextKind.STAR])
    for kind, found_of_kind in near.items():
        found_of_kind.sort(key=_host_order if kind == ContextKind.GALAXY else _distance)
    return Neighbours(asked.radius_arcsec, {kind: _distinct(found) for kind, found in near.items()}, covers)


def _near(row: Detection, source: ContextSource, area: ContextArea) -> Near:
    """Return a source as it stood when the frame was taken."""
    ra, dec = stood_at(source, area, _year(row))
    motion = None
    if source.pm_ra_mas_per_year is not None and source.pm_dec_mas_per_year is not None:
        motion = source.pm_ra_mas_per_year, source.pm_dec_mas_per_year
    apart, angle = _from(row, ra, dec)
    light_radii = None
    if source.semi_major_arcsec is not None:
        # Seen from the galaxy's middle, the detection lies the other way; an ellipse is the same both ways.
        shape = source.semi_major_arcsec, source.axis_ratio or 1.0, source.angle_deg
        light_radii = in_light_radii(apart, angle, *shape)
    return Near(
        area.catalogue, source.name, source.type_name, ra, dec, source.mag, source.band, apart, angle,
        source.parallax_mas, motion, source.redshift, light_radii,
    )  # fmt: skip


def _add_kept(row: Detection, asked: _Asked, near: list[Near], covers: list[Cover]) -> None:
    """Add the stars that positions are solved by, which are kept elsewhere."""
    kept = kept_near(row.ra, row.dec, asked.radius_arcsec[ContextKind.STAR], _year(row), asked.star_fields)
    if kept is None:
        return
    covers.append(Cover(kept.catalogue, kept.loaded_at, kept.faintest_mag))
    for star in kept.stars:
        where = _from(row, star.ra, star.dec)
        motion = star.motion
        near.append(
            Near(kept.catalogue, "", "", star.ra, star.dec, star.mag, star.band, *where, motion_mas_per_year=motion)
        )


def _from(row: Detection, ra: float, dec: float) -> tuple[float, float]:
    """Return distance (arcseconds) and direction (from north by east) of a place from a detection."""
    apart = 3600.0 * float(separation_deg(ra, dec, row.ra, row.dec))
    east, north = project(np.array([ra]), np.array([dec]), row.ra, row.dec)
    return apart, math.degrees(math.atan2(float(east[0]), float(north[0]))) % 360.0


def _distinct(found: Sequence[Near]) -> list[Near]:
    """Return each source once; of what two catalogues or areas hold, what tells more."""
    kept: list[Near] = []
    for one in found:
        same = next((i for i, other in enumerate(kept) if _is_same(one, other)), None)
        if same is None:
            kept.append(one)
        elif _told(one) > _told(kept[same]):
            kept[same] = one
    return kept


def _is_same(one: Near, other: Near) -> bool:
    return 3600.0 * float(separation_deg(one.ra, one.dec, other.ra, other.dec)) <= _SAME_ARCSEC


def _told(one: Near) -> int:
    told = (one.parallax_mas, one.motion_mas_per_year, one.mag, one.light_radii, one.redshift)
    return sum(value is not None for value in told) + bool(one.name)


def _distance(one: Near) -> float:
    return one.separation_arcsec


def _host_order(one: Near) -> tuple[bool, bool, float]:
    """Put first what may be the host, and of that the one in whose light the detection lies deepest."""
    has_shape = one.light_radii is not None
    return not one.may_be_host, not has_shape, one.light_radii if one.light_radii is not None else one.separation_arcsec
