"""World coordinates from a header, checked and brought to ICRS; or a nominal frame from pointing and scale."""

from __future__ import annotations

import re
import warnings

import numpy as np
from astropy.coordinates import FK5, ICRS, SkyCoord
from astropy.io import fits
from astropy.wcs import WCS, FITSFixedWarning, WcsError
from astropy.wcs.utils import fit_wcs_from_points, wcs_to_celestial_frame
from erfa import ErfaWarning

from observations.numerics.fits.facts import Notes

# From the finest space mosaic (0.005 arcsec, optical interferometers aside) to the whole sky on a megapixel (720: 180
# degrees over 900 px). Outside it a scale is a placeholder or a fault, whether a header or a plate solver states it.
PLAUSIBLE_SCALES_ARCSEC = (0.005, 720.0)
# Detectors have square pixels within a few per cent, binning may make them 1:4.
_MAX_ASPECT = 4.5
# Optics do not shear; 20 degrees between axes is a broken matrix.
_MAX_SHEAR_DEG = 20.0
# Distortion beyond a tenth of the frame is a polynomial used outside its range.
_MAX_DISTORTION_SHARE = 0.1
_WCS_CARD = re.compile(
    r"(WCSAXES|C(TYPE|RVAL|RPIX|DELT|UNIT|ROTA)\d|(CD|PC|PV)\d+_\d+|[AB]P?_(ORDER|\d+_\d+)|L(ON|AT)POLE|RADESYS|RADECSYS"
    r"|EQUINOX|EPOCH)$"
)
# The matrix as it was written in 1996, which Pan-STARRS writes still.
_OLD_MATRIX_CARD = re.compile(r"PC00(\d)00(\d)$")
_SIP_CARD = re.compile(r"[AB]P?_(ORDER|\d+_\d+)$")
_PV_CARD = re.compile(r"PV\d+_\d+$")


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


def header_wcs(header: fits.Header, shape: tuple[int, int], notes: Notes) -> WCS | None:
    """Return the header's WCS in ICRS where it can be believed, else None with the reason among the warnings.

    A header without celestial axes gives None without a word. Distortion tables in other HDUs are not applied.
    """
    if not str(header.get("CTYPE1", "")).strip() and not str(header.get("CTYPE2", "")).strip():
        if "CRVAL1" in header and "CRVAL2" in header:
            notes.warn("The header's WCS names no sky axes (empty CTYPE) and was not used.")
        return None
    wcs = _parse(header, notes)
    if wcs is None:
        return None
    reason = _fault(wcs, shape)
    if reason is not None and wcs.sip is not None:
        linear = _parse(_without(header, _SIP_CARD), notes)
        if linear is not None and _fault(linear, shape) is None:
            notes.warn(f"The header's distortion polynomial was not used: {reason}.")
            wcs, reason = linear, None
    if reason is not None:
        notes.warn(f"The header's WCS was not used: {reason}.")
        return None
    return _in_icrs(wcs, shape, notes)


def _parse(header: fits.Header, notes: Notes) -> WCS | None:
    kept = _consistent(header)
    with warnings.catch_warnings():
        # What wcslib repairs (units, dates) is of no interest here; what it cannot repair raises.
        warnings.simplefilter("ignore", FITSFixedWarning)
        try:
            wcs = WCS(kept).celestial
            wcs.wcs.set()
        except (WcsError, ValueError, TypeError, KeyError, AssertionError) as error:
            notes.warn(f"The header's WCS cannot be read and was not used: {str(error).strip().splitlines()[0]}.")
            return None
    if wcs.naxis != 2:
        notes.warn("The header's WCS has no pair of sky axes and was not used.")
        return None
    return wcs


def _consistent(header: fits.Header) -> fits.Header:
    """The WCS cards alone, one matrix among them: CD stands before PC, CDELT and CROTA, which older programs expect."""
    kept = fits.Header()
    for card in header.cards:
        keyword = _OLD_MATRIX_CARD.sub(r"PC\1_\2", card.keyword)
        if _WCS_CARD.match(keyword) and keyword not in kept:
            kept[keyword] = card.value
    if any(keyword.startswith("CD1_") for keyword in kept):
        for keyword in [k for k in kept if re.match(r"(PC\d+_\d+|CDELT\d|CROTA\d)$", k)]:
            del kept[keyword]
    types = [str(kept.get(f"CTYPE{i}", "")) for i in (1, 2)]
    if "A_ORDER" in kept and all(name.endswith("TAN") for name in types):
        for i, name in enumerate(types, start=1):
            kept[f"CTYPE{i}"] = f"{name}-SIP"
    if all(name.endswith("-SIP") for name in types) and "A_ORDER" in kept:
        return _without(kept, _PV_CARD)
    return kept


def _without(header: fits.Header, pattern: re.Pattern[str]) -> fits.Header:
    kept = header.copy()
    for keyword in [k for k in kept if pattern.match(k)]:
        del kept[keyword]
    for i in (1, 2):
        name = str(kept.get(f"CTYPE{i}", ""))
        if pattern is _SIP_CARD and name.endswith("-SIP"):
            kept[f"CTYPE{i}"] = name.removesuffix("-SIP")
    return kept


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
    return None if np.all(np.isfinite(world)) else "the image reaches beyond its projection"


def _in_icrs(wcs: WCS, shape: tuple[int, int], notes: Notes) -> WCS | None:
    """The same mapping to ICRS. FK5 of J2000 agrees with it within 0.03 arcsec and is kept; others are fitted anew."""
    try:
        frame = wcs_to_celestial_frame(wcs)
    except ValueError:
        notes.warn("The header's WCS is in a system that is not known and was not used.")
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
        notes.warn(f"The header's WCS ({frame.name}) cannot be brought to ICRS within a pixel and was not used.")
        return None
    notes.warn(f"The header's WCS was turned from {frame.name} to ICRS.")
    fitted.array_shape = shape
    return fitted
