"""Sky positions: one anchor's WCS for all frames of a field, and a solution against a star catalogue."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from astropy.wcs import WCS, Sip
from numpy.typing import NDArray

from observations.numerics.fits.wcs import PLAUSIBLE_SCALES_ARCSEC
from observations.numerics.sphere import project
from preprocessing.numerics.astrometry.matching import Match, MatchFailed, MatchParameters, Transform, match_stars
from preprocessing.numerics.astrometry.plate_search import Effort, brightest, find_places, telling_stars
from preprocessing.numerics.astrometry.soft_match import align_softly

__all__ = [
    "Catalogue",
    "Match",
    "MatchFailed",
    "MatchParameters",
    "Pointing",
    "SolvedWcs",
    "Transform",
    "WcsInvalid",
    "check_wcs",
    "match_stars",
    "registration_quality",
    "solve_with_catalogue",
    "wcs_from_match",
]

Column = NDArray[np.float64]

GRID_POINTS = 15
# A straight TAN is kept while it follows the anchor to a hundredth of a pixel: a tenth of good centroids' scatter.
TAN_GOOD_ENOUGH_PX = 0.01
SIP_DEGREES = (2, 3)
SIP_GAIN = 0.9
LARGEST_SHEAR = 0.2
# Positions of stars on a frame that are found by chance of noise, blends and trails; of catalogues at their worst.
STAR_ERROR_PX, POOR_STAR_ERROR_PX = 0.5, 1.5
CATALOGUE_ERROR_ARCSEC = 0.3
# Pairs are this many errors apart at most.
TOLERANCE_ERRORS = 3.0
# Where stars lie closer than errors, a nearer limit tells true pairs from others better: 80 of 100 are within it.
CROWDED_TOLERANCE_ERRORS = 1.8
# Places are looked for by stars that err less than most: one triangle of them is enough, and chance has less room.
CROWDED_SEARCH_ERRORS = 0.5
# A search with large errors tries some ten thousand like triangles where the sky is not wide and full as well.
FEW_TRIALS = 200_000
# A solution is accepted where so many wrong ones are to be expected of as many trials.
LARGEST_CHANCE = 1e-6
# A frame counts as within the search's radius when its middle is less than a tenth of its reach outside.
RADIUS_MARGIN = 0.1


class WcsInvalid(Exception):
    """A header's WCS cannot be true."""


@dataclass(frozen=True)
class SolvedWcs:
    """A WCS with what is known of its quality: scatter of the fit in px, stars used.

    false_match_probability : that a frame of another place would have matched as well somewhere in what was searched;
    None where a program solved that does not say.
    """

    wcs: WCS
    rms_px: float
    star_count: int
    match: Match | None = None
    false_match_probability: float | None = None


@dataclass(frozen=True)
class Pointing:
    """What is claimed about a frame: centre (deg, ICRS), scale (arcsec per px), and how far that may be wrong.

    A degree in right ascension and one in declination, and a tenth of the scale either way, lie within the defaults.
    """

    ra_deg: float
    dec_deg: float
    pixel_scale_arcsec: float
    radius_deg: float = 1.5
    scale_tolerance: float = 0.12


@dataclass(frozen=True)
class Catalogue:
    """Stars of known position: ra, dec (deg, ICRS, at the frame's epoch) and magnitude, each (n,)."""

    ra_deg: Column
    dec_deg: Column
    magnitude: Column


def registration_quality(rms_px: float, fwhm_px: float) -> float:
    """Return 1 for a perfect registration, 0 where the scatter reaches half the seeing or is unknown."""
    quality = 1.0 - rms_px / (fwhm_px / 2) if fwhm_px > 0 else 0.0
    return max(0.0, quality) if np.isfinite(quality) else 0.0


def check_wcs(wcs: WCS, shape: tuple[int, int]) -> float:
    """Return the pixel scale in arcsec of a header's WCS after checking that it can be true.

    Raises
    ------
    WcsInvalid
        when it is not celestial, when its scale is impossible or a placeholder (CDELT of 1 degree), when its axes are
        far from perpendicular, or when the frame's corners have no position.
    """
    if not wcs.has_celestial:
        raise WcsInvalid("the header's WCS has no celestial axes")
    sky = wcs.celestial
    try:
        matrix = np.asarray(sky.pixel_scale_matrix)
    except np.linalg.LinAlgError as error:
        raise WcsInvalid(f"the header's WCS is degenerate: {error}") from error
    stretch = np.linalg.svd(matrix, compute_uv=False) * 3600
    if not np.isfinite(stretch).all() or stretch.min() <= 0:
        raise WcsInvalid("the header's WCS is degenerate")
    scale = float(np.sqrt(stretch.prod()))
    if np.allclose(np.abs(matrix), np.eye(2), atol=1e-9):
        raise WcsInvalid("the header's WCS is a placeholder: one degree a pixel")
    low, high = PLAUSIBLE_SCALES_ARCSEC
    if not low <= scale <= high:
        raise WcsInvalid(f"{scale:.4g} arcsec a pixel is not a telescope's scale ({low} to {high})")
    if stretch.max() / stretch.min() > 1 + LARGEST_SHEAR:
        raise WcsInvalid(f"the axes differ in scale or are not perpendicular: {stretch[0]:.4g} and {stretch[1]:.4g}")
    corners = np.array([[0, 0], [shape[1] - 1, 0], [0, shape[0] - 1], [shape[1] - 1, shape[0] - 1]], dtype=float)
    ra, dec = sky.all_pix2world(corners[:, 0], corners[:, 1], 0)
    if not (np.isfinite(ra).all() and np.isfinite(dec).all()):
        raise WcsInvalid("the frame's corners have no position in the header's WCS")
    return scale


def wcs_from_match(anchor: WCS, transform: Transform, shape: tuple[int, int]) -> SolvedWcs:
    """Give a frame the sky positions of its field's anchor.

    The frame's pixels are taken to the anchor's, from there to the sky, and a TAN WCS is fitted to that on a grid over
    the frame, with SIP terms only if a straight one misses by more than 0.01 px.

    Parameters
    ----------
    anchor : celestial WCS of the anchor frame.
    transform : frame px -> anchor px.
    shape : (ny, nx) of the frame.

    Returns
    -------
    SolvedWcs
        `rms_px` is that of the fit to the anchor's positions, without the star match's own scatter.

    Raises
    ------
    WcsInvalid
        when the anchor gives no position for parts of the frame.
    """
    x, y = _grid(shape)
    # Headers come in FK4 and FK5 as well, up to 0.6 degrees from the ICRS that everything downstream means.
    sky = anchor.celestial.pixel_to_world(*transform(x, y)).icrs
    return fit_wcs(x, y, sky.ra.deg, sky.dec.deg, shape)


def _grid(shape: tuple[int, int]) -> tuple[Column, Column]:
    x, y = np.meshgrid(np.linspace(0, shape[1] - 1, GRID_POINTS), np.linspace(0, shape[0] - 1, GRID_POINTS))
    return x.ravel(), y.ravel()


def fit_wcs(
    x: Column, y: Column, ra_deg: Column, dec_deg: Column, shape: tuple[int, int], *, is_noisy: bool = False
) -> SolvedWcs:
    """Fit a TAN WCS to pixels (0-based) and their sky positions, with SIP terms of order 2 and 3 where needed.

    is_noisy : the points are measured stars: then SIP terms must take a tenth off the scatter, else they follow noise.
    """
    if not (np.isfinite(ra_deg).all() and np.isfinite(dec_deg).all()):
        raise WcsInvalid("the sky positions to fit a WCS to are not all finite")
    middle = (shape[1] - 1) / 2, (shape[0] - 1) / 2
    # A point near the frame's centre serves as the tangent point; the fit's constant term moves CRPIX onto it.
    k = int(np.argmin(np.hypot(x - middle[0], y - middle[1])))
    pole = float(ra_deg[k]), float(dec_deg[k])
    plane = np.column_stack(project(ra_deg, dec_deg, *pole))
    design = np.column_stack([np.ones_like(x), x - middle[0], y - middle[1]])
    solution = np.linalg.lstsq(design, plane, rcond=None)[0]
    matrix = np.asarray(solution[1:].T, dtype=np.float64)
    if not np.isfinite(matrix).all() or abs(np.linalg.det(matrix)) < 1e-30:
        raise WcsInvalid("the positions lie on a line: no plate solution follows from them")
    origin = np.array(middle) - np.linalg.solve(matrix, solution[0])
    best = _assemble(pole, origin, matrix, None, (x, y, ra_deg, dec_deg))
    for degree in SIP_DEGREES:
        # Three points a coefficient on an exact grid, six where the points are noisy stars.
        if best.rms_px < TAN_GOOD_ENOUGH_PX or x.size < (6 if is_noisy else 3) * (degree + 1) * (degree + 2):
            break
        bent = _with_sip(pole, matrix, origin, degree, (x, y, ra_deg, dec_deg))
        if bent.rms_px < (SIP_GAIN if is_noisy else 1.0) * best.rms_px:
            best = bent
    return best


Points = tuple[Column, Column, Column, Column]


def _with_sip(pole: tuple[float, float], matrix: Column, origin: Column, degree: int, points: Points) -> SolvedWcs:
    """Fit f, g in CD (u + f, v + g) with all terms of order 2 to `degree`, and CD and CRPIX anew."""
    x, y, ra, dec = points
    plane = np.column_stack(project(ra, dec, *pole))
    powers = [(p, q) for total in range(2, degree + 1) for p in range(total + 1) for q in [total - p]]
    for _ in range(3):
        u, v = x - origin[0], y - origin[1]
        reach = max(float(np.abs(u).max()), float(np.abs(v).max()), 1.0)
        columns = [np.ones_like(u), u / reach, v / reach] + [(u / reach) ** p * (v / reach) ** q for p, q in powers]
        solution = np.linalg.lstsq(np.column_stack(columns), plane, rcond=None)[0]
        matrix = solution[1:3].T / reach
        # The constant term is moved into CRPIX; the quadratic terms change to second order, hence the rounds.
        origin = origin - np.linalg.solve(matrix, solution[0])
    bend = np.linalg.solve(matrix, solution[3:].T)
    a, b = np.zeros((degree + 1, degree + 1)), np.zeros((degree + 1, degree + 1))
    for (p, q), (f, g) in zip(powers, bend.T, strict=True):
        a[p, q], b[p, q] = f / reach ** (p + q), g / reach ** (p + q)
    return _assemble(pole, origin, matrix, (a, b), points)


def _assemble(
    pole: tuple[float, float],
    origin: Column,
    matrix: Column,
    bend: tuple[Column, Column] | None,
    points: Points,
) -> SolvedWcs:
    wcs = WCS(naxis=2)
    suffix = "-SIP" if bend is not None else ""
    wcs.wcs.ctype = [f"RA---TAN{suffix}", f"DEC--TAN{suffix}"]
    wcs.wcs.cunit = ["deg", "deg"]
    wcs.wcs.crval = list(pole)
    wcs.wcs.crpix = list(origin + 1)
    wcs.wcs.cd = matrix
    wcs.wcs.radesys = "ICRS"
    if bend is not None:
        wcs.sip = Sip(bend[0], bend[1], None, None, wcs.wcs.crpix)
    wcs.wcs.set()
    x, y, ra, dec = points
    fitted_ra, fitted_dec = wcs.all_pix2world(x, y, 0)
    miss = np.column_stack(project(fitted_ra, fitted_dec, *pole)) - np.column_stack(project(ra, dec, *pole))
    scale = np.sqrt(abs(np.linalg.det(matrix)))
    return SolvedWcs(wcs, float(np.sqrt((miss**2).sum(axis=1).mean()) / scale), x.size)


def solve_with_catalogue(
    star_xy: NDArray[np.float64],
    star_flux: Column,
    shape: tuple[int, int],
    pointing: Pointing,
    catalogue: Catalogue,
) -> SolvedWcs:
    """Solve a frame's WCS against a star catalogue from a claimed pointing and scale.

    The catalogue is projected about the pointing; like triangles of neighbouring stars give places under any rotation
    or flip, and the first place where the frame's stars match better than chance is taken: fewer than one wrong one in
    a million is to be expected of all that were tried.

    Parameters
    ----------
    star_xy, star_flux : (n, 2) px and (n,), the frame's stars.
    shape : (ny, nx) of the frame.
    pointing : claimed centre and scale, with the radius and the scale tolerance to search.
    catalogue : stars of at least the searched area; positions at the frame's epoch.

    Returns
    -------
    SolvedWcs
        with the match (catalogue's indices as target) and the scatter of the stars in px.

    Raises
    ------
    MatchFailed
        when no place matches better than chance.
    """
    xi, eta = project(catalogue.ra_deg, catalogue.dec_deg, pointing.ra_deg, pointing.dec_deg)
    sky = np.column_stack([xi, eta]) * 3600 / pointing.pixel_scale_arcsec
    flux = 10 ** (-0.4 * np.asarray(catalogue.magnitude, dtype=float))
    tolerance = pointing.scale_tolerance
    reach = float(np.hypot(*shape)) / 2 * (1 + tolerance)
    radius = pointing.radius_deg * 3600 / pointing.pixel_scale_arcsec
    stars, trials = (np.asarray(star_xy, dtype=float), np.asarray(star_flux, dtype=float)), 0
    for effort in _efforts(pointing):
        places = find_places(stars, (sky, flux), shape=shape, tolerance=tolerance, effort=effort)
        trials += places.trials
        # The best of all pairs of triangles is chosen, so each of them was a trial.
        parameters = _parameters(shape, tolerance, effort, LARGEST_CHANCE / max(trials, 1))
        for place in places.transforms:
            middle = np.array(place((shape[1] - 1) / 2, (shape[0] - 1) / 2))
            if np.hypot(*middle) > radius + RADIUS_MARGIN * reach:
                continue
            inside = np.flatnonzero(np.hypot(*(sky - middle).T) < reach)
            there = sky[inside], flux[inside]
            if effort.crowded_error_px:
                crowd, known = (brightest(xy, light, parameters.most_stars) for xy, light in (stars, there))
                place = align_softly(crowd, known, place, error_px=effort.crowded_error_px)
            try:
                match = match_stars(*stars, *there, parameters=replace(parameters, guess=place))
            except MatchFailed:
                continue
            match = replace(match, target_index=inside[match.target_index], chance=trials * match.chance)
            return _solved(star_xy, shape, catalogue, match)
    raise MatchFailed(
        f"{len(star_xy)} stars match no place within {pointing.radius_deg:g} deg of the pointing "
        f"({len(sky)} catalogue stars, {trials} like triangles)"
    )


def _efforts(pointing: Pointing) -> tuple[Effort, ...]:
    """Return what to try: first as for good frames, then with the errors of trails and blends, and larger triangles."""
    catalogue_px = CATALOGUE_ERROR_ARCSEC / pointing.pixel_scale_arcsec
    good = Effort(28, 9, float(np.hypot(STAR_ERROR_PX, min(catalogue_px, STAR_ERROR_PX))))
    poor = Effort(40, 14, float(np.hypot(POOR_STAR_ERROR_PX, min(catalogue_px, POOR_STAR_ERROR_PX))))
    if catalogue_px <= POOR_STAR_ERROR_PX:
        return good, poor
    # The catalogue's worst errors are many pixels of a space telescope's or a speckle camera's.
    error_px = float(np.hypot(POOR_STAR_ERROR_PX, catalogue_px))
    return good, Effort(28, 14, CROWDED_SEARCH_ERRORS * error_px, FEW_TRIALS, crowded_error_px=error_px), poor


def _parameters(shape: tuple[int, int], tolerance: float, effort: Effort, largest_chance: float) -> MatchParameters:
    parameters = MatchParameters(scale_tolerance=tolerance, brightest=0, largest_chance=largest_chance)
    if not effort.crowded_error_px:
        widest = max(MatchParameters.tolerance_px, TOLERANCE_ERRORS * effort.error_px)
        return replace(parameters, tolerance_px=widest)
    # Fewer stars and nearer pairs: else most of a crowd falls on some star by chance, wherever it lies.
    nearest = CROWDED_TOLERANCE_ERRORS * effort.crowded_error_px
    most = telling_stars(shape, nearest, MatchParameters.most_stars)
    return replace(parameters, tolerance_px=nearest, most_stars=most)


def _solved(star_xy: NDArray[np.float64], shape: tuple[int, int], catalogue: Catalogue, match: Match) -> SolvedWcs:
    x, y = np.asarray(star_xy, dtype=float)[match.source_index].T
    ra, dec = np.asarray(catalogue.ra_deg)[match.target_index], np.asarray(catalogue.dec_deg)[match.target_index]
    solved = fit_wcs(x, y, ra, dec, shape, is_noisy=True)
    return replace(solved, star_count=match.count, match=match, false_match_probability=match.chance)
