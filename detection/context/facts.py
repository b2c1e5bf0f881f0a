"""How a detection's frame and its place in the sky were: what tells a curator how far to trust the pixels."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import hypot, inf, isinf
from uuid import UUID

from detection.context.stars import BRIGHT_REACH_DEG, BrightStar, nearest_bright
from detection.models import Detection
from detection.numerics.circumstances import Moon, airmass_at, altitude_deg, galactic_latitude_deg, moon_at
from differencing.models import Candidate
from observations.models import Observation, Telescope, WcsQuality
from observations.places import place_of
from preprocessing.bright_stars import FAINTEST_MAG
from preprocessing.models import PreprocessRun

# A ghost as near as this may be what is seen.
_NEAR_PX = 30.0
_OF_RUN = ("observation_id", "fwhm_px", "limiting_magnitude", "transparency", "ellipticity")


@dataclass(frozen=True)
class Facts:
    """Of one detection; None where something is not known.

    edge_px : from the nearest edge of the frame. airmass : at the middle of the exposure, by site and time, else the
    header's. bright : None where none is near. ghost_px : from the nearest trace of what the reference alone shows,
    infinite where the subtraction has none. is_placed : its place in the sky is known better than by pointing.
    """

    edge_px: float | None
    is_placed: bool
    bright: BrightStar | None
    ghost_px: float | None
    scale_arcsec: float | None
    altitude_deg: float | None
    airmass: float | None
    moon: Moon
    galactic_latitude_deg: float
    seeing_arcsec: float | None
    limiting_mag: float | None
    transparency: float | None
    ellipticity: float | None

    @property
    def words(self) -> list[tuple[str, str]]:
        """The facts in words, each with its title."""
        return [
            ("Edge", _edge(self)),
            ("Bright star", _bright(self)),
            ("Ghost", _ghost(self)),
            ("Altitude", _altitude(self)),
            ("Moon", _moon(self.moon)),
            ("Galactic latitude", _latitude(self)),
            ("Quality", ", ".join(_quality(self)) or "not measured"),
        ]

    @property
    def line(self) -> str:
        """The facts as one short line."""
        edge = [] if self.edge_px is None else [f"edge {self.edge_px:.0f} px"]
        return " · ".join([*edge, *_short(self), f"b {_latitude(self)}", *_quality(self)])


def sites_of(detections: Collection[Detection]) -> dict[UUID, Telescope]:
    """Return the telescopes of some detections, by their keys."""
    keys = {row.observation.telescope_id for row in detections if row.observation.telescope_id is not None}
    return Telescope.objects.in_bulk(keys)


def facts_of_each(detections: Collection[Detection], sites: Mapping[UUID, Telescope]) -> dict[UUID, Facts]:
    """Return the facts of each detection, by its key; their observations and candidates are loaded already."""
    ghosts = _ghosts_of(row.candidate for row in detections if row.candidate is not None)
    frames = PreprocessRun.objects.filter(observation__in={row.observation_id for row in detections})
    runs = {run.observation_id: run for run in frames.newest_of_each().only(*_OF_RUN)}
    return {
        row.pk: _facts(row, site_of(row, sites), runs.get(row.observation_id), _from_ghost(row, ghosts))
        for row in detections
    }


def site_of(row: Detection, sites: Mapping[UUID, Telescope]) -> Telescope | None:
    """Return the telescope of a detection's frame; None where it is not known."""
    key = row.observation.telescope_id
    return None if key is None else sites.get(key)


def _ghosts_of(candidates: Iterable[Candidate]) -> dict[UUID, list[tuple[float, float]]]:
    """Return where the subtractions of some candidates show what the reference alone has, by the subtraction."""
    found: dict[UUID, list[tuple[float, float]]] = {run: [] for run in {one.difference_run_id for one in candidates}}
    ghosts = Candidate.objects.filter(difference_run__in=found, is_reference_ghost=True)
    for run, x, y in ghosts.values_list("difference_run", "pixel_x", "pixel_y"):
        found[run].append((x, y))
    return found


def _from_ghost(row: Detection, ghosts: Mapping[UUID, Sequence[tuple[float, float]]]) -> float | None:
    if row.candidate is None or row.candidate.is_imported:
        return None
    places = ghosts[row.candidate.difference_run_id]
    return min((hypot(x - row.pixel_x, y - row.pixel_y) for x, y in places), default=inf)


def _facts(row: Detection, telescope: Telescope | None, run: PreprocessRun | None, ghost_px: float | None) -> Facts:
    frame, place = row.observation, place_of(telescope)
    altitude = None if place is None else altitude_deg(row.ra, row.dec, frame.mjd_utc, place)
    is_placed = frame.wcs_quality != WcsQuality.NOMINAL
    return Facts(
        edge_px=_from_edge(row, frame),
        scale_arcsec=frame.pixel_scale or None,
        ghost_px=ghost_px,
        is_placed=is_placed,
        bright=nearest_bright(row.ra, row.dec) if is_placed else None,
        altitude_deg=altitude,
        airmass=frame.airmass if altitude is None else airmass_at(altitude),
        moon=moon_at(row.ra, row.dec, frame.mjd_utc, place),
        galactic_latitude_deg=galactic_latitude_deg(row.ra, row.dec),
        seeing_arcsec=run.fwhm_px * frame.pixel_scale if run and run.fwhm_px and frame.pixel_scale else frame.seeing,
        limiting_mag=run.limiting_magnitude if run else None,
        transparency=run.transparency if run else None,
        ellipticity=run.ellipticity if run else None,
    )


def _from_edge(row: Detection, frame: Observation) -> float | None:
    """Return the distance from the nearest edge of the frame, in pixels; the first pixel's middle is 0."""
    if frame.image_width is None or frame.image_height is None:
        return None
    x, y = row.pixel_x + 0.5, row.pixel_y + 0.5
    return max(min(x, y, frame.image_width - x, frame.image_height - y), 0.0)


def _edge(facts: Facts) -> str:
    return "not known" if facts.edge_px is None else _pixels(facts.edge_px, facts.scale_arcsec)


def _ghost(facts: Facts) -> str:
    if facts.ghost_px is None:
        return "not known: it was not found by a subtraction here"
    if isinf(facts.ghost_px):
        return "none in this difference"
    return f"{_pixels(facts.ghost_px, facts.scale_arcsec)} away"


def _pixels(pixels: float, scale_arcsec: float | None) -> str:
    return f"{pixels:.0f} px" + ("" if scale_arcsec is None else f", {_angle(pixels * scale_arcsec)}")


def _bright(facts: Facts) -> str:
    if not facts.is_placed:
        return "not known: the position is from pointing and optics only"
    if facts.bright is None:
        return f"none of G < {FAINTEST_MAG:.0f} within {60.0 * BRIGHT_REACH_DEG:.0f}′"
    return f"G = {facts.bright.mag:.1f}, {_angle(facts.bright.separation_arcsec)} away"


def _altitude(facts: Facts) -> str:
    airmass = f"airmass {facts.airmass:.2f}" if facts.airmass is not None else ""
    if facts.altitude_deg is None:
        header = f"{airmass} by the header; " if airmass else ""
        return f"{header}not known: the telescope’s site is not"
    if facts.altitude_deg <= 0.0:
        return f"{-facts.altitude_deg:.0f}° below the horizon: is the site or the time wrong?"
    return f"{facts.altitude_deg:.0f}°, {airmass}"


def _latitude(facts: Facts) -> str:
    return f"{facts.galactic_latitude_deg:+.0f}°".replace("-", "−")


def _short(facts: Facts) -> Iterator[str]:
    """Tell of stars, altitude and Moon in few words; where the site is not known, that."""
    if facts.bright is not None:
        yield f"G {facts.bright.mag:.1f} star {_angle(facts.bright.separation_arcsec)}"
    if facts.ghost_px is not None and facts.ghost_px < _NEAR_PX:
        yield f"ghost {facts.ghost_px:.0f} px"
    if facts.altitude_deg is None:
        header = f"airmass {facts.airmass:.2f}, " if facts.airmass is not None else ""
        yield f"{header}site not known"
    else:
        yield f"altitude {facts.altitude_deg:.0f}°".replace("-", "−")
    if facts.moon.altitude_deg is not None and facts.moon.altitude_deg <= 0.0:
        yield "Moon down"
    else:
        yield f"Moon {100.0 * facts.moon.illuminated:.0f} %, {facts.moon.separation_deg:.0f}°"


def _moon(moon: Moon) -> str:
    lit = f"{100.0 * moon.illuminated:.0f} % lit, {moon.separation_deg:.0f}° away"
    if moon.altitude_deg is None:
        return lit
    up = f"{moon.altitude_deg:.0f}° up" if moon.altitude_deg > 0.0 else "below the horizon"
    return f"{lit}, {up}"


def _quality(facts: Facts) -> Iterator[str]:
    if facts.seeing_arcsec is not None:
        yield f"seeing {facts.seeing_arcsec:.1f}″"
    if facts.limiting_mag is not None:
        yield f"to {facts.limiting_mag:.1f} mag"
    if facts.transparency is not None and facts.transparency < 0.9:
        yield f"{100.0 * facts.transparency:.0f} % of the light"
    if facts.ellipticity is not None and facts.ellipticity > 0.2:
        yield f"stars {100.0 * facts.ellipticity:.0f} % elongated"


def _angle(arcsec: float) -> str:
    return f"{arcsec:.0f}″" if arcsec < 100.0 else f"{arcsec / 60.0:.1f}′"
