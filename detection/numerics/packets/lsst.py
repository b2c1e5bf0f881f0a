"""Alerts of the Legacy Survey of Space and Time of the Rubin Observatory, also as its brokers keep them.

Read by the documentation of its schema (version 10) and by real packets: see docs/imported.md for what was measured.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from detection.numerics.packets.packet import (
    DIFFERENCE,
    REFERENCE,
    SCIENCE,
    Exposure,
    Measured,
    Packet,
    PacketRefused,
    Record,
    TheirScore,
    entries,
    framed,
    needed,
    number,
    part_of,
    place_of,
    positive,
    stacked,
    stamp_of,
    text,
    whole,
)
from detection.numerics.stamps import Stamps
from observations.numerics.fits.stamps import StampFile

SURVEY = "LSST"
PIXEL_SCALE_ARCSEC = 0.2
# Fluxes and pixels are nanojansky: magnitude of one, AB.
_ZERO_POINT_MAG = 31.4
_MAG_PER_SHARE = 2.5 / math.log(10.0)
# FWHM of a Gaussian over its sigma: 2 sqrt(2 ln 2).
_FWHM_PER_SIGMA = 2.0 * math.sqrt(2.0 * math.log(2.0))
_SECONDS_A_DAY = 86_400.0
# By so much atomic time is ahead of UTC since 2017: no leap second has come since, and none is announced.
_TAI_MINUS_UTC_S = 37.0


def read_lsst(record: Record) -> Packet:
    """Return what a packet tells. Raises PacketRefused where it lacks what no row can do without.

    The difference in a packet is science minus reference whatever its `isNegative`.
    """
    source = part_of(record, "diaSource")
    key = whole(source, "diaSourceId")
    if key is None:
        raise PacketRefused("it does not give `diaSourceId`")
    # 0 stands where there is none: a body of the solar system belongs to no object of the fixed sky.
    belongs_to = whole(source, "diaObjectId")
    reliability = number(source, "reliability")
    is_score = reliability is not None and 0.0 <= reliability <= 1.0
    return Packet(
        survey=SURVEY,
        key=str(key),
        object_name=f"LSST {belongs_to}" if belongs_to else "",
        exposure=_exposure(source),
        measured=_measured(source),
        scores=(TheirScore("reliability", reliability),) if reliability is not None and is_score else (),
        stamps=_stamps(record, source),
        flux_unit="nJy",
        known_body=_known_body(record, source),
        earlier_detections=len(entries(record, "prvDiaSources")),
        earlier_undetected=len(entries(record, "prvDiaForcedSources")),
        schema=text(record, "lsst_schema_version"),
        publisher=text(record, "publisher"),
    )


def _exposure(source: Record) -> Exposure:
    visit, detector, band = whole(source, "visit"), whole(source, "detector"), text(source, "band")
    if not visit or detector is None:
        raise PacketRefused("it does not give `visit` and `detector`, its exposure")
    if not band:
        raise PacketRefused("it does not give `band`")
    middle = needed(source, "midpointMjdTai") - _TAI_MINUS_UTC_S / _SECONDS_A_DAY
    return Exposure(
        name=f"{visit}-{detector:03d}",
        mjd_utc=middle,
        start_mjd_utc=None,
        band=band,
        zero_point_mag=_ZERO_POINT_MAG,
        fwhm_px=_fwhm_px(source, "PSF"),
        notes={"time": "The packet tells the middle of the exposure alone, not its start nor how long it was."},
    )


def _fwhm_px(source: Record, of: str = "") -> float | None:
    """Return the FWHM of a Gaussian with the packet's moments (arcseconds squared): of the source, or of the PSF."""
    ixx, iyy = positive(source, f"ixx{of}"), positive(source, f"iyy{of}")
    if ixx is None or iyy is None:
        return None
    return _FWHM_PER_SIGMA * math.sqrt((ixx + iyy) / 2.0) / PIXEL_SCALE_ARCSEC


def _measured(source: Record) -> Measured:
    ra, dec = place_of(source)
    is_negative = source.get("isNegative") is True
    flux, error, snr = number(source, "psfFlux"), positive(source, "psfFluxErr"), positive(source, "snr")
    is_light = flux is not None and flux > 0.0
    x_error, y_error = positive(source, "xErr"), positive(source, "yErr")
    return Measured(
        ra=ra,
        dec=dec,
        pixel_x=needed(source, "x"),
        pixel_y=needed(source, "y"),
        is_negative=is_negative,
        flux=flux,
        flux_error=error,
        significance=None if snr is None else (-snr if is_negative else snr),
        snr=flux / error if flux is not None and error is not None else None,
        mag=_ZERO_POINT_MAG - 2.5 * math.log10(flux) if flux is not None and is_light else None,
        mag_error=_MAG_PER_SHARE * error / flux if flux is not None and is_light and error is not None else None,
        position_error_px=math.hypot(x_error, y_error) / math.sqrt(2.0) if x_error and y_error else None,
        fwhm_px=_fwhm_px(source),
        ellipticity=_ellipticity(source),
        is_saturated=source.get("pixelFlags_saturatedCenter") is True,
        is_edge=source.get("pixelFlags_edge") is True,
        is_dipole=source.get("isDipole") is True,
    )


def _ellipticity(source: Record) -> float | None:
    """Return 1 - b/a of the ellipse with the source's moments."""
    ixx, iyy, ixy = positive(source, "ixx"), positive(source, "iyy"), number(source, "ixy")
    if ixx is None or iyy is None or ixy is None:
        return None
    middle, spread = (ixx + iyy) / 2.0, math.hypot((ixx - iyy) / 2.0, ixy)
    return 1.0 - math.sqrt((middle - spread) / (middle + spread)) if spread <= middle else None


def _known_body(record: Record, source: Record) -> str:
    key, body = whole(source, "ssObjectId"), record.get("ssSource")
    if not key:
        return ""
    return (text(body, "designation") if isinstance(body, dict) else "") or f"solar system object {key}"


def _stamps(record: Record, source: Record) -> Stamps:
    x, y = needed(source, "x"), needed(source, "y")
    science, reference, difference = (_about(stamp_of(record, name), x, y) for name in (SCIENCE, REFERENCE, DIFFERENCE))
    return stacked(science, reference, difference)


def _about(stamp: StampFile, x: float, y: float) -> NDArray[np.float32]:
    """Return the pixels about the source: where its cutout says that it begins, else about the cutout's middle."""
    height, width = stamp.image.shape
    if stamp.before_first is None:
        return framed(stamp.image, width // 2, height // 2)
    first_x, first_y = (before + 1 for before in stamp.before_first)
    return framed(stamp.image, round(x) - first_x, round(y) - first_y)
