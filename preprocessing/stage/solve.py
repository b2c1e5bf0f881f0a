"""The sky positions of a field's anchor: solved where there are means to, else as delivered, with the reason."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

import numpy as np
from astropy.wcs import WCS

from catalog.work import jobs
from observations.models import Observation, WcsQuality
from observations.numerics.doubts import Doubt
from observations.numerics.fits.solutions import wcs_from_text, wcs_to_text
from observations.numerics.frame import Frame
from observations.places import frame_reach_deg
from preprocessing import bright_stars
from preprocessing.models import PreprocessRun
from preprocessing.numerics.astrometry.solution import (
    MatchFailed,
    Pointing,
    SolvedWcs,
    WcsInvalid,
    check_wcs,
    solve_with_catalogue,
)
from preprocessing.products import load_frame, stars_of
from preprocessing.stage.plate_solvers import Problem, SolverFailed, installed, solve_with_program
from preprocessing.stage.raw import read_raw
from preprocessing.star_catalog import Place, StarCatalog, catalog_at
from preprocessing.star_fields import circle_for
from preprocessing.star_table import StarCatalogRefused

log = logging.getLogger(__name__)

# A frame may be a tenth wider on the sky than its claimed scale makes it.
SCALE_MARGIN = 1.1


@dataclass(frozen=True)
class Means:
    """What there is to solve with. `record` tells it apart from other means: the catalogue's hash, programs' names.

    complaint : what is wrong with the catalogue that was set. lack : what could be done about it that there is none.
    doubts : what that means for the frames.
    """

    catalog: StarCatalog | None
    programs: list[str]
    complaint: str = ""
    lack: str = ""
    doubts: tuple[Doubt, ...] = ()

    @property
    def record(self) -> dict[str, str]:
        known = {"star_catalog": self.catalog.sha256} if self.catalog else {}
        return known | dict.fromkeys(self.programs, "installed")


@dataclass(frozen=True)
class Anchor:
    """A field's anchor with the positions that its frames inherit, what they are worth and where they come from.

    solving : the means that were tried. solution : method, or the reasons why there is none. claimed : the WCS as
    delivered, which says where other frames lie that are not solved yet. doubts : about the solving, of all its frames.
    """

    row: PreprocessRun
    frame: Frame
    quality: str
    solving: dict[str, str]
    solution: dict[str, object]
    catalog: StarCatalog | None
    claimed: WCS | None
    doubts: tuple[Doubt, ...] = ()


def find_means(observation: Observation) -> Means:
    """Return the star catalogue of a frame's place and the plate solvers on PATH."""
    place = place_of(observation)
    try:
        catalog = catalog_at(place)
    except StarCatalogRefused as refusal:
        log.warning("%s", refusal)
        return Means(None, installed(), str(refusal))
    if catalog is not None:
        return Means(catalog, installed())
    circle = circle_for(observation)
    command = "" if circle is None else f"{circle.ra_deg:.4f} {circle.dec_deg:.4f} {circle.radius_deg:g}"
    fetch = f"manage.py star_catalog fetch {command}".strip()
    programs = installed()
    lack = f"there is no star catalogue of this field (ASTRID_STAR_CATALOG, or {fetch}) and no plate solver on PATH"
    if programs or place.side_deg is None:
        return Means(None, programs, lack=lack)
    doubt = Doubt(
        "star_catalog_too_shallow", "position", "", round(place.side_deg, 3),
        f"The field is {_angle(place.side_deg)} wide, and the bright stars that come with the program are enough from "
        f"{bright_stars.SMALLEST_FIELD_DEG:g} degrees on: positions are the header's, and magnitudes are unknown. "
        f"{fetch} gets the stars of this field.",
    )  # fmt: skip
    return Means(None, programs, lack=lack, doubts=(doubt,))


def place_of(observation: Observation) -> Place:
    """Return where a frame is and how much of the sky it claims to show."""
    scale, (height, width) = observation.pixel_scale, observation.delivered.shape
    side = None if scale is None else float(np.sqrt(width * height)) * scale / 3600.0
    return Place(observation.ra, observation.dec, frame_reach_deg(observation), side, observation.mjd_utc)


def _angle(degrees: float) -> str:
    return f"{degrees:.2f} degrees" if degrees >= 1 else f"{60 * degrees:.0f} arcmin"


def solve_anchor(row: PreprocessRun) -> Anchor:
    """Return the anchor of a field, solved once for the same pixels and the same means.

    Means that are gone take nothing back: what was solved with them stays. A solution stays as well where new means
    find none.
    """
    means, frame, known = find_means(row.observation), load_frame(row), row.wcs_info
    was_registered = known.get("anchor") == str(row.observation_id) and known.get("anchor_inputs") == row.inputs_hash
    tried = known.get("solving", {})
    quality = row.observation.wcs_quality
    before = known.get("solution", {}) if was_registered else {}
    claimed = _from_text(before["claimed_wcs"]) if "claimed_wcs" in before else frame.wcs
    if was_registered and "solution" in known and all(tried.get(name) == value for name, value in means.record.items()):
        doubts = () if quality == WcsQuality.SOLVED else means.doubts
        return Anchor(row, frame, quality, tried, before, means.catalog, claimed, doubts)
    solved, solution = _solve(frame, row.observation, means)
    if solved is not None:
        solution["claimed_wcs"] = _as_text(claimed)
        frame = replace(frame, wcs=solved.wcs)
        return Anchor(row, frame, WcsQuality.SOLVED, means.record, solution, means.catalog, claimed)
    if was_registered and quality == WcsQuality.SOLVED:
        kept = {**before, "kept": solution["reasons"]}
        return Anchor(row, frame, quality, means.record, kept, means.catalog, claimed)
    quality = delivered_quality(row.observation)
    return Anchor(row, frame, quality, means.record, solution, means.catalog, claimed, means.doubts)


def delivered_quality(observation: Observation) -> str:
    """Return what an observation's own position is worth, also after it had a solved one.

    Rows of earlier versions do not say it: then the raw file is asked, once.
    """
    if observation.delivered_wcs_quality:
        return observation.delivered_wcs_quality
    if observation.wcs_quality != WcsQuality.SOLVED:
        return observation.wcs_quality
    observation.delivered_wcs_quality = read_raw(observation).facts.wcs_quality or WcsQuality.NOMINAL
    with jobs.writing():
        observation.save(update_fields=["delivered_wcs_quality", "updated_at"])
    return observation.delivered_wcs_quality


def _as_text(wcs: WCS | None) -> str:
    return "" if wcs is None else wcs_to_text(wcs)


def _from_text(text: str) -> WCS | None:
    return wcs_from_text(text) if text else None


def _solve(frame: Frame, observation: Observation, means: Means) -> tuple[SolvedWcs | None, dict[str, object]]:
    """Try the catalogue, then each program; return the solution and what is recorded of it, or all reasons."""
    reasons = [means.complaint] if means.complaint else []
    if not means.record:
        return None, {"reasons": reasons or [means.lack]}
    try:
        pointing = _pointing(frame, observation)
    except WcsInvalid as error:
        return None, {"reasons": [*reasons, str(error)]}
    if pointing is None:
        return None, {"reasons": [*reasons, "the pixel scale is not known: give --pixel-scale"]}
    if means.catalog is not None:
        try:
            solved = _with_catalogue(frame, pointing, means.catalog)
            return solved, _recorded(means.catalog.name, solved)
        except (MatchFailed, WcsInvalid) as error:
            reasons.append(f"star catalogue {means.catalog.name}: {error}")
    for name in means.programs:
        try:
            solved = solve_with_program(name, Problem(frame, stars_of(frame), pointing))
            return solved, _recorded(name, solved)
        except SolverFailed as error:
            reasons.append(str(error))
    return None, {"reasons": reasons}


def _pointing(frame: Frame, observation: Observation) -> Pointing | None:
    """Return what is claimed of a frame's place; the scale is the header WCS's where nothing else gives one."""
    scale = observation.pixel_scale
    if scale is None and frame.wcs is not None:
        scale = check_wcs(frame.wcs, frame.shape)
    return None if scale is None else Pointing(observation.ra, observation.dec, scale)


def _with_catalogue(frame: Frame, pointing: Pointing, catalog: StarCatalog) -> SolvedWcs:
    stars = stars_of(frame)
    half = float(np.hypot(*frame.shape)) / 2 * pointing.pixel_scale_arcsec / 3600
    # Windows reach half a frame beyond the search's radius, and a frame half a diagonal beyond its centre.
    near = catalog.cone(pointing.ra_deg, pointing.dec_deg, pointing.radius_deg + 2 * SCALE_MARGIN * half)
    if len(near.ra_deg) == 0:
        raise MatchFailed(
            f"it has no stars within {pointing.radius_deg:g} deg of {pointing.ra_deg:.3f} {pointing.dec_deg:+.3f}"
        )
    return solve_with_catalogue(stars.xy, stars.flux, frame.shape, pointing, near.stars)


def _recorded(method: str, solved: SolvedWcs) -> dict[str, object]:
    rms = solved.rms_px if np.isfinite(solved.rms_px) else None
    said: dict[str, object] = {"method": method, "rms_px": rms, "stars": solved.star_count}
    if solved.false_match_probability is not None:
        said["false_match_probability"] = solved.false_match_probability
    return said
