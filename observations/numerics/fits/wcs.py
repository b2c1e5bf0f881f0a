"""World coordinates from a header, checked and brought to ICRS; or a nominal frame from pointing and scale."""

from __future__ import annotations

import warnings

import numpy as np
from astropy.coordinates import FK5, ICRS, BarycentricMeanEcliptic, BaseCoordinateFrame, SkyCoord
from astropy.io import fits
from astropy.wcs import WCS, FITSFixedWarning, WcsError
from astropy.wcs.utils import fit_wcs_from_points, wcs_to_celestial_frame
from erfa import ErfaWarning
from numpy.typing import NDArray

from observations.numerics.fits.cards import readable
from observations.numerics.fits.facts import Notes
from observations.numerics.fits.iraf_wcs import UnreadableSurface, tangent_plane_shift
from observations.numerics.fits.wcs_cards import (
    has_tables,
    is_unset,
    largest_of_tables_px,
    size_solved,
    sky_cards,
    without_polynomial,
    without_surfaces,
    without_tables,
)
from observations.numerics.sphere import separation_deg

# From the finest space mosaic (0.005 arcsec, optical interferometers aside) to the whole sky on a megapixel (720: 180
# degrees over 900 px). Outside it a scale is a placeholder or a fault, whether a header or a plate solver states it.
PLAUSIBLE_SCALES_ARCSEC = (0.005, 720.0)
# Detectors have square pixels within a few per cent, binning may make them 1:4.
_MAX_ASPECT = 4.5
# Optics do not shear; 20 degrees between axes is a broken matrix.
_MAX_SHEAR_DEG = 20.0
# Distortion beyond a tenth of the frame is a polynomial used outside its range.
_MAX_DISTORTION_SHARE = 0.1
# Tables that shift no pixel farther than that may be missing: centroids of single frames are no better.
_NEGLIGIBLE_PX = 0.1
# A detector of a mosaic lies within some degrees of the point that all refer to; tangent planes end far from theirs.
_FARTHEST_REFERENCE_DEG = 30.0
# A mapping that products cannot hold is fitted by polynomials of this degree, which must follow it within this.
_SIP_DEGREE, _FOLLOWS_PX = 4, 0.1


def nominal_wcs(ra_deg: float, dec_deg: float, scale_arcsec: float, shape: tuple[int, int]) -> WCS:
    """Return a tangent-plane WCS centred on the image, north up and east left: a claim, not a measurement."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = [ra_deg, dec_deg]
    wcs.wcs.crpix = [(shape[1] + 1) / 2, (shape[0] + 1) / 2]
    wcs.wcs.cdelt = [-scale_arcsec / 3600, scale_arcsec / 3600]
    wcs.wcs.cunit = ["deg", "deg"]
    wcs.wcs.radesys = "ICRS"
    wcs.array_shape = shape
    wcs.wcs.set()
    return wcs


def pixel_scale_arcsec(wcs: WCS) -> float:
    """Return the geometric mean pixel scale at the reference point, arcsec per pixel."""
    matrix = wcs.pixel_scale_matrix
    return float(np.sqrt(abs(np.linalg.det(matrix))) * 3600)


def centre_of(wcs: WCS, shape: tuple[int, int]) -> tuple[float, float]:
    """Return ICRS (ra, dec) in degrees of the middle of the image."""
    ra, dec = wcs.all_pix2world((shape[1] - 1) / 2, (shape[0] - 1) / 2, 0)
    return float(ra) % 360.0, float(dec)


def header_wcs(
    header: fits.Header, shape: tuple[int, int], notes: Notes, tables: fits.HDUList | None = None
) -> WCS | None:
    """Return the header's WCS in ICRS where it can be believed, else None with the reason among the doubts.

    A header without celestial axes gives None without a word. tables : the file, where distortion tables lie in its
    other HDUs. A mapping that no header alone can state (tables, the TNX of IRAF) becomes polynomials of the SIP kind.
    """
    header = fits.Header(list(readable(header)))
    if not str(header.get("CTYPE1", "")).strip() and not str(header.get("CTYPE2", "")).strip():
        if "CRVAL1" in header and "CRVAL2" in header:
            _unused(notes, "CTYPE1", "it names no sky axes (empty CTYPE)")
        return None
    solved, own = size_solved(header), (shape[1], shape[0])
    # A cut of the image that was solved keeps its solution; the whole of it in larger or smaller pixels does not.
    if solved is not None and solved != own and abs(solved[0] * own[1] / (solved[1] * own[0]) - 1) < 0.01:
        _unused(notes, "IMAGEW", f"it was solved for {solved[0]} x {solved[1]} px, the image has {own[0]} x {own[1]}")
        return None
    if is_unset(header):
        _unused(notes, "CRVAL1", "nobody filled it in (CRVAL 0 0, or pixels of 1 degree)")
        return None
    types = " ".join(str(header.get(f"CTYPE{i}", "")) for i in (1, 2))
    if "-ZPX" in types:
        _unused(notes, "CTYPE1", "its projection ZPX is known to IRAF only")
        return None
    try:
        kept = sky_cards(header)
    except ValueError as error:
        _unused(notes, "CTYPE1", f"it cannot be read ({error})")
        return None
    if has_tables(kept) and tables is None:
        largest_px = largest_of_tables_px(header)
        if largest_px is None or largest_px > _NEGLIGIBLE_PX:
            _unused(notes, "CPDIS1", "its distortion tables are not in the file")
            return None
        sentence = f"The header's distortion tables are not in the file: they would shift {largest_px:.2g} px at most."
        notes.doubt("distortion_tables_missing", "position", "CPDIS1", largest_px, sentence)
        kept = without_tables(kept)
    wcs = _parse(without_surfaces(kept) if "-TNX" in types else kept, notes, tables)
    wcs = None if wcs is None else _checked(wcs, kept, shape, notes)
    if wcs is None:
        return None
    notes.came_from("wcs", "CTYPE1", types)
    wcs = _in_icrs(wcs, shape, notes)
    return None if wcs is None else _storable(wcs, kept if "-TNX" in types else None, shape, notes)


def _unused(notes: Notes, keyword: str, reason: str) -> None:
    notes.doubt("wcs_not_used", "position", keyword, None, f"The header's WCS was not used: {reason}.")


def _checked(wcs: WCS, kept: fits.Header, shape: tuple[int, int], notes: Notes) -> WCS | None:
    """The WCS where it can describe an image, without a polynomial that cannot; else None."""
    reason = _fault(wcs, shape)
    if reason is not None and wcs.sip is not None:
        linear = _parse(without_polynomial(kept), notes, None)
        if linear is not None and _fault(linear, shape) is None:
            sentence = f"The header's distortion polynomial was not used: {reason}."
            notes.doubt("distortion_not_used", "position", "A_ORDER", None, sentence, blocks=True)
            return linear
    if reason is not None:
        _unused(notes, "CTYPE1", reason)
        return None
    return wcs


def _parse(kept: fits.Header, notes: Notes, tables: fits.HDUList | None) -> WCS | None:
    with warnings.catch_warnings():
        # What wcslib repairs (units, dates) is of no interest here; what it cannot repair raises.
        warnings.simplefilter("ignore", FITSFixedWarning)
        try:
            wcs = WCS(kept, fobj=tables).celestial
            wcs.wcs.set()
        except (WcsError, ValueError, TypeError, KeyError, AssertionError) as error:
            lines = str(error).strip().splitlines() or ["its cards contradict each other"]
            _unused(notes, "CTYPE1", f"it cannot be read ({lines[0]})")
            return None
    if wcs.naxis != 2:
        _unused(notes, "CTYPE1", "it has no pair of sky axes")
        return None
    return wcs


def _storable(wcs: WCS, surfaces: fits.Header | None, shape: tuple[int, int], notes: Notes) -> WCS | None:
    """The same mapping in a form that a header can hold: as it is, or as SIP polynomials that follow it."""
    has_more = wcs.has_distortion and (wcs.cpdis1 is not None or wcs.det2im1 is not None or wcs.det2im2 is not None)
    if surfaces is None and not has_more:
        return wcs
    ny, nx = shape
    # 15 x 15 points for the 30 numbers of a polynomial of degree 4.
    x, y = (axis.ravel() for axis in np.meshgrid(np.linspace(0, nx - 1, 15), np.linspace(0, ny - 1, 15)))
    try:
        longitude, latitude = wcs.all_pix2world(x, y, 0) if surfaces is None else _with_surfaces(wcs, surfaces, x, y)
    except UnreadableSurface as error:
        _unused(notes, "WAT1_001", str(error))
        return None
    world = SkyCoord(longitude, latitude, unit="deg", frame="icrs")
    fitted = fit_wcs_from_points((x, y), world, proj_point="center", projection="TAN", sip_degree=_SIP_DEGREE)
    back = SkyCoord(*fitted.all_pix2world(x, y, 0), unit="deg", frame="icrs")
    miss_px = float(back.separation(world).arcsec.max()) / pixel_scale_arcsec(fitted)
    if not miss_px <= _FOLLOWS_PX:
        _unused(notes, "CTYPE1", f"polynomials follow its distortion to {miss_px:.2f} px only")
        return None
    fitted.wcs.radesys = "ICRS"
    fitted.array_shape = shape
    return fitted


def _with_surfaces(
    wcs: WCS, surfaces: fits.Header, x: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sky positions of a TNX: its surfaces added in the tangent plane, then the projection."""
    plane = wcs.deepcopy()
    # With the origin 0 astropy takes 1 off the plane's degrees as well.
    xi, eta = plane.wcs.p2s(np.column_stack([x, y]) + 1.0, 1)["imgcrd"].T
    more_xi, more_eta = tangent_plane_shift(surfaces, xi, eta)
    bent = np.linalg.solve(wcs.pixel_scale_matrix, np.vstack([xi + more_xi, eta + more_eta]))
    origin = wcs.wcs.crpix - 1.0
    longitude, latitude = wcs.wcs_pix2world(bent[0] + origin[0], bent[1] + origin[1], 0)
    return longitude, latitude


def _fault(wcs: WCS, shape: tuple[int, int]) -> str | None:
    """Why this WCS cannot describe an image of the sky, or None."""
    matrix = wcs.pixel_scale_matrix
    if not np.all(np.isfinite(matrix)) or not np.all(np.isfinite(wcs.wcs.crval)) or abs(np.linalg.det(matrix)) == 0:
        return "its matrix or reference point is not a number or singular"
    scales = np.hypot(matrix[0], matrix[1]) * 3600
    if not (PLAUSIBLE_SCALES_ARCSEC[0] <= scales.min() and scales.max() <= PLAUSIBLE_SCALES_ARCSEC[1]):
        return f"its scale of {scales.max():.4g} arcsec per pixel is absurd"
    cosine = abs(float(matrix[:, 0] @ matrix[:, 1])) / float(np.prod(scales / 3600))
    if scales.max() / scales.min() > _MAX_ASPECT or cosine > np.sin(np.radians(_MAX_SHEAR_DEG)):
        return "its pixels are sheared or stretched beyond any optics"
    if not -90 <= wcs.wcs.crval[wcs.wcs.lat] <= 90:
        return f"its reference latitude is {wcs.wcs.crval[wcs.wcs.lat]:g} degrees"
    ny, nx = shape
    x, y = np.array([0, nx - 1, 0, nx - 1, (nx - 1) / 2]), np.array([0, 0, ny - 1, ny - 1, (ny - 1) / 2])
    if wcs.sip is not None:
        shift = np.array(wcs.pix2foc(x, y, 0)) - [x, y]
        if np.abs(shift).max() > _MAX_DISTORTION_SHARE * max(shape):
            return "its distortion is larger than a tenth of the frame"
    try:
        world = np.array(wcs.all_pix2world(x, y, 0))
    except (WcsError, ValueError):
        return "the image reaches beyond its projection"
    if not np.all(np.isfinite(world)):
        return "the image reaches beyond its projection"
    lng, lat = wcs.wcs.lng, wcs.wcs.lat
    away_deg = float(separation_deg(world[lng][-1], world[lat][-1], wcs.wcs.crval[lng], wcs.wcs.crval[lat]))
    if wcs.wcs.ctype[0][5:8] in ("TAN", "TPV", "TNX") and away_deg > _FARTHEST_REFERENCE_DEG:
        return f"the image would lie {away_deg:.0f} degrees from its reference point"
    return None


def _frame_of(wcs: WCS) -> BaseCoordinateFrame:
    """The frame of the axes; astropy takes ELON for a longitude on Earth. Raises ValueError where it is no sky's."""
    if wcs.wcs.lngtyp == "ELON":
        year = float(wcs.wcs.equinox)
        return BarycentricMeanEcliptic(equinox=f"J{year if np.isfinite(year) else 2000.0}")
    if wcs.wcs.lngtyp not in ("RA", "GLON"):
        raise ValueError(wcs.wcs.lngtyp)
    return wcs_to_celestial_frame(wcs)


def _in_icrs(wcs: WCS, shape: tuple[int, int], notes: Notes) -> WCS | None:
    """The same mapping to ICRS. FK5 of J2000 agrees with it within 0.03 arcsec and is kept; others are fitted anew."""
    try:
        frame = _frame_of(wcs)
    except ValueError:
        _unused(notes, "RADESYS", "its system of coordinates is not known")
        return None
    if isinstance(frame, ICRS) or (isinstance(frame, FK5) and frame.equinox.jyear == 2000.0):
        wcs.array_shape = shape
        return wcs
    ny, nx = shape
    # 5 x 5 points: a tangent plane has 6 free numbers.
    x, y = (axis.ravel() for axis in np.meshgrid(np.linspace(0, nx - 1, 5), np.linspace(0, ny - 1, 5)))
    first, second = wcs.all_pix2world(x, y, 0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ErfaWarning)
        world = SkyCoord(first, second, unit="deg", frame=frame).icrs
    fitted = fit_wcs_from_points((x, y), world, proj_point="center", projection="TAN")
    miss = np.hypot(*(np.array(fitted.all_world2pix(world.ra.deg, world.dec.deg, 0)) - [x, y])).max()
    # A pixel: this WCS is a starting point for the star match, not a measurement.
    if miss > 1.0:
        _unused(notes, "RADESYS", f"it is in {frame.name} and cannot be brought to ICRS within a pixel")
        return None
    notes.came_from("wcs", "CTYPE1", wcs.wcs.ctype[0], f"turned from {frame.name} to ICRS")
    fitted.array_shape = shape
    return fitted
